"""The worst clips of a run: which they are, and strips of their frames. Decodes few pictures."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from talkingface_wild.benchmark.decoded_video import Crop, DecodeSettings, on_canvas
from talkingface_wild.benchmark.runs import BenchRun
from talkingface_wild.benchmark.tables.common_clips import scored_clips
from talkingface_wild.benchmark.tables.ranking import badness
from talkingface_wild.benchmark.tables.score_columns import in_order, title_of, written
from talkingface_wild.core.arrays import Pictures
from talkingface_wild.core.outcome import ItemFailed, ItemRejected
from talkingface_wild.pages.run_videos import clip_request
from talkingface_wild.pages.stills import FileSpan, jpeg, stills
from talkingface_wild.pages.templating import jpeg_address

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

    @property
    def scores(self) -> str:
        """Its values in words."""
        return ", ".join(f"{title_of(name)} {value}" for name, value in self.values.items())

    @property
    def about(self) -> str:
        """Clip, identity and language; the identity of a clip that nobody named is the clip."""
        parts = (self.clip, self.group, self.language)
        return " · ".join(dict.fromkeys(part for part in parts if part))


def worst_clips(run: BenchRun) -> list[WorstClip]:
    """At most ``MOST_STRIPS`` clips: the worst of each ranked metric, in the order of columns."""
    frame = scored_clips(run)
    rows = {str(row["clip"]): row for row in reversed(run.clips().to_dict("records"))}
    values: dict[str, dict[str, str]] = {}
    for metric in in_order(run.scores, []):
        better = run.scores[metric].better
        if better == "none" or metric not in frame.columns:
            continue
        ranks = frame[metric].dropna().map(lambda value, way=better: badness(value, way))
        for clip in ranks.sort_values(ascending=False, kind="stable").index[:WORST_OF_EACH]:
            if clip in values or len(values) < MOST_STRIPS:
                value = written(float(frame.loc[clip, metric]), metric)
                values.setdefault(str(clip), {})[metric] = value
    return [_with_strips(run, clip, scores, rows[clip]) for clip, scores in values.items()]


def _with_strips(
    run: BenchRun, clip: str, values: Mapping[str, str], row: Mapping[Any, Any]
) -> WorstClip:
    request = clip_request(row)
    seconds = max(_number(row.get("frames"), 25.0), 2.0) / 25
    crop = request.get("crop")
    window = (float(crop[0]), float(crop[1]), float(crop[2])) if crop else None
    start = _number(request.get("start_seconds"), 0.0)
    strips, missing = [], []
    for side, begin, cut in (("generated", 0.0, None), ("reference", start, window)):
        strip = _strip(run.folder, row.get(side), begin, seconds, cut)
        if isinstance(strip, str):
            missing.append(f"{side}: {strip}")
        else:
            strips.append(strip)
    picture = jpeg_address(jpeg(np.vstack(strips), 75)) if strips else ""
    group, language = str(row["group"]), str(row["language"])
    return WorstClip(clip, group, language, values, picture, "; ".join(missing))


def _number(value: Any, default: float) -> float:
    is_number = isinstance(value, int | float | np.number) and value == value
    return float(value) if is_number else default


def _strip(
    folder: Path, text: Any, start: float, seconds: float, crop: Crop | None
) -> Pictures | str:
    """Frames side by side, (CELL_PX, 6 × CELL_PX, 3), or why there are none."""
    if not isinstance(text, str) or not text:
        return "no video of its own"
    path = folder / text
    if not path.is_file():
        return f"{path.name} is not there any more"
    span = FileSpan(path, start, start + seconds)
    try:
        pictures = stills(span, SHOWN_FRAMES, 480 if crop else CELL_PX)
    except (ItemRejected, ItemFailed) as error:
        return f"{path.name}: {error.outcome.reason}"
    except OSError:
        return f"{path.name} cannot be read"
    strip = np.full((CELL_PX, SHOWN_FRAMES * CELL_PX, 3), 128, np.uint8)
    for place, picture in enumerate(pictures):
        cell = on_canvas(picture, DecodeSettings(canvas=CELL_PX, crop=crop))[0]
        strip[:, place * CELL_PX : (place + 1) * CELL_PX] = cell
    return strip
