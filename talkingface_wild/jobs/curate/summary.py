"""A finished run as plain data: counts, the funnel, languages, and where things are."""

import dataclasses
import os
from typing import Any

from talkingface_wild.dataset.compact import stored_null_columns
from talkingface_wild.dataset.funnel import by_language, funnel
from talkingface_wild.jobs.curate.run import Outcome, frames_of


def summary(outcome: Outcome) -> dict[str, Any]:
    """The data of ``tfw curate --json``."""
    clips, items, ledger = frames_of(outcome)
    roots = items[items["level"] == "source"]
    lost = items[items["verdict_state"].isin(["rejected", "failed", "pending"])]
    unmeasured = outcome.plan.unmeasured
    return {
        "out": str(outcome.out),
        "recipe": outcome.recipe.name,
        "commit": outcome.commit.number,
        "new_commit": outcome.commit.new,
        "sources": len(roots),
        "clips_kept": len(clips),
        "hours_kept": round(float(clips["clip_seconds"].sum()) / 3600, 4) if len(clips) else 0.0,
        "failed": outcome.count("failed"),
        "pending": outcome.count("pending"),
        "stopped": outcome.stopped,
        "notes": outcome.notes,
        "languages": by_language(items, clips),
        "funnel": [dataclasses.asdict(step) for step in funnel(ledger, unmeasured)],
        "reasons": {str(k): int(v) for k, v in lost["verdict_reason"].value_counts().items()},
        "unmeasured": unmeasured,
        "null_columns": stored_null_columns(outcome.commit.folder),
        "dataset": os.path.join(str(outcome.out), "dataset"),
        "media": os.path.join(str(outcome.out), "media"),
    }


def failures(outcome: Outcome) -> str:
    """Why items failed, the commonest first, with what was said of the first."""
    verdicts = outcome.ruling.verdicts
    failed = verdicts[verdicts["state"] == "failed"]
    counts = ", ".join(f"{reason} {n}" for reason, n in failed["reason"].value_counts().items())
    return f"{counts}: {failed['detail'].iloc[0]}"
