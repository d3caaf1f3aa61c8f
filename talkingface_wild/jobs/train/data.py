"""A curated data set as training reads it: clips decoded on demand, face tracks brought to frames.

Shapes: T frames, S samples of a track, H W pixels (uint8 RGB); a box is x0, y0, x1, y1.
"""

from __future__ import annotations

import functools
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np
import numpy.typing as npt
from pyarrow import ArrowException

from talkingface_wild.core.errors import InputUnreadable
from talkingface_wild.dataset.layout import Layout
from talkingface_wild.dataset.load import load
from talkingface_wild.media.decode import frames as decoded
from talkingface_wild.media.sound import read_sound
from talkingface_wild.models.training.training_clip import TrainingClip

if TYPE_CHECKING:
    import pandas as pd

Pictures = npt.NDArray[np.uint8]
Floats = npt.NDArray[np.float32]
CHUNK = 16
SOUND_RATE = 16_000
NEEDED = ("clip_id", "split", "media_path")
PLACE = ("start_seconds", "crop_left", "crop_top", "crop_side", "media_frames")
"""What brings a track from the source's clock and pixels to the finished clip's."""
LEARNED = ("train", "val")


def training_clips(dataset: Path, split: str | None, side: int, fps: int) -> list[TrainingClip]:
    """The finished clips of a curated data set, frames brought to ``side`` and ``fps``, by id.

    ``split`` None is what training may see: train and val, never test. Raises InputUnreadable for
    a folder that is no data set, lacks columns, or whose media are gone; a single file that is gone
    or broken shows when the clip is read.
    """
    table = _table(dataset, "clips")
    lacking = [name for name in NEEDED if name not in table or not table[name].notna().any()]
    if lacking:
        raise InputUnreadable(
            f"Expected the columns {', '.join(NEEDED)} in {dataset}/dataset/clips, found no "
            f"{', '.join(lacking)}; run 'tfw curate --out {dataset}' to its end with a recipe that "
            "has the stages split and encode."
        )
    splits = LEARNED if split is None else (split,)
    table = table[table["media_path"].notna() & table["split"].astype("string").isin(splits)]
    rows = _rows(table.sort_values("clip_id"))
    if not rows:
        raise InputUnreadable(
            f"Expected finished clips of the split {' or '.join(splits)} in {dataset}, found none; "
            "curate more videos."
        )
    if not any((dataset / str(row["media_path"])).is_file() for row in rows):
        raise InputUnreadable(
            f"Expected the finished clips of the data set in {dataset}, found none of {len(rows)} "
            f"(the first: {rows[0]['media_path']}); run 'tfw curate --out {dataset}' again."
        )
    tracks, felt = _tracks(dataset), _emotions(dataset)
    return [
        _clip(
            dataset,
            row,
            tracks.get(str(row["clip_id"]), {}),
            felt.get(str(row.get("source_id")), {}),
            side,
            fps,
        )
        for row in rows
    ]


def sound_files(dataset: Path) -> dict[str, Path]:
    """The file that holds each clip's sound, by its id."""
    return {
        str(row["clip_id"]): _sound_file(dataset, row) for row in _rows(_table(dataset, "clips"))
    }


def _sound_file(dataset: Path, row: Mapping[str, Any]) -> Path:
    return dataset / str(row.get("audio_path") or row.get("media_path"))


def _table(dataset: Path, name: str) -> pd.DataFrame:
    """One table of the data set. Raises InputUnreadable when it cannot be read."""
    try:
        return load(dataset, name)
    except (OSError, ValueError, ArrowException) as error:
        reason = " ".join(str(error).split())[:200]
        raise InputUnreadable(
            f"Expected the table {name!r} of a data set in {dataset}, found none that can be read "
            f"({reason}); run 'tfw curate --out {dataset}' again."
        ) from error


def _rows(table: pd.DataFrame) -> list[dict[str, Any]]:
    plain = table.astype(object).where(table.notna(), None)
    return [{str(name): value for name, value in row.items()} for row in plain.to_dict("records")]


def _tracks(dataset: Path) -> dict[str, dict[str, Any]]:
    """Times, boxes and points of each clip's face, where the data set has them."""
    if not (Layout(dataset).latest() / "tracks").is_dir():
        return {}
    table = _table(dataset, "tracks")
    names = [name for name in ("face_times", "face_boxes", "face_points") if name in table]
    return {str(row["clip_id"]): {name: row[name] for name in names} for row in _rows(table)}


def _emotions(dataset: Path) -> dict[str, dict[str, str]]:
    """The emotion that a list gave each source, in its column ``emotion``."""
    if not (Layout(dataset).latest() / "sources").is_dir():
        return {}
    table = _table(dataset, "sources")
    if "given_emotion" not in table or "source_id" not in table:
        return {}
    named = table.dropna(subset=["given_emotion"])
    return {
        str(source): {"emotion": str(emotion)}
        for source, emotion in zip(named["source_id"], named["given_emotion"], strict=True)
    }


def _clip(
    dataset: Path,
    row: Mapping[str, Any],
    track: Mapping[str, Any],
    labels: Mapping[str, str],
    side: int,
    fps: int,
) -> TrainingClip:
    media, sound = dataset / str(row["media_path"]), _sound_file(dataset, row)
    person = row.get("identity") or row.get("identity_group") or row.get("source_id")
    names = ("media_sha256", "audio_sha256", "source_id")
    boxes, points = _track(row, track, fps)
    return TrainingClip(
        clip_id=str(row["clip_id"]),
        frames=functools.partial(_frames, media, side, fps),
        sound=functools.partial(read_sound, sound, 0.0, None, SOUND_RATE),
        identity=str(person or ""),
        language=str(row.get("language") or ""),
        split=str(row["split"]),
        facts={name: str(row[name]) for name in names if row.get(name)} | dict(labels),
        face_boxes_T4=boxes,
        points_TP2=None if points is None else points.reshape(-1, 5, 2),
    )


def _track(
    row: Mapping[str, Any], track: Mapping[str, Any], fps: int
) -> tuple[Floats | None, Floats | None]:
    """Boxes (T, 4) and points (T, 10) at the clip's frames, in [0, 1] of its crop window."""
    times = track.get("face_times")
    if times is None or not len(times) or any(row.get(name) is None for name in PLACE):
        return None, None
    count = max(1, round(float(row["media_frames"]) * fps / float(row.get("fps") or fps)))
    seconds = float(row["start_seconds"]) + np.arange(count) / fps
    corner = np.array([row["crop_left"], row["crop_top"]], dtype=np.float64)

    def brought(name: str, width: int) -> Floats | None:
        flat = track.get(name)
        if flat is None or len(flat) != len(times) * width:
            return None
        sampled = np.asarray(flat, dtype=np.float64).reshape(len(times), width)
        inside = (sampled - np.tile(corner, width // 2)) / float(row["crop_side"])
        rows = [np.interp(seconds, np.asarray(times, dtype=np.float64), c) for c in inside.T]
        return np.stack(rows, axis=1).astype(np.float32)

    return brought("face_boxes", 4), brought("face_points", 10)


def _frames(media: Path, side: int, fps: int) -> Iterator[Pictures]:
    """Chunks (n, side, side, 3) of a square video. Raises what the decoder does."""
    chunk: list[Pictures] = []
    for frame in decoded(media, start=0.0, fps=fps, max_side=side):
        chunk.append(_square(frame.rgb, side))
        if len(chunk) == CHUNK:
            yield np.stack(chunk)
            chunk = []
    if chunk:
        yield np.stack(chunk)


def _square(rgb: Pictures, side: int) -> Pictures:
    """A picture at ``side``; one that is not square is a clip's that was not cropped."""
    height, width = rgb.shape[:2]
    if height != width:
        raise InputUnreadable(f"expected square pictures, found {width} x {height}")
    if height == side:
        return rgb
    how = cv2.INTER_AREA if height > side else cv2.INTER_CUBIC
    return np.asarray(cv2.resize(rgb, (side, side), interpolation=how), dtype=np.uint8)
