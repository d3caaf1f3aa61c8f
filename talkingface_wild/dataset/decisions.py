"""Reviewers' decisions: kept in the folder, applied to every ruling. They edit no measure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from talkingface_wild.core.paths import atomic_path
from talkingface_wild.dataset.layout import Layout
from talkingface_wild.engine.ruling import KEPT, REJECTED, Ruling


@dataclass(frozen=True)
class Decision:
    """One reviewer's answer on one clip."""

    clip_id: str
    accepted: bool
    reason: str = ""
    """One of the review reasons; empty when accepted."""
    words: str = ""
    reviewer: str = ""


def load_decisions(layout: Layout) -> dict[str, Decision]:
    """All decisions by clip; the latest import wins."""
    path = layout.review / "decisions.parquet"
    if not path.is_file():
        return {}
    return {row["clip_id"]: Decision(**row) for row in pq.read_table(path).to_pylist()}


def save_decisions(layout: Layout, decisions: Sequence[Decision]) -> None:
    """Merge decisions into those known."""
    merged = load_decisions(layout) | {decision.clip_id: decision for decision in decisions}
    rows = [vars(merged[clip]) for clip in sorted(merged)]
    with atomic_path(layout.review / "decisions.parquet") as temporary:
        pq.write_table(pa.Table.from_pylist(rows), temporary)


def apply_decisions(layout: Layout, ruling: Ruling) -> int:
    """Reject kept clips that a reviewer rejected, mark the accepted; returns how many fell."""
    decisions = load_decisions(layout)
    table, verdicts = ruling.table, ruling.verdicts
    table["review"] = pd.Series(None, index=table.index, dtype="string")
    if not decisions:
        return 0
    kept = verdicts.index[(verdicts["state"] == KEPT).to_numpy(bool)]
    looked_at = [clip for clip in kept if clip in decisions]
    accepted = [clip for clip in looked_at if decisions[clip].accepted]
    rejected = [clip for clip in looked_at if not decisions[clip].accepted]
    table.loc[accepted, "review"] = "accepted"
    said = [": ".join(filter(None, [decisions[c].reason, decisions[c].words])) for c in rejected]
    verdicts.loc[rejected, ["state", "stage", "reason"]] = [REJECTED, "review", "review"]
    verdicts.loc[rejected, "detail"] = said
    if rejected:
        ruling.ledger = pd.concat(
            [ruling.ledger, _ledger(table, rejected, said)], ignore_index=True
        )
    return len(rejected)


def _ledger(table: pd.DataFrame, clips: list[str], words: list[str]) -> pd.DataFrame:
    rows = table.loc[clips]
    return pd.DataFrame(
        {
            "item_id": np.array(clips, dtype=object),
            "level": "clip",
            "group": rows["group"].to_numpy(object),
            "root_id": rows["root_id"].to_numpy(object),
            "stage": "review",
            "state": REJECTED,
            "reason": "review",
            "detail": words,
        }
    )
