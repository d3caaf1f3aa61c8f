"""What a list takes from the videos themselves: where they lie, fingerprints, the crop of the face.

Decodes each clip once; chooses no clips.
"""

import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt

from talkingface_wild import weights
from talkingface_wild.benchmark.lists.clip_list import FPS, BenchList, Crop, ListRow, relative_crop
from talkingface_wild.core.errors import InputUnreadable
from talkingface_wild.core.outcome import ItemFailed, ItemRejected
from talkingface_wild.functional.face_samples import observe
from talkingface_wild.functional.fingerprints import picture_fingerprint, sound_fingerprint
from talkingface_wild.media.decode import frames
from talkingface_wild.media.geometry import union_window
from talkingface_wild.media.sound import read_sound
from talkingface_wild.perception.face_detector import WEIGHTS, Detection, Detector, make_detector

SUFFIXES = (".mp4", ".mkv", ".mov", ".webm", ".avi", ".m4v")
HASHED_PICTURES = 5
HEARD_SECONDS = 15.0
"""So much of the sound is fingerprinted: enough to tell clips apart, whatever their length."""
DETECTIONS = 75
"""Most pictures of a clip in which the face is looked for."""
LEAST_SEEN = 0.9
"""Share of those in which it must be found for the crop to be taken from it."""
_LONGEST_SIDE = 1280


@dataclass(frozen=True)
class Looked:
    """A row with what its video adds, and what could not be taken from it, or ''."""

    row: ListRow
    note: str = ""


def find_videos(folder: Path) -> dict[str, Path]:
    """Every video below ``folder`` by its name without suffix; of two, the first path in order.

    Raises InputUnreadable when ``folder`` is none.
    """
    paths: dict[str, Path] = {}
    for path in find_files(folder, SUFFIXES):
        paths.setdefault(path.stem, path)
    return paths


def find_files(folder: Path, suffixes: Sequence[str]) -> list[Path]:
    """Files below ``folder`` with one of the suffixes, in order; links to folders are not followed.

    Raises InputUnreadable when ``folder`` is none.
    """
    if not folder.is_dir():
        raise InputUnreadable(f"Expected a folder at {folder}, found none; check the path.")
    paths: list[Path] = []
    for parent, folders, names in os.walk(folder):
        folders.sort()
        fitting = (name for name in sorted(names) if not name.startswith("."))
        paths += [Path(parent, name) for name in fitting if Path(name).suffix.lower() in suffixes]
    return paths


def locate(clip_list: BenchList, videos: Path) -> BenchList:
    """The list with its empty paths filled from ``videos``, by clip, then by source name.

    A source such as ``WDA/Name`` is looked for as ``Name`` and ``WDA_Name``. Rows that stay without
    a file keep an empty path; paths become relative to ``videos``. Raises InputUnreadable when
    ``videos`` is no folder.
    """
    paths = find_videos(videos)
    rows = []
    for row in clip_list.rows:
        names = (row.clip, row.source.rpartition("/")[2], row.source.replace("/", "_"))
        path = clip_list.file(row) or next((paths[name] for name in names if name in paths), None)
        rows.append(replace(row, path="" if path is None else os.path.relpath(path, videos)))
    return replace(clip_list, rows=tuple(rows), folder=videos)


def scrfd() -> tuple[str, Detector] | None:
    """The largest SCRFD whose weight is on this machine, opened, with its name; None without."""
    for name, weight in WEIGHTS.items():
        path = weights.find(weight) if weight and name.startswith("scrfd") else None
        if path is not None:
            return name, make_detector(name, path).open()
    return None


def look(row: ListRow, video: Path, detector: Detector | None) -> Looked:
    """The row with fingerprints of its span and, with a detector, the crop around its face.

    The crop is the union of the face's boxes x 1.6 (``union_window``). What cannot be had (a
    missing file, an early end, no sound, no face) is said in the note; those columns stay as they
    were.
    """
    end = row.start_seconds + row.seconds
    hashed = {round(k * (row.frames - 1) / (HASHED_PICTURES - 1)) for k in range(HASHED_PICTURES)}
    step = max(1, -(-row.frames // DETECTIONS))
    greys: list[npt.NDArray[np.uint8]] = []
    samples: list[Detection] = []
    size, count = (0, 0), 0
    try:
        span = {"start": row.start_seconds, "end": end, "fps": float(FPS)}
        for frame in frames(video, max_side=_LONGEST_SIDE, **span):
            size = (frame.rgb.shape[1], frame.rgb.shape[0])
            if count in hashed:
                greys.append(cv2.cvtColor(frame.rgb, cv2.COLOR_RGB2GRAY))
            if detector is not None and count % step == 0:
                samples.append(detector.detect(frame.rgb))
            count += 1
    except (ItemRejected, ItemFailed) as error:
        return Looked(row, f"{row.clip}: {error.outcome.detail}")
    if count < row.frames:
        return Looked(row, f"{row.clip}: {video.name} ends after {count} of {row.frames} frames")
    heard = _sound_print(video, row)
    row = replace(row, phash=picture_fingerprint(greys), sound_print=heard)
    notes = [] if heard else [f"{row.clip}: no sound that could be fingerprinted"]
    if detector is not None:
        crop = _crop(samples, FPS / step, *size)
        if crop is None:
            notes.append(f"{row.clip}: no steady face; the crop is the published one")
        else:
            row = row.cropped(crop)
    return Looked(row, "; ".join(notes))


def _sound_print(video: Path, row: ListRow) -> str:
    end = row.start_seconds + min(row.seconds, HEARD_SECONDS)
    try:
        return sound_fingerprint(read_sound(video, row.start_seconds, end))
    except (ItemRejected, ItemFailed):
        return ""


def _crop(samples: Sequence[Detection], rate: float, width: int, height: int) -> Crop | None:
    track = observe(samples, rate).track
    if not len(samples) or track.present_T.mean() < LEAST_SEEN:
        return None
    boxes: Iterable[tuple[float, float, float, float]] = [
        (float(box[0]), float(box[1]), float(box[2]), float(box[3]))
        for box in track.boxes_T4[track.present_T]
    ]
    return relative_crop(union_window(boxes), width, height)
