"""The one writer of generated video: pictures with their sound, marked inside and beside the file.

A video is written in one go, or finished from pictures that grew over several runs.
"""

from collections.abc import Iterable
from pathlib import Path

import numpy as np
import numpy.typing as npt

from talkingface_wild.core.provenance import Provenance, container_words, write_sidecar
from talkingface_wild.media.resumable_video import GrowingVideo
from talkingface_wild.media.write import write_video

Pictures = npt.NDArray[np.uint8]


def write_generated(
    path: Path, chunks: Iterable[Pictures], sound: Path, fps: int, provenance: Provenance
) -> int:
    """Write (T, H, W, 3) uint8 RGB chunks and a sound file in one go; gives the frames written.

    The file has its name only when it is complete. Raises as ``media.write.write_video``.
    """
    count = write_video(path, chunks, sound, fps, words=container_words(path, provenance))
    write_sidecar(path, provenance)
    return count


def finish_generated(video: GrowingVideo, frames: int, sound: Path, provenance: Provenance) -> None:
    """Put pictures that grew and any media file's sound into the finished video.

    Raises as ``GrowingVideo.finish``.
    """
    video.finish(frames, sound, container_words(video.path, provenance))
    write_sidecar(video.path, provenance)
