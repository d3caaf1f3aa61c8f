"""The funnel of a commit: what went into each stage, what was kept, and why the rest was not; a
note on kept clips in which nobody speaks.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

_MOST_NAMED = 5


@dataclass(frozen=True)
class Step:
    """One stage: items that reached it by outcome, and hours of clips that stayed.

    Where ``measured`` is false the stage measured nothing and ``unmeasured`` says why: ``kept`` and
    ``hours_kept`` are None, for what stayed was let through, not judged.
    """

    stage: str
    level: str
    entered: int
    kept: int | None
    rejected: int
    failed: int
    pending: int
    hours_kept: float | None
    reasons: dict[str, int]
    measured: bool = True
    unmeasured: str | None = None

    @property
    def stayed(self) -> int:
        """Items that went on, judged or let through."""
        return self.entered - self.rejected - self.failed - self.pending


def funnel(ledger: pd.DataFrame, unmeasured: Mapping[str, str] | None = None) -> list[Step]:
    """The steps in order of the stages; for one language's funnel, pass its part of the ledger.

    ``unmeasured`` are the stages that measured nothing, and why.
    A stage that splits items counts the clips it made and the items it lost, so no second of
    video is counted twice.
    """
    missing = unmeasured or {}
    steps: list[Step] = []
    for stage, rows in ledger.groupby("stage", sort=False):
        clips = bool((rows["level"] == "clip").any())
        if clips:
            parent = (rows["level"] != "clip") | (rows["detail"] == "split").fillna(False)
            rows = rows[~parent | (rows["state"] != "kept")]
        states = rows["state"].value_counts()
        lost = rows[rows["state"] != "kept"]
        kept = rows[(rows["state"] == "kept") & (rows["level"] == "clip")]
        measured = str(stage) not in missing
        hours = round(float(kept["clip_seconds"].fillna(0).sum()) / 3600, 6)
        steps.append(
            Step(
                stage=str(stage),
                level="clip" if clips else "source",
                entered=len(rows),
                kept=int(states.get("kept", 0)) if measured else None,
                rejected=int(states.get("rejected", 0)),
                failed=int(states.get("failed", 0)),
                pending=int(states.get("pending", 0)),
                hours_kept=hours if clips and measured else None,
                reasons={
                    str(k): int(v) for k, v in lost["reason"].value_counts().sort_index().items()
                },
                measured=measured,
                unmeasured=missing.get(str(stage)),
            )
        )
    return steps


def by_language(items: pd.DataFrame, clips: pd.DataFrame) -> list[dict[str, object]]:
    """Sources, clips cut, clips kept and hours kept of each language, from items/ and clips/."""
    rows: list[dict[str, object]] = []
    final = clips["language"].astype(str)
    roots = items[items["level"] == "source"]
    cut = items[(items["level"] == "clip") & (items["verdict_state"] != "split")]
    names = sorted(set(roots["group"].astype(str)) | set(final))
    for language in names:
        mine = clips[final == language]
        rows.append(
            {
                "language": language,
                "sources": int((roots["group"] == language).sum()),
                "clips_cut": int((cut["group"] == language).sum()),
                "clips_kept": len(mine),
                "hours_kept": round(float(mine["clip_seconds"].sum()) / 3600, 6),
                "mean_seconds": round(float(mine["clip_seconds"].mean()), 3) if len(mine) else None,
            }
        )
    return rows


def speechless_note(clips: pd.DataFrame, out: Path) -> str | None:
    """A sentence on the kept clips whose ``speech_ratio`` is 0, and what gates them; else None."""
    if "speech_ratio" not in clips:
        return None
    silent = clips.loc[(clips["speech_ratio"] == 0).fillna(False).to_numpy(bool), "clip_id"]
    if silent.empty:
        return None
    names = ", ".join(sorted(map(str, silent))[:_MOST_NAMED])
    names += ", …" if len(silent) > _MOST_NAMED else ""
    what = "1 kept clip has" if len(silent) == 1 else f"{len(silent)} kept clips have"
    return (
        f"{what} no speech (speech_ratio 0.0): {names}; the recipe does not gate on it: leave them "
        f"out by `tfw recut {out} --set gates.speech_ratio.above=0`."
    )
