"""Which clips show the same person: strictly for counting, loosely for the split. Names nobody."""

from __future__ import annotations

import base64
from dataclasses import dataclass

import numpy as np
import pandas as pd

from talkingface_wild.core.columns import Column
from talkingface_wild.engine.stage import Whole


@dataclass(frozen=True)
class IdentitiesConfig:
    """Cosines of ArcFace embeddings from which two clips count as one person."""

    merge_cosine: float = 0.45
    """Average linkage, for the count of identities and their caps."""
    separate_cosine: float = 0.35
    """Single linkage, together with the same channel, for the split."""


class Identities(Whole):
    """Without embeddings ``identity`` is null and the split's groups are the videos themselves."""

    name = "identities"
    needs = ("identity_embedding", "channel", "source_sha256")
    columns = (
        Column(
            "identity",
            "string",
            "person, as the least clip id of the cluster; null where unmeasured",
        ),
        Column(
            "identity_group",
            "string",
            "group that the split keeps together: loosely linked persons, channel, or video",
        ),
    )
    Config = IdentitiesConfig

    def compute(self, table: pd.DataFrame) -> pd.DataFrame:
        """Labels that do not depend on the order of the rows."""
        answer = pd.DataFrame(index=table.index)
        identity = pd.Series(None, index=table.index, dtype=object)
        group = ("video:" + table["source_sha256"].fillna(table["root_id"]).astype(object)).copy()
        measured = table["identity_embedding"].notna().to_numpy(bool)
        if measured.any():
            ids = sorted(table.index[measured])
            embeddings = _vectors(table.loc[ids, "identity_embedding"])
            identity.loc[ids], group.loc[ids] = self._clusters(ids, embeddings, table.loc[ids])
        answer["identity"] = identity.astype("string")
        answer["identity_group"] = group.astype("string")
        return answer

    def _clusters(
        self, ids: list[str], embeddings: np.ndarray, rows: pd.DataFrame
    ) -> tuple[list[str], list[str]]:
        from talkingface_wild.functional.clusters import cluster, loose_groups

        strict = cluster(embeddings, self.config.merge_cosine, ids=ids)
        videos = rows["source_sha256"].fillna(rows["root_id"]).astype(object)
        channels = rows["channel"].astype(object)
        same = [
            [f"video:{video}"] + ([] if pd.isna(channel) else [f"channel:{channel}"])
            for video, channel in zip(videos, channels, strict=True)
        ]
        loose = loose_groups(embeddings, self.config.separate_cosine, same=same, ids=ids)
        return list(strict), [f"group:{label}" for label in loose]


def _vectors(texts: pd.Series) -> np.ndarray:
    rows = [np.frombuffer(base64.b64decode(text), dtype=np.float16) for text in texts]
    return np.stack(rows).astype(np.float32)
