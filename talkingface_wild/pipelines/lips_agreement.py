"""Lip sync by a set's own networks beside SyncNet's, clip by clip. Rules nothing."""

from collections.abc import Mapping
from dataclasses import dataclass

import pandas as pd

COLUMNS = ("lips_z", "lips_offset_frames", "sync_margin", "sync_offset")


@dataclass(frozen=True)
class SyncAgreement:
    """Over the clips that both have judged; an offset counts where both call the clip in sync."""

    clips: int
    same_verdict: float
    """Share of the clips that both call in sync, or both not."""
    in_sync_by_both: int
    offset_difference: float | None
    """Median of the networks' offset less SyncNet's, frames; None where no clip is in sync."""
    disagreements: tuple[str, ...]
    """Clips of which the two say different things."""


def sync_agreement(table: pd.DataFrame, thresholds: Mapping[str, float]) -> SyncAgreement | None:
    """The agreement over a table of clips; None where no clip has both measures.

    A clip is in sync by the set's networks where its lips_z lies above its language's threshold
    (``all`` where that has none), by SyncNet where its sync_margin is above 0: each is held against
    the clip's own wrong sounds.
    """
    if not thresholds:
        return None
    columns = ["clip_id", "language", *COLUMNS]
    rows = table.reindex(columns=columns).dropna(subset=["lips_z", "sync_margin"])
    bounds = rows["language"].astype(str).map(thresholds)
    bounds = bounds.fillna(thresholds["all"]) if "all" in thresholds else bounds
    rows = rows[bounds.notna()]
    if not len(rows):
        return None
    by_lips = rows["lips_z"].astype(float) > bounds[bounds.notna()].astype(float)
    by_syncnet = rows["sync_margin"].astype(float) > 0
    both = rows[by_lips & by_syncnet]
    differences = both["lips_offset_frames"].astype(float) - both["sync_offset"].astype(float)
    return SyncAgreement(
        len(rows),
        float((by_lips == by_syncnet).mean()),
        len(both),
        float(differences.median()) if len(both) else None,
        tuple(sorted(rows.loc[by_lips != by_syncnet, "clip_id"].astype(str))),
    )
