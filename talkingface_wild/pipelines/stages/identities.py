"""Which clips show the same person: strictly for counting, loosely for the split. Names nobody."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from talkingface_wild.engine.stage import Whole
from talkingface_wild.functional.clusters import cluster, loose_groups
from talkingface_wild.pipelines.column_kinds import text
from talkingface_wild.pipelines.identity_networks import embeddings, identity_network, network_of


@dataclass(frozen=True)
class IdentitiesConfig:
    """Cosines of embeddings from which two clips count as one person; null: the network's own."""

    merge_cosine: float | None = None
    """Average linkage, for the count of identities and caps: .45 for ArcFace, .954 for dlib."""
    separate_cosine: float | None = None
    """Single linkage, together with the same channel, for the split: .35 and .943."""


class Identities(Whole):
    """Without embeddings ``identity`` is null and the split's groups are the videos themselves."""

    name = "identities"
    needs = ("identity_network", "identity_embedding", "channel", "source_sha256")
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
        vectors = np.full((len(ids), 1), np.nan, dtype=np.float32)
        merge, separate = self._cosines(rows)
        if measured.any():
            faces = embeddings(rows["identity_embedding"][measured])
            vectors = np.full((len(ids), faces.shape[1]), np.nan, dtype=np.float32)
            vectors[measured] = faces
            embedded = [clip for clip, has in zip(ids, measured, strict=True) if has]
            identity[measured] = cluster(embedded, faces, merge)
        videos = _keys(rows["source_sha256"].fillna(rows["root_id"]))
        same = [videos, _keys(rows["channel"])]
        answer["identity"] = identity.astype("string")
        groups = loose_groups(ids, vectors, same, separate) if ids else []
        answer["identity_group"] = pd.array(groups, dtype="string")
        return answer.reindex(table.index)

    def _cosines(self, rows: pd.DataFrame) -> tuple[float, float]:
        """The cosines to merge and to separate at."""
        network, settings = identity_network(network_of(rows)), self.config
        merge = network.merge if settings.merge_cosine is None else settings.merge_cosine
        chain = network.separate if settings.separate_cosine is None else settings.separate_cosine
        return merge, chain


def _keys(column: pd.Series) -> list[str | None]:
    texts = column.astype(object)
    return list(texts.where(texts.notna(), None))
