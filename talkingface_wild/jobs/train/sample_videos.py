"""Videos of a model in training: a real clip on the left, what is drawn from its first frame right.

Shapes: T frames, H W pixels (uint8 RGB).
"""

import tempfile
from pathlib import Path

import numpy as np

from talkingface_wild.core.outcome import ItemFailed, ItemRejected
from talkingface_wild.core.provenance import Provenance
from talkingface_wild.jobs.train.data import SOUND_RATE, sound_files
from talkingface_wild.jobs.train.trainer import Pictures, WriteSample
from talkingface_wild.media.generated_video import finish_generated
from talkingface_wild.media.resumable_video import ResumableVideo
from talkingface_wild.media.sound import read_sound, write_wav
from talkingface_wild.models.training.training_clip import whole_id

PICTURE = (
    "left a clip of the training data as the codec gives it back, right from its first frame and "
    "its sound"
)


def sample_writer(dataset: Path | None, fps: int = 25, model: str = "mcdm") -> WriteSample:
    """What writes frames of a clip, by its id, as a video marked as generated, with its sound.

    Without a data set, or where the clip's sound cannot be read, the video is silent.
    """
    sounds: dict[str, Path] = {}

    def write(path: Path, clip_id: str, pictures_THWC: Pictures) -> None:
        if dataset is not None and not sounds:
            sounds.update(sound_files(dataset))
        whole, first = whole_id(clip_id)
        start, seconds = first / fps, len(pictures_THWC) / fps
        try:
            samples = read_sound(sounds[whole], start, start + seconds, SOUND_RATE)
        except (KeyError, ItemRejected, ItemFailed, OSError):
            samples = np.zeros(round(seconds * SOUND_RATE), dtype=np.int16)
        path.parent.mkdir(parents=True, exist_ok=True)
        video = ResumableVideo(path, fps)
        video.cut(0)
        try:
            video.append(pictures_THWC)
            with tempfile.TemporaryDirectory() as folder:
                sound = Path(folder) / "sound.wav"
                write_wav(sound, samples, SOUND_RATE)
                provenance = _provenance(model, clip_id, dataset)
                finish_generated(video, len(pictures_THWC), sound, provenance)
        finally:
            video.discard()

    return write


def _provenance(model: str, clip_id: str, dataset: Path | None) -> Provenance:
    data = None if dataset is None else {"dataset": dataset.resolve().name}
    return Provenance(
        model=f"{model}, in training",
        preset="",
        config_sha256="",
        weights_sha256="",
        trained_on=data,
        trained={},
        seed=0,
        settings={},
        inputs={"clip": {"name": clip_id}},
        picture=PICTURE,
    )
