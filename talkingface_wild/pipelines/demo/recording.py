"""Writes frames and a voice as one small MP4 (H.264 and AAC), the same bytes on every run."""

from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import numpy.typing as npt

FRAMES_PER_SECOND = 25


def record(
    path: Path,
    frames: Iterator[npt.NDArray[np.uint8]],
    samples: npt.NDArray[np.int16] | None,
    rate: int,
) -> None:
    """Write RGB ``frames`` (height, width, 3; even sides, 25 a second) and mono ``samples``.

    Without samples the file has no sound stream. One thread and bit-exact muxing make the bytes
    depend on the input and the encoders' version alone; the index stands at the end of the file.
    """
    per_frame = rate // FRAMES_PER_SECOND
    with av.open(str(path), "w", format="mp4", options={"fflags": "+bitexact"}) as container:
        picture = container.add_stream("libx264", rate=FRAMES_PER_SECOND)
        picture.pix_fmt = "yuv420p"
        picture.options = {"preset": "superfast", "crf": "23", "g": "50", "threads": "1"}
        picture.codec_context.thread_count = 1
        sound = None
        if samples is not None:
            sound = container.add_stream("aac", rate=rate, layout="mono")
            sound.bit_rate = 56_000
        for index, rgb in enumerate(frames):
            if index == 0:
                picture.height, picture.width = rgb.shape[:2]
            frame = av.VideoFrame.from_ndarray(rgb, format="rgb24")
            frame.pts, frame.time_base = index, Fraction(1, FRAMES_PER_SECOND)
            container.mux(picture.encode(frame))
            if sound is not None and samples is not None:
                piece = samples[index * per_frame : (index + 1) * per_frame]
                if len(piece):
                    container.mux(sound.encode(_audio_frame(piece, index * per_frame, rate)))
        container.mux(picture.encode(None))
        if sound is not None:
            container.mux(sound.encode(None))


def _audio_frame(piece: npt.NDArray[np.int16], position: int, rate: int) -> av.AudioFrame:
    """``piece`` as a frame whose first sample is number ``position`` of the sound."""
    frame = av.AudioFrame.from_ndarray(piece[None, :], format="s16", layout="mono")
    frame.sample_rate, frame.pts, frame.time_base = rate, position, Fraction(1, rate)
    return frame
