"""Kept clips in which nobody speaks: no verdict, but said wherever a run or a report ends."""

from pathlib import Path

import pandas as pd

_MOST_NAMED = 5


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
