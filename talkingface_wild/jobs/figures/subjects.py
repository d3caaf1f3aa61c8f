"""What ``tfw model`` looks at: a portrait with its speech, or clips of a data set.

Shapes: T frames, H W pixels (uint8 RGB), S the side of a square.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from talkingface_wild.core.errors import InputUnreadable
from talkingface_wild.core.outcome import ItemFailed, ItemRejected
from talkingface_wild.jobs.train.data import training_clips

if TYPE_CHECKING:
    from talkingface_wild.jobs.figures.request import FigureRequest, Unlabelled
    from talkingface_wild.models.mcdm.analyses.speaking_portrait import Boxes, Subject
    from talkingface_wild.models.mcdm.config import PictureConfig
    from talkingface_wild.models.training.training_clip import TrainingClip

HELD_OUT = "test"
_CROP = 1.6
"""A portrait's square over its face's longer side."""
_WIDTH_OF_TALL = 0.78
"""Width over height of a box from brow to chin."""
Tell = Callable[[str], None]


def subjects(
    request: Unlabelled, device: str, picture: PictureConfig, most: int, warn: Tell
) -> tuple[list[Subject], str]:
    """The subjects asked for, of clips ``most`` real frames, and a sentence on where they are from.

    Raises InputUnreadable, UsageError, WeightMissing.
    """
    if request.dataset is not None:
        clips, source = dataset_clips(request, picture)
        return [_filmed(clip, most) for clip in clips], source
    image, audio = Path(str(request.image)), Path(str(request.audio))
    shown = portrait(request, device, picture, warn)
    source = f"Portrait: {image.name}; sound: {audio.name}."
    return [speaking(shown, audio, audio.name)], source


def dataset_clips(request: FigureRequest, picture: PictureConfig) -> tuple[list[TrainingClip], str]:
    """Clips of the data set: of one split, else of ``test``, else those that training may see.

    Raises InputUnreadable where there are none.
    """
    folder = Path(str(request.dataset))
    split = request.split or HELD_OUT
    try:
        clips = training_clips(folder, split, picture.side, picture.fps)
    except InputUnreadable:
        if request.split is not None:
            raise
        clips = training_clips(folder, None, picture.side, picture.fps)
        split = "train and val, which training may have seen"
    return clips[: request.limit], f"Clips: {folder.name}, split {split}."


def portrait(
    request: FigureRequest, device: str, picture: PictureConfig, warn: Tell
) -> tuple[Any, Boxes | None]:
    """(S, S, 3) and where its mouth is, (1, 4), as far as the face's box tells."""
    from talkingface_wild.jobs.generate.portrait import check_side, find_portrait

    path = Path(str(request.image))
    face = find_portrait(path, request.detector, request.whole, device)
    check_side(face, picture.side, path, warn)
    return face.crop(picture.side), None if face.detector == "none" else _mouth(face.detector)


def _mouth(detector: str) -> Boxes:
    from talkingface_wild.models.conditions.crops import crop_windows

    width = 1.0 if detector == "haar" else _WIDTH_OF_TALL
    low, wide = 0.5 - 0.5 / _CROP, width / _CROP
    box_14 = np.array([[0.5 - wide / 2, low, 0.5 + wide / 2, 1 - low]], dtype=np.float32)
    return crop_windows(_clip_of_box(box_14)).lips_T4


def _clip_of_box(box_14: Boxes) -> TrainingClip:
    from talkingface_wild.models.training.training_clip import TrainingClip

    nothing = np.zeros(0, np.int16)
    return TrainingClip("portrait", lambda: iter(()), lambda: nothing, face_boxes_T4=box_14)


def speaking(shown: tuple[Any, Boxes | None], audio: Path, name: str, label: str = "") -> Subject:
    """A portrait that speaks a file's sound."""
    from talkingface_wild.models.mcdm.analyses.speaking_portrait import Subject

    return Subject(name, shown[0], _sound(audio), label=label, mouth_T4=shown[1])


def _sound(path: Path) -> Any:
    from talkingface_wild.media.sound import read_sound

    if not path.is_file():
        raise InputUnreadable(f"Expected a sound at {path}, found no file; give another path.")
    try:
        return read_sound(path)
    except (ItemRejected, ItemFailed) as error:
        raise InputUnreadable(
            f"Expected a sound in {path}, found none that can be read ({error.outcome.detail}); "
            "give a file with speech."
        ) from error


def _filmed(clip: TrainingClip, most: int) -> Subject:
    """A clip with its real frames, ``most`` at most."""
    from talkingface_wild.models.conditions.crops import crop_windows
    from talkingface_wild.models.mcdm.analyses.speaking_portrait import Subject

    with _readable(clip):
        sound, truth = clip.sound(), _first(clip, most)
    windows = crop_windows(clip)
    mouth = None if windows.source == "default" else windows.lips_T4
    return Subject(clip.clip_id, truth[0], sound, truth, mouth_T4=mouth)


def heard(clip: TrainingClip, label: str, shown: Any | None) -> Subject:
    """A clip's sound, spoken by a portrait or by its own first frame."""
    from talkingface_wild.models.mcdm.analyses.speaking_portrait import Subject

    with _readable(clip):
        sound = clip.sound()
        speaker = _first(clip, 1)[0] if shown is None else shown
    return Subject(clip.clip_id, speaker, sound, label=label)


def _first(clip: TrainingClip, most: int) -> Any:
    """(T, S, S, 3) of the first frames."""
    chunks, taken = [], 0
    for chunk in clip.frames():
        chunks.append(chunk[: most - taken])
        taken += len(chunk)
        if taken >= most:
            break
    if not taken:
        raise ItemRejected("undecodable", "it has no frames")
    return np.concatenate(chunks)


@contextmanager
def _readable(clip: TrainingClip) -> Iterator[None]:
    try:
        yield
    except (ItemRejected, ItemFailed) as error:
        raise InputUnreadable(
            f"Expected the clip {clip.clip_id} of the data set, found it unreadable "
            f"({error.outcome.detail}); run 'tfw curate' again, or choose another --split."
        ) from error
