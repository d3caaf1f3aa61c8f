"""Sample videos of a training, with sound where ffmpeg and the clip's sound are there."""

import tempfile
import wave
from pathlib import Path

import numpy as np

from talkingface_wild.models.training.training_clip import Samples, whole_id

FPS, RATE = 25, 16_000


def write_sound(path: Path, samples: Samples) -> None:
    """Mono at 16 kHz."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(RATE)
        file.writeframes(samples.astype("<i2").tobytes())


def write_sample(path: Path, sounds: Path, rows: list[np.ndarray]) -> None:
    """Frames (T, H, W, 3) side by side as ``path``; as arrays where no ffmpeg is at hand."""
    path.parent.mkdir(parents=True, exist_ok=True)
    pictures = np.concatenate(rows, axis=2)
    try:
        from talkingface_wild.media.generated_video import write_video

        with tempfile.TemporaryDirectory() as scratch:
            sound = _sound(path.stem, sounds, len(pictures), Path(scratch) / "part.wav")
            write_video(path, [pictures], sound, FPS)
    except Exception as error:  # Whatever ffmpeg says: the pictures are kept.
        np.savez_compressed(path.with_suffix(".npz"), frames=pictures, error=str(error))


def _sound(clip_id: str, sounds: Path, frames: int, part: Path) -> Path | None:
    """The part of the clip's sound that the frames are of, written into ``part``."""
    clip, first = whole_id(clip_id)
    source = sounds / f"{clip}.wav"
    if not source.is_file():
        return None
    with wave.open(str(source), "rb") as file:
        file.setpos(min(file.getnframes(), first * RATE // FPS))
        heard = np.frombuffer(file.readframes(frames * RATE // FPS), dtype="<i2")
    write_sound(part, heard)
    return part
