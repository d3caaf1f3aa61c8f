"""The worst clips of a run: which they are, and strips of their frames. Decodes few pictures."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from talkingface_wild.benchmark.runs import BenchRun
from talkingface_wild.benchmark.tables.columns import in_order, written
from talkingface_wild.benchmark.tables.pairing import badness
from talkingface_wild.benchmark.tables.survivors import scored_clips
from talkingface_wild.benchmark.view import Crop, Wanted, on_canvas
from talkingface_wild.core.arrays import Pictures
from talkingface_wild.core.outcome import ItemFailed, ItemRejected
from talkingface_wild.dataset.footage import Footage, jpeg, stills

MOST_STRIPS = 12
WORST_OF_EACH = 2
SHOWN_FRAMES = 6
CELL_PX = 96


@dataclass(frozen=True)
class WorstClip:
    """A clip that is among the worst of some metrics, with its strip where there are pictures."""

    clip: str
    group: str
    language: str
    values: Mapping[str, str]
    """By metric, as its column shows it."""
    picture: str
    """A data URL, or empty."""
    missing: str
    """What could not be shown, and why; may be empty."""


def worst_clips(run: BenchRun) -> list[WorstClip]:
    """At most ``MOST_STRIPS`` clips: the worst of each ranked metric, in the order of columns."""
    frame = scored_clips(run)
    rows = {str(row["clip"]): row for row in reversed(run.clips().to_dict("records"))}
    chosen: dict[str, dict[str, str]] = {}
    for metric in in_order(run.scores, []):
        better = run.scores[metric].better
        if better == "none" or metric not in frame.columns:
            continue
        ranks = frame[metric].dropna().map(lambda value, way=better: badness(value, way))
        for clip in ranks.sort_values(ascending=False, kind="stable").index[:WORST_OF_EACH]:
            if clip in chosen or len(chosen) < MOST_STRIPS:
                value = written(float(frame.loc[clip, metric]), metric)
                chosen.setdefault(str(clip), {})[metric] = value
    return [_shown(run, clip, values, rows[clip]) for clip, values in chosen.items()]


def _shown(
    run: BenchRun, clip: str, values: Mapping[str, str], row: Mapping[Any, Any]
) -> WorstClip:
    asked = _clip_of(row)
    seconds = max(_number(row.get("frames"), 25.0), 2.0) / 25
    crop = asked.get("crop")
    window = (float(crop[0]), float(crop[1]), float(crop[2])) if crop else None
    start = _number(asked.get("start_seconds"), 0.0)
    strips, missing = [], []
    for side, begin, cut in (("generated", 0.0, None), ("reference", start, window)):
        found = _strip(run.folder, row.get(side), begin, seconds, cut)
        if isinstance(found, str):
            missing.append(f"{side}: {found}")
        else:
            strips.append(found)
    picture = ""
    if strips:
        data = base64.b64encode(jpeg(np.ascontiguousarray(np.vstack(strips)), 75)).decode("ascii")
        picture = f"data:image/jpeg;base64,{data}"
    return WorstClip(
        clip, str(row["group"]), str(row["language"]), values, picture, "; ".join(missing)
    )


def _clip_of(row: Mapping[Any, Any]) -> Mapping[str, Any]:
    """What was asked of the clip (start, crop), where the run wrote it down."""
    try:
        found = json.loads(row.get("asked") or "{}").get("clip", {})
    except (TypeError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def _number(value: Any, without: float) -> float:
    return (
        float(value) if isinstance(value, int | float | np.number) and value == value else without
    )


def _strip(
    folder: Path, text: Any, start: float, seconds: float, crop: Crop | None
) -> Pictures | str:
    """Frames side by side, (CELL_PX, 6 × CELL_PX, 3), or why there are none."""
    if not isinstance(text, str) or not text:
        return "no video of its own"
    path = Path(text) if Path(text).is_absolute() else folder / text
    if not path.is_file():
        return f"{path.name} is not there any more"
    try:
        shown = stills(
            Footage(path, start, start + seconds), SHOWN_FRAMES, 480 if crop else CELL_PX
        )
    except (ItemRejected, ItemFailed) as error:
        return f"{path.name}: {error.outcome.reason}"
    except OSError:
        return f"{path.name} cannot be read"
    strip = np.full((CELL_PX, SHOWN_FRAMES * CELL_PX, 3), 128, np.uint8)
    for place, picture in enumerate(shown):
        strip[:, place * CELL_PX : (place + 1) * CELL_PX] = on_canvas(
            picture, Wanted(canvas=CELL_PX, crop=crop)
        )[0]
    return strip
