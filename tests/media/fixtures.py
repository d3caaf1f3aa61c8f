"""Video files that the tests make with PyAV: a flash and a click each second, turned files."""

import struct
from collections.abc import Iterable, Iterator
from fractions import Fraction
from pathlib import Path

import av
import numpy as np

from talkingface_wild.media.decode import frames
from talkingface_wild.media.sound import read_sound

TICKS = 90_000
"""Ticks a second of the files' picture clock: 24000/1001 and 30000/1001 are exact enough in it."""
SOUND_RATE = 48_000


def even_times(rate: Fraction, seconds: float) -> list[float]:
    """Instants of a constant rate."""
    return [float(k / rate) for k in range(int(seconds * rate))]


def uneven_times(seconds: float, seed: int = 7) -> list[float]:
    """Instants of a variable rate: intervals of 10 to 60 ms, a picture at every whole second."""
    random, times, now = np.random.default_rng(seed), [], 0.0
    while now < seconds:
        times.append(now)
        step = float(random.integers(10, 61)) / 1000
        whole = np.floor(now + 1e-9) + 1
        now = whole if now + step > whole - 0.010 else round(now + step, 3)
    return times


def flashes(times: Iterable[float], size: tuple[int, int] = (96, 64)) -> Iterator[np.ndarray]:
    """White for a tenth of each second from the second on, black elsewhere."""
    for time in times:
        lit = (time + 1e-6) % 1.0 < 0.1 and time > 0.5
        yield np.full((size[1], size[0], 3), 255 if lit else 0, dtype=np.uint8)


def clicks(seconds: float, at: Iterable[float], rate: int = SOUND_RATE) -> np.ndarray:
    """Silence with 20 ms bursts of a 3 kHz tone that begin at the given instants."""
    samples = np.zeros(int(seconds * rate), dtype=np.float64)
    burst = 0.8 * np.sin(2 * np.pi * 3000 * np.arange(int(0.02 * rate)) / rate)
    for instant in at:
        begin = round(instant * rate)
        part = burst[: max(0, len(samples) - begin)]
        samples[begin : begin + len(part)] += part
    return (samples * 32767).astype(np.int16)


def write_video(
    path: Path,
    times: Iterable[float] = (),
    pictures: Iterable[np.ndarray] = (),
    sound: np.ndarray | None = None,
    *,
    codec: str = "libx264",
    pixels: str = "yuv420p",
    options: dict[str, str] | None = None,
    sound_codec: str = "aac",
    sound_rate: int = SOUND_RATE,
    sound_from: float = 0.0,
    gop: int = 25,
    container_options: dict[str, str] | None = None,
) -> Path:
    """Write pictures shown from ``times`` on, and mono sound that begins at ``sound_from``."""
    with av.open("file:" + str(path.absolute()), "w", options=container_options or {}) as out:
        picture_packets, sound_packets = [], []
        shown, heard = None, None
        for time, picture in zip(times, pictures, strict=False):
            if shown is None:
                shown = out.add_stream(codec, rate=Fraction(TICKS, 3600))
                shown.width, shown.height = picture.shape[1], picture.shape[0]
                shown.pix_fmt, shown.options = pixels, {"crf": "12", **(options or {})}
                shown.codec_context.time_base = Fraction(1, TICKS)
                shown.codec_context.gop_size = gop
                shown.codec_context.thread_count = 1
            frame = av.VideoFrame.from_ndarray(picture, format="rgb24")
            frame.pts, frame.time_base = round(time * TICKS), Fraction(1, TICKS)
            picture_packets += shown.encode(frame)
        if sound is not None:
            heard = out.add_stream(sound_codec, rate=sound_rate, layout="mono")
            for begin in range(0, len(sound), 1024):
                block = av.AudioFrame.from_ndarray(
                    sound[None, begin : begin + 1024], format="s16", layout="mono"
                )
                block.sample_rate, block.time_base = sound_rate, Fraction(1, sound_rate)
                block.pts = begin + round(sound_from * sound_rate)
                sound_packets += heard.encode(block)
            sound_packets += heard.encode(None)
        if shown is not None:
            picture_packets += shown.encode(None)
        for packet in sorted(
            picture_packets + sound_packets, key=lambda p: float(p.dts * p.time_base)
        ):
            out.mux(packet)
    return path


def flash_and_click(path: Path, times: list[float], seconds: float, **how: object) -> Path:
    """A flash and a click at each whole second: the click begins with the first white picture."""
    onsets = [
        time
        for time, before in zip(times[1:], times, strict=False)
        if lit(time) and not lit(before)
    ]
    return write_video(path, times, flashes(times), clicks(seconds, onsets), **how)


def lit(time: float) -> bool:
    """Whether ``flashes`` shows white at that instant."""
    return (time + 1e-6) % 1.0 < 0.1 and time > 0.5


def flash_onsets(path: Path) -> np.ndarray:
    """Seconds at which the picture turns white."""
    shown = [(frame.seconds, float(frame.rgb.mean())) for frame in frames(path)]
    return np.array(
        [
            now
            for (now, light), (_, before) in zip(shown[1:], shown, strict=False)
            if light > 127 > before
        ]
    )


def click_onsets(path: Path, rate: int = SOUND_RATE) -> np.ndarray:
    """Seconds at which a burst of sound begins after 0.2 s of quiet."""
    loud = np.flatnonzero(np.abs(read_sound(path, rate=rate).astype(int)) > 6000) / rate
    return loud[np.concatenate([[True], np.diff(loud) > 0.2])] if len(loud) else loud


def turn(path: Path, matrix: tuple[float, float, float, float]) -> Path:
    """Write a display matrix (a, b, c, d) into the first track header of an MP4 file."""
    data = bytearray(path.read_bytes())
    place = data.index(b"tkhd") + 4 + 40
    a, b, c, d = (round(value * 65536) for value in matrix)
    data[place : place + 36] = struct.pack(">9i", a, b, 0, c, d, 0, 0, 0, 1 << 30)
    path.write_bytes(bytes(data))
    return path
