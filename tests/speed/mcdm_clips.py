"""The clips of TFW_SHARED (else ../shared) as training takes them: one face, cut out around it."""

import csv
import itertools
import os
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from talkingface_wild.media.decode import frames as decoded
from talkingface_wild.media.geometry import crop_padded, union_window
from talkingface_wild.media.sound import read_sound
from talkingface_wild.models.training.training_clip import Pictures, Samples, TrainingClip
from talkingface_wild.perception.face_detector import Detector, make_detector
from tests.speed.mcdm_findings import ROOT
from tests.speed.mcdm_videos import write_sound

FPS, MOST_SECONDS = 25, 12.0
DETECT_EVERY = 5
"""Frames from one look for the face to the next; between them its box moves evenly."""
SILENT = ("selfie_18",)
"""Its sound track is digital silence: nothing in it moves a mouth."""


def shared_folder() -> Path:
    """Where the clips are."""
    return Path(os.environ.get("TFW_SHARED", ROOT.parent / "shared"))


def training_clips(side: int) -> list[TrainingClip]:
    """Every clip that curation keeps, at 25 frames a second, square, ``side`` pixels wide."""
    folder = shared_folder()
    with (folder / "media" / "MEDIA.csv").open(encoding="utf-8", newline="") as file:
        rows = [row for row in csv.DictReader(file) if row["expected"] == "kept"]
    weights = folder / "weights" / "scrfd_500m_kps.onnx"
    detector = make_detector("scrfd_500m", weights, size=320) if weights.is_file() else None
    detector = (detector or make_detector("haar")).open()
    clips = []
    for row in rows:
        path = folder / "media" / row["path"]
        if path.stem in SILENT:
            continue
        clip = _clip(path, row["language"], side, detector)
        if clip is not None:
            clips.append(clip)
    return clips


def _clip(path: Path, language: str, side: int, detector: Detector) -> TrainingClip | None:
    """One clip with its face's boxes; None where no face is found in most looks."""
    first = next(decoded(path)).seconds

    def taken() -> Iterator[np.ndarray]:
        frames = decoded(path, start=first, fps=FPS, max_side=1024)
        return (frame.rgb for frame in itertools.islice(frames, round(MOST_SECONDS * FPS)))

    looks, boxes, count = list[int](), list[np.ndarray](), 0
    for number, picture in enumerate(taken()):
        count += 1
        if number % DETECT_EVERY == 0:
            found = detector.detect(picture).boxes_N5
            if len(found):
                looks.append(number)
                boxes.append(found[0, :4])
    if len(boxes) < count / DETECT_EVERY / 2:
        return None
    window = union_window([tuple(box) for box in boxes], 1.3)
    every_T4 = np.stack([np.interp(range(count), looks, edge) for edge in np.stack(boxes, 1)], 1)
    corner = np.array([window.left, window.top] * 2)

    def chunks() -> Iterator[Pictures]:
        yield np.stack([crop_padded(picture, window, side, "edge") for picture in taken()])

    def sound() -> Samples:
        return read_sound(path, first, first + count / FPS)

    return TrainingClip(
        clip_id=path.stem,
        frames=chunks,
        sound=sound,
        identity=path.stem,
        language=language,
        facts={"window": [window.left, window.top, window.side], "side": side},
        face_boxes_T4=((every_T4 - corner) / window.side).astype(np.float32),
    )


def keep_sounds(clips: list[TrainingClip], folder: Path) -> None:
    """Each clip's sound as a file, for the videos."""
    for clip in clips:
        write_sound(folder / f"{clip.clip_id}.wav", clip.sound())
