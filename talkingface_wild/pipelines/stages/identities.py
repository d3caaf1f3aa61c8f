"""Which clips show the same person: strictly for counting, loosely for the split. Names nobody."""

import base64
from dataclasses import dataclass

import numpy as np
import pandas as pd

from talkingface_wild.engine.stage import Whole
from talkingface_wild.functional.clusters import cluster, loose_groups
from talkingface_wild.pipelines.column_kinds import text


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
        text("identity", "person, as the least clip id of the cluster; null where unmeasured"),
        text(
            "identity_group",
            "group that the split keeps together: loosely linked persons, channel, or video",
        ),
    )
    Config = IdentitiesConfig

    def compute(self, table: pd.DataFrame) -> pd.DataFrame:
        """Labels that do not depend on the order of the rows."""
        rows = table.sort_index()
        ids = [str(clip) for clip in rows.index]
        answer = pd.DataFrame(index=rows.index)
        identity = pd.Series(None, index=rows.index, dtype=object)
        measured = rows["identity_embedding"].notna().to_numpy(bool)
        vectors = np.full((len(ids), 512 if measured.any() else 1), np.nan, dtype=np.float32)
        if measured.any():
            vectors[measured] = _vectors(rows["identity_embedding"][measured])
            embedded = [clip for clip, has in zip(ids, measured, strict=True) if has]
            identity[measured] = cluster(embedded, vectors[measured], self.config.merge_cosine)
        videos = _keys(rows["source_sha256"].fillna(rows["root_id"]))
        same = [videos, _keys(rows["channel"])]
        answer["identity"] = identity.astype("string")
        groups = loose_groups(ids, vectors, same, self.config.separate_cosine) if ids else []
        answer["identity_group"] = pd.array(groups, dtype="string")
        return answer.reindex(table.index)


def _keys(column: pd.Series) -> list[str | None]:
    texts = column.astype(object)
    return list(texts.where(texts.notna(), None))


def _vectors(texts: pd.Series) -> np.ndarray:
    rows = [np.frombuffer(base64.b64decode(text), dtype=np.float16) for text in texts]
    return np.stack(rows).astype(np.float32)
