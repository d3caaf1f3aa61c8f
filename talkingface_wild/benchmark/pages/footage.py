"""What runs show of one clip: each method's frames on one canvas, and the sound they share.

For grids and studies; scores nothing.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np
import numpy.typing as npt

from talkingface_wild.benchmark.runs import BenchRun
from talkingface_wild.benchmark.view import Crop, Wanted, on_canvas
from talkingface_wild.core.arrays import Pictures
from talkingface_wild.core.errors import InputUnreadable, UsageError, nearest
from talkingface_wild.core.outcome import ItemFailed, ItemRejected
from talkingface_wild.media.decode import frames as decode
from talkingface_wild.media.sound import read_sound, read_wav

if TYPE_CHECKING:
    import pandas as pd

FPS = 25
GROUND_TRUTH = "ground truth"
_SHOWN = ("groundtruth", "static", "file")
SOUND_RATE = 16_000


@dataclass(frozen=True)
class Footage:
    """One method's picture of one clip. ``start_seconds`` None: from the file's first frame.

    ``still``: frame 0 alone is shown, all the time.
    """

    name: str
    path: Path
    frames: int
    start_seconds: float | None = None
    crop: Crop | None = None
    still: bool = False


@dataclass(frozen=True)
class Shown:
    """One clip: the real video where there is one, then each run's, in the order given."""

    clip: str
    group: str
    truth: Footage | None
    methods: tuple[Footage, ...]
    sound: Path | None
    sound_from: float | None
    """Seconds on the clock of ``sound`` at which frame 0 is shown; None: its beginning."""

    @property
    def frames(self) -> int:
        """So many frames all of them have."""
        every = (self.truth, *self.methods)
        return min(footage.frames for footage in every if footage is not None)


class Runs:
    """Some runs and their rows, one a clip: of several seeds the smallest."""

    def __init__(self, runs: Sequence[BenchRun]) -> None:
        if not runs:
            raise UsageError("Expected at least one run, found none; give folders of `tfw bench`.")
        self.runs = tuple(runs)
        self._rows = [_rows(run) for run in runs]
        self.clips = tuple(
            clip for clip in self._rows[0] if all(_is_shown(rows.get(clip)) for rows in self._rows)
        )
        """The clips that every run has scored, in the order of the first run."""

    def show(self, clip: str | None = None) -> Shown:
        """What there is of a clip (the first shared one without a name).

        Raises UsageError when the runs share no clip, or not this one, and for runs of floors that
        have no pictures of their own.
        """
        for run in self.runs:
            if run.model in ("halves", "shifted", "crf28"):
                raise UsageError(
                    f"Expected runs with videos of their own, found the floor {run.model!r} in "
                    f"{run.folder}; leave it out."
                )
        shared = self.clips
        if not shared or (clip is not None and clip not in shared):
            wanted = "a clip that all runs have scored" if clip is None else f"{clip!r} in all runs"
            hint = "" if clip is None else nearest(clip, shared)
            raise UsageError(
                f"Expected {wanted}, found {len(shared)} shared clips without it{hint}; give runs "
                "of one list, or another --clip."
            )
        name = shared[0] if clip is None else clip
        rows = [found[name] for found in self._rows]
        truth = _truth(rows[0], self.runs[0])
        sound, start = _sound(rows[0], self.runs[0])
        methods = tuple(_method(run, row) for run, row in zip(self.runs, rows, strict=True))
        return Shown(name, str(rows[0].get("group") or name), truth, methods, sound, start)


def _rows(run: BenchRun) -> dict[str, dict[str, Any]]:
    table: pd.DataFrame = run.clips()
    if "seed" in table:
        table = table.sort_values("seed", kind="stable")
    plain = table.astype(object).where(table.notna(), None)
    found: dict[str, dict[str, Any]] = {}
    for row in plain.to_dict("records"):
        found.setdefault(str(row["clip"]), {str(key): value for key, value in row.items()})
    order = {clip: place for place, clip in enumerate(dict.fromkeys(run.clips()["clip"]))}
    return dict(sorted(found.items(), key=lambda item: order[item[0]]))


def _is_shown(row: Mapping[str, Any] | None) -> bool:
    return row is not None and row["state"] == "scored" and int(row.get("frames") or 0) > 0


def _asked(row: Mapping[str, Any]) -> Mapping[str, Any]:
    """The clip as it was asked for: its portrait, where it starts, its crop."""
    try:
        clip = json.loads(row.get("asked") or "{}").get("clip") or {}
    except (ValueError, AttributeError):
        return {}
    return clip if isinstance(clip, Mapping) else {}


def _file(text: Any, run: BenchRun) -> Path | None:
    return run.folder / str(text) if text else None


def _truth(row: Mapping[str, Any], run: BenchRun) -> Footage | None:
    path = _file(row.get("reference"), run)
    if path is None:
        return None
    asked = _asked(row)
    start, crop = asked.get("start_seconds"), asked.get("crop")
    frames = int(asked.get("frames") or row["frames"])
    frames = min(frames, int(row["frames"]))
    return Footage(GROUND_TRUTH, path, frames, start, tuple(crop) if crop else None)


def _method(run: BenchRun, row: Mapping[str, Any]) -> Footage:
    kind = str(row.get("candidate") or ("file" if row.get("generated") else run.model))
    frames = int(row["frames"])
    path = _file(row.get("generated"), run)
    if kind == "file" and path is not None:
        return Footage(run.name, path, frames)
    truth = _truth(row, run)
    if kind == "static" and truth is None:
        portrait = _file(_asked(row).get("portrait"), run)
        if portrait is not None:
            return Footage(run.name, portrait, frames, still=True)
    if kind not in _SHOWN or truth is None:
        raise InputUnreadable(
            f"Expected a video of {row['clip']!r} in the run {run.folder}, found neither a "
            "generated nor a reference one in its clips.parquet; score it again."
        )
    name = GROUND_TRUTH if kind == "groundtruth" else run.name
    return Footage(
        name, truth.path, frames, truth.start_seconds, truth.crop, still=kind == "static"
    )


def _sound(row: Mapping[str, Any], run: BenchRun) -> tuple[Path | None, float | None]:
    given = _file(row.get("sound"), run)
    if given is not None:
        return given, None
    return _file(row.get("reference"), run), _asked(row).get("start_seconds")


def pictures(footage: Footage, indices: Sequence[int], side: int) -> list[Pictures]:
    """The frames of ``indices`` (ascending, at 25 a second) as (side, side, 3) RGB.

    Where the video ends early its last frame stands in. Raises InputUnreadable for a file that
    cannot be decoded.
    """
    wanted = [0] if footage.still else list(indices)
    found: dict[int, Pictures] = {}
    last: Pictures | None = None
    for index, rgb in enumerate(_stream(footage, wanted[-1] + 1)):
        last = rgb
        if index in wanted:
            found[index] = on_canvas(rgb, Wanted(canvas=side, crop=footage.crop))[0]
    if last is None:
        raise InputUnreadable(f"Expected a video in {footage.path}, found no frame; make it again.")
    end = on_canvas(last, Wanted(canvas=side, crop=footage.crop))[0]
    return [found.get(0 if footage.still else index, end) for index in indices]


def canvas_frames(footage: Footage, count: int, side: int) -> Iterator[Pictures]:
    """The first ``count`` frames as (side, side, 3) RGB, one after the other.

    A still repeats its frame, a video that ends early its last one. Raises as ``pictures`` does.
    """
    last: Pictures | None = None
    given = 0
    for rgb in _stream(footage, 1 if footage.still else count):
        last = on_canvas(rgb, Wanted(canvas=side, crop=footage.crop))[0]
        given += 1
        yield last
    if last is None:
        raise InputUnreadable(f"Expected a video in {footage.path}, found no frame; make it again.")
    for _ in range(given, count):
        yield last


def _stream(footage: Footage, count: int) -> Iterable[Pictures]:
    """At most ``count`` pictures, as they come; a portrait's file holds one."""
    if footage.path.suffix.lower() in (".png", ".jpg", ".jpeg", ".webp", ".bmp"):
        bgr = cv2.imread(str(footage.path))
        return [] if bgr is None else [np.ascontiguousarray(bgr[:, :, ::-1])]
    return _decoded(footage, count)


def _decoded(footage: Footage, count: int) -> Iterator[Pictures]:
    start = footage.start_seconds
    end = None if start is None else start + count / FPS
    try:
        for index, frame in enumerate(decode(footage.path, start=start, end=end, fps=FPS)):
            if index == count:
                return
            yield frame.rgb
    except (ItemRejected, ItemFailed) as error:
        raise InputUnreadable(
            f"Expected a video in {footage.path}, found none that can be decoded "
            f"({error.outcome.detail}); put it back where the run found it."
        ) from error


def driving_sound(shown: Shown, seconds: float) -> npt.NDArray[np.int16] | None:
    """The clip's sound, mono at 16 kHz, ``seconds`` of it; None where there is none."""
    if shown.sound is None:
        return None
    start = shown.sound_from or 0.0
    try:
        if shown.sound.suffix.lower() == ".wav":
            return read_wav(shown.sound, start, start + seconds)
        return read_sound(shown.sound, start, start + seconds, SOUND_RATE)
    except (ItemRejected, ItemFailed):
        return None
