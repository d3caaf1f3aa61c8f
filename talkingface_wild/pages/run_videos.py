"""What runs show of one clip: each method's frames on one canvas, and the sound they share.

For grids and studies; scores nothing.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import islice, repeat
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from talkingface_wild.benchmark.decoded_video import Crop, DecodeSettings, on_canvas
from talkingface_wild.benchmark.runs import BenchRun
from talkingface_wild.core.arrays import Pictures
from talkingface_wild.core.errors import InputUnreadable, UsageError, nearest
from talkingface_wild.core.outcome import ItemFailed, ItemRejected
from talkingface_wild.media.decode import frames as decode
from talkingface_wild.media.sound import read_sound, read_wav

FPS = 25
GROUND_TRUTH = "ground truth"
SOUND_RATE = 16_000
Row = Mapping[Any, Any]


@dataclass(frozen=True)
class MethodVideo:
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
class ShownClip:
    """One clip: the real video where there is one, then each run's, in the order given."""

    clip: str
    group: str
    truth: MethodVideo | None
    methods: tuple[MethodVideo, ...]
    sound: Path | None
    sound_from: float | None
    """Seconds on the clock of ``sound`` at which frame 0 is shown; None: its beginning."""

    @property
    def frames(self) -> int:
        """So many frames all of them have."""
        every = (self.truth, *self.methods)
        return min(video.frames for video in every if video is not None)


class Runs:
    """Some runs and their rows, one a clip: of several seeds the smallest."""

    def __init__(self, runs: Sequence[BenchRun]) -> None:
        if not runs:
            raise UsageError("Expected at least one run, found none; give folders of `tfw bench`.")
        self.runs = tuple(runs)
        self._rows = [_rows(run) for run in runs]
        self.clips = tuple(
            clip
            for clip in self._rows[0]
            if all(_has_pictures(rows.get(clip)) for rows in self._rows)
        )
        """The clips that every run has scored, in the order of the first run."""

    def show(self, clip: str | None = None) -> ShownClip:
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
            what = "a clip that all runs have scored" if clip is None else f"{clip!r} in all runs"
            hint = "" if clip is None else nearest(clip, shared)
            raise UsageError(
                f"Expected {what}, found {len(shared)} shared clips without it{hint}; give runs "
                "of one list, or another --clip."
            )
        name = shared[0] if clip is None else clip
        rows = [run_rows[name] for run_rows in self._rows]
        truth = _truth(rows[0], self.runs[0])
        sound, start = _sound(rows[0], self.runs[0])
        methods = tuple(_method(run, row) for run, row in zip(self.runs, rows, strict=True))
        return ShownClip(name, str(rows[0].get("group") or name), truth, methods, sound, start)


def _rows(run: BenchRun) -> dict[str, Row]:
    table = run.clips()
    clips = dict.fromkeys(table["clip"].astype(str))
    if "seed" in table:
        table = table.sort_values("seed", kind="stable")
    rows: dict[str, Row] = {}
    for row in table.astype(object).where(table.notna(), None).to_dict("records"):
        rows.setdefault(str(row["clip"]), {str(name): value for name, value in row.items()})
    return {clip: rows[clip] for clip in clips}


def _has_pictures(row: Row | None) -> bool:
    return row is not None and row["state"] == "scored" and int(row.get("frames") or 0) > 0


def clip_request(row: Row) -> Mapping[str, Any]:
    """The clip as the run asked for it: its portrait, where it starts, its crop; may be empty."""
    try:
        clip = json.loads(row.get("asked") or "{}").get("clip")
    except (TypeError, ValueError, AttributeError):
        return {}
    return clip if isinstance(clip, dict) else {}


def _file(text: Any, run: BenchRun) -> Path | None:
    return run.folder / str(text) if text else None


def _truth(row: Row, run: BenchRun) -> MethodVideo | None:
    path = _file(row.get("reference"), run)
    if path is None:
        return None
    clip = clip_request(row)
    start, crop = clip.get("start_seconds"), clip.get("crop")
    frames = min(int(clip.get("frames") or row["frames"]), int(row["frames"]))
    return MethodVideo(GROUND_TRUTH, path, frames, start, tuple(crop) if crop else None)


def _method(run: BenchRun, row: Row) -> MethodVideo:
    kind = str(row.get("candidate") or ("file" if row.get("generated") else run.model))
    frames = int(row["frames"])
    path, truth = _file(row.get("generated"), run), _truth(row, run)
    if kind == "file" and path is not None:
        return MethodVideo(run.name, path, frames)
    if kind == "static" and truth is None:
        portrait = _file(clip_request(row).get("portrait"), run)
        if portrait is not None:
            return MethodVideo(run.name, portrait, frames, still=True)
    if kind not in ("groundtruth", "static", "file") or truth is None:
        raise InputUnreadable(
            f"Expected a video of {row['clip']!r} in the run {run.folder}, found neither a "
            "generated nor a reference one in its clips.parquet; score it again."
        )
    name = GROUND_TRUTH if kind == "groundtruth" else run.name
    return replace(truth, name=name, frames=frames, still=kind == "static")


def _sound(row: Row, run: BenchRun) -> tuple[Path | None, float | None]:
    sound = _file(row.get("sound"), run)
    if sound is not None:
        return sound, None
    return _file(row.get("reference"), run), clip_request(row).get("start_seconds")


def pictures(video: MethodVideo, indices: Sequence[int], side: int) -> list[Pictures]:
    """The frames of ``indices`` (ascending, at 25 a second) as (side, side, 3) RGB.

    A still repeats its frame, a video that ends early its last one. Raises InputUnreadable for a
    file that cannot be decoded.
    """
    frames = enumerate(_frames(video, indices[-1] + 1))
    settings = DecodeSettings(canvas=side, crop=video.crop)
    return [on_canvas(rgb, settings)[0] for index, rgb in frames if index in indices]


def canvas_frames(video: MethodVideo, count: int, side: int) -> Iterator[Pictures]:
    """The first ``count`` frames, one after the other, as ``pictures`` gives them."""
    settings = DecodeSettings(canvas=side, crop=video.crop)
    return (on_canvas(rgb, settings)[0] for rgb in _frames(video, count))


def _frames(video: MethodVideo, count: int) -> Iterator[Pictures]:
    last: Pictures | None = None
    left = count
    for rgb in _stream(video, 1 if video.still else count):
        last, left = rgb, left - 1
        yield rgb
    if last is None:
        raise InputUnreadable(f"Expected a video in {video.path}, found no frame; make it again.")
    yield from repeat(last, left)


def _stream(video: MethodVideo, count: int) -> Iterator[Pictures]:
    """At most ``count`` pictures, as they come; a portrait's file holds one."""
    if video.path.suffix.lower() in (".png", ".jpg", ".jpeg", ".webp", ".bmp"):
        bgr = cv2.imread(str(video.path))
        if bgr is not None:
            yield np.ascontiguousarray(bgr[:, :, ::-1])
        return
    start = video.start_seconds
    end = None if start is None else start + count / FPS
    try:
        for frame in islice(decode(video.path, start=start, end=end, fps=FPS), count):
            yield frame.rgb
    except (ItemRejected, ItemFailed) as error:
        raise InputUnreadable(
            f"Expected a video in {video.path}, found none that can be decoded "
            f"({error.outcome.detail}); put it back where the run found it."
        ) from error


def driving_sound(clip: ShownClip, seconds: float) -> npt.NDArray[np.int16] | None:
    """The clip's sound, mono at 16 kHz, ``seconds`` of it; None where there is none."""
    if clip.sound is None:
        return None
    start = clip.sound_from or 0.0
    try:
        if clip.sound.suffix.lower() == ".wav":
            return read_wav(clip.sound, start, start + seconds)
        return read_sound(clip.sound, start, start + seconds, SOUND_RATE)
    except (ItemRejected, ItemFailed):
        return None
