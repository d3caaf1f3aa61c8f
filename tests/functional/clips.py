"""Reads and re-encodes whole short clips for the tests of this folder, by PyAV alone."""

from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np

RATE = 16000


def sound(path: Path) -> np.ndarray:
    with av.open(str(path)) as container:
        resampler = av.AudioResampler("s16", "mono", RATE)
        pieces = []
        for frame in container.decode(audio=0):
            pieces += [piece.to_ndarray()[0] for piece in resampler.resample(frame)]
        pieces += [piece.to_ndarray()[0] for piece in resampler.resample(None)]
    return np.concatenate(pieces)


def pictures(path: Path, fps: float, seconds: float | None = None) -> list[np.ndarray]:
    """Grey pictures at ``fps`` from the first one on."""
    found: list[np.ndarray] = []
    with av.open(str(path)) as container:
        first = None
        for frame in container.decode(video=0):
            first = frame.time if first is None else first
            if seconds is not None and frame.time - first >= seconds:
                break
            if frame.time - first >= len(found) / fps - 1e-6:
                found.append(frame.to_ndarray(format="gray"))
    return found


def encode_again(source: Path, target: Path, side: int, crf: int, bit_rate: int, gain: float):
    """A small, coarse, quieter copy: other size, frame rate, sample rate and bit rates."""
    frames, samples = pictures(source, 15), (sound(source) * gain).astype(np.int16)
    with av.open(str(target), "w") as container:
        video = container.add_stream("libx264", rate=15)
        video.width = video.height = side
        video.pix_fmt = "yuv420p"
        video.options = {"crf": str(crf), "preset": "veryfast"}
        audio = container.add_stream("aac", rate=22050, layout="mono")
        audio.bit_rate = bit_rate
        for index, picture in enumerate(frames):
            small = cv2.resize(picture, (side, side), interpolation=cv2.INTER_AREA)
            frame = av.VideoFrame.from_ndarray(small, format="gray").reformat(format="yuv420p")
            frame.pts, frame.time_base = index, Fraction(1, 15)
            container.mux(video.encode(frame))
        container.mux(video.encode(None))
        frame = av.AudioFrame.from_ndarray(samples[None], format="s16", layout="mono")
        frame.sample_rate, frame.pts = RATE, 0
        resampler = av.AudioResampler("fltp", "mono", 22050, frame_size=1024)
        for piece in resampler.resample(frame) + resampler.resample(None):
            container.mux(audio.encode(piece))
        container.mux(audio.encode(None))
