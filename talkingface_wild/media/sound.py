"""Sound of a span as mono samples on the clock, its loudness, and WAV files."""

import contextlib
import math
import wave
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import numpy as np

from talkingface_wild.core.arrays import Samples
from talkingface_wild.core.errors import InputUnreadable
from talkingface_wild.core.outcome import ItemRejected
from talkingface_wild.core.paths import atomic_path
from talkingface_wild.media.audio_timeline import ClockedSound
from talkingface_wild.media.container import OpenMedia, open_media
from talkingface_wild.media.demux import timed
from talkingface_wild.media.frame_times import SECOND_US, micros, tick_count

SOUND_RATE = 16_000
"""Samples a second of what is measured, and of what networks hear."""
QUIETEST_DBFS = -120.0


def read_sound(
    path: Path, start: float | None = None, end: float | None = None, rate: int = 16000
) -> Samples:
    """Mono samples of ``[start, end)``, sample k at ``start + k / rate`` on the source's clock.

    ``start`` defaults to the clock's zero, ``end`` to the last sample; a given end gives exactly
    ``round((end - start) * rate)`` samples, zeros where there is no sound. A file of sound alone
    will do. Raises ItemRejected("no_audio") without a sound stream and what ``open_media`` raises.
    """
    start_us = micros(start or 0.0)
    count = None if end is None else tick_count(start_us, micros(end), Fraction(rate))
    with open_media(path, pictures=False) as media:
        if media.audio is None:
            raise ItemRejected("no_audio", f"{path.name!r} has no sound stream")
        sound = ClockedSound(rate, start_us)
        pieces = list(_span(media, sound, start_us, count))
    joined = np.concatenate(pieces) if pieces else np.zeros(0, dtype=np.int16)
    return joined if count is None else joined[:count]


def _span(
    media: OpenMedia, sound: ClockedSound, start_us: int, count: int | None
) -> Iterator[Samples]:
    for time_us, frame in timed(media, media.audio, start_us / SECOND_US):
        yield from sound.feed(time_us, frame)
        if count is not None and sound.written >= count:
            return
    yield from sound.finish(count)


@dataclass
class Loudness:
    """Root mean square of samples that come in pieces."""

    squares: float = 0.0
    count: int = 0

    def add(self, samples: Samples) -> None:
        """Take in more samples."""
        self.squares += float(np.square(samples.astype(np.float64)).sum())
        self.count += len(samples)

    @property
    def dbfs(self) -> float:
        """Decibels below full scale (a square wave of ±32768 has 0); -120 for silence."""
        if self.squares == 0.0:
            return QUIETEST_DBFS
        return max(QUIETEST_DBFS, 10 * math.log10(self.squares / self.count / 32768.0**2))


def loudness_dbfs(samples: Samples) -> float:
    """The loudness of ``samples``, see ``Loudness.dbfs``."""
    loudness = Loudness()
    loudness.add(samples)
    return loudness.dbfs


@contextlib.contextmanager
def sound_writer(path: Path, rate: int) -> Iterator[Callable[[Samples], None]]:
    """What appends mono samples to a 16-bit WAV file; it has its name only when all went well."""
    with atomic_path(path) as temporary, wave.open(str(temporary), "wb") as stream:
        stream.setparams((1, 2, rate, 0, "NONE", "not compressed"))
        yield lambda samples: stream.writeframesraw(
            np.ascontiguousarray(samples, dtype="<i2").tobytes()
        )


def write_wav(path: Path, samples: Samples, rate: int) -> None:
    """Write mono int16 samples as a WAV file in one step."""
    with sound_writer(path, rate) as write:
        write(samples)


def read_wav(path: Path, start: float = 0.0, end: float | None = None) -> Samples:
    """Samples ``[start, end)`` of a mono 16-bit WAV file; zeros where it has none.

    Times are seconds after the file's first sample. Raises InputUnreadable for other files.
    """
    try:
        with wave.open(str(path), "rb") as reader:
            if (reader.getnchannels(), reader.getsampwidth()) != (1, 2):
                raise InputUnreadable(
                    f"Expected mono 16-bit sound, found {reader.getnchannels()} channels of "
                    f"{8 * reader.getsampwidth()} bits in {path}; run the command again."
                )
            rate, total = reader.getframerate(), reader.getnframes()
            first = round(start * rate)
            count = (total if end is None else first + round((end - start) * rate)) - first
            before = min(max(0, -first), max(0, count))
            reader.setpos(min(total, max(0, first)))
            data = reader.readframes(max(0, count - before))
    except (wave.Error, EOFError, OSError) as error:
        raise InputUnreadable(
            f"Expected a WAV file, found none that can be read at {path} ({error}); make it again."
        ) from error
    samples = np.zeros(max(0, count), dtype=np.int16)
    content = np.frombuffer(data, dtype="<i2")
    samples[before : before + len(content)] = content
    return samples
