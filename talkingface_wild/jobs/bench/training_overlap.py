"""What a run says of the checkpoint that it scores: what it learned from, and from these clips."""

from collections.abc import Mapping
from typing import Any

from talkingface_wild.benchmark.clips import ClipSet
from talkingface_wild.core.generator import Facts

LEARNED = ("train", "val")
"""Splits that training sees."""


def facts_of_run(facts: Facts, clips: ClipSet) -> tuple[dict[str, Any], list[str]]:
    """What a run on these clips keeps of a checkpoint, and what is to be noted."""
    seen, trained_on, notes = _seen(facts, clips), trained_on_line(facts), list(facts.cautions)
    if seen:
        of = f"{seen} of {len(clips.clips)} scored clips"
        trained_on += f"; {of} are among it"
        notes.append(f"The model learned from {of}: these figures are not held out.")
    folder = "" if facts.folder is None else str(facts.folder)
    checkpoint = {"folder": folder, "preset": facts.preset, "side": facts.side}
    return {"trained_on": trained_on, "checkpoint": checkpoint}, notes


def trained_on_line(facts: Facts) -> str:
    """One line: the data (R33), and how far each stage went."""
    data, stages = data_line(facts), _stages(facts.trained.get("stages"))
    return f"{data}; stages {stages}" if stages else data


def data_line(facts: Facts) -> str:
    """What it was trained on."""
    data = facts.trained.get("trained_on")
    if not isinstance(data, Mapping):
        return str(data or "data that the checkpoint does not name")
    languages = data.get("languages")
    counts = {key: data.get(key) for key in ("clips", "seconds", "identities")}
    counts["languages"] = len(languages) if isinstance(languages, Mapping) else None
    parts = [f"{key} {count}" for key, count in counts.items() if count]
    parts.append(f"sha256 {str(data.get('sha256', ''))[:8] or 'unknown'}")
    return f"{data.get('dataset') or 'a data set'} ({', '.join(parts)})"


def _seen(facts: Facts, clips: ClipSet) -> int:
    """How many of the clips are of the part of a data set that it learned from."""
    data = facts.trained.get("trained_on")
    if not isinstance(data, Mapping) or str(data.get("dataset", "")) != clips.name:
        return 0
    return sum(clip.split in LEARNED for clip in clips.clips)


def _stages(stages: Any) -> str:
    lines = [
        f"{name} ({result['iterations']} iterations)"
        if isinstance(result, Mapping) and "iterations" in result
        else str(name)
        for name, result in (stages.items() if isinstance(stages, Mapping) else ())
    ]
    return ", ".join(lines)
