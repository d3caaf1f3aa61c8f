"""Reviewers' decisions: kept in the folder, applied to every ruling. They edit no measure."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from talkingface_wild.core.paths import atomic_path
from talkingface_wild.core.reasons import REVIEW, REVIEW_REASONS, review_reason
from talkingface_wild.dataset.layout import Layout
from talkingface_wild.engine.ruling import KEPT, REJECTED, Ruling


@dataclass(frozen=True)
class Decision:
    """One reviewer's answer on one clip."""

    clip_id: str
    accepted: bool
    reason: str = ""
    """One of ``core.reasons.REVIEW_REASONS``; empty when accepted."""
    words: str = ""
    reviewer: str = ""

    @property
    def verdict_reason(self) -> str:
        """The reason of a rejection in verdicts and ledger: ``review:out_of_sync``."""
        return review_reason(self.reason)


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
    if rejected:
        answers = [decisions[clip] for clip in rejected]
        verdicts.loc[rejected, ["state", "stage"]] = [REJECTED, REVIEW]
        verdicts.loc[rejected, "reason"] = [answer.verdict_reason for answer in answers]
        verdicts.loc[rejected, "detail"] = [answer.words or None for answer in answers]
        ruling.ledger = pd.concat([ruling.ledger, _ledger(table, answers)], ignore_index=True)
    return len(rejected)


def with_review_reasons(frame: pd.DataFrame, prefix: str = "") -> pd.DataFrame:
    """``frame`` with ``review:out_of_sync`` where a folder of an older version says ``review``.

    There the detail holds the reviewer's reason before the words. ``prefix`` is that of the columns
    reason and detail: ``verdict_`` in items/.
    """
    reason, detail = f"{prefix}reason", f"{prefix}detail"
    old = frame.index[(frame[reason] == REVIEW).fillna(False).to_numpy(bool)]
    if old.empty:
        return frame
    changed = frame.copy()
    for row in old:
        text = next(iter(frame.loc[[row], detail].dropna()), "")
        name, _, words = str(text).partition(": ")
        changed.at[row, reason] = review_reason(name)
        changed.at[row, detail] = (words if name in REVIEW_REASONS else text) or None
    return changed


def _ledger(table: pd.DataFrame, answers: Sequence[Decision]) -> pd.DataFrame:
    clips = [answer.clip_id for answer in answers]
    rows = table.loc[clips]
    return pd.DataFrame(
        {
            "item_id": np.array(clips, dtype=object),
            "level": "clip",
            "group": rows["group"].to_numpy(object),
            "root_id": rows["root_id"].to_numpy(object),
            "stage": REVIEW,
            "state": REJECTED,
            "reason": [answer.verdict_reason for answer in answers],
            "detail": [answer.words or None for answer in answers],
        }
    )
