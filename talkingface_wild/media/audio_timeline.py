"""Decoded sound as one unbroken run of mono samples, each at its place on the clock."""

import contextlib
import math
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import av
import numpy as np

from talkingface_wild.core.arrays import Samples
from talkingface_wild.media.frame_times import SECOND_US

LONGEST_GAP_SECONDS = 3600.0
"""A longer gap is taken for a damaged timestamp; what stands behind it is left out."""
_TOLERATED_US = 10_000
"""Timestamps may stray this far from the count of samples before the sound is placed anew."""
_BLOCK = 1 << 16


@dataclass
class ClockedSound:
    """Turns decoded sound frames into one unbroken run of mono samples that begins at ``start_us``.

    Sample k stands at ``start_us + k / rate``, to the nearest sample of the clock: gaps and late
    starts become zeros, overlaps are cut. Feeds are in order of time.
    """

    rate: int
    start_us: int = 0
    written: int = 0
    """Samples given out so far."""
    _resampler: Any = None
    _shape: tuple[int, str] | None = None
    _anchor_us: int = 0
    _fed: int = 0
    _skip: int = 0

    def feed(self, time_us: int, frame: Any) -> Iterator[Samples]:
        """The samples that can be given out once the frame that begins at ``time_us`` is known."""
        shape = (frame.sample_rate, frame.layout.name)
        expected = self._anchor_us + round(Fraction(self._fed * SECOND_US, frame.sample_rate))
        if self._shape != shape or abs(time_us - expected) > _TOLERATED_US:
            yield from self._flush()
            frame, time_us = _on_common_sample(frame, time_us, self.rate)
            place = round(Fraction(time_us * self.rate, SECOND_US))
            place -= round(Fraction(self.start_us * self.rate, SECOND_US))
            if place - self.written > LONGEST_GAP_SECONDS * self.rate:
                return
            yield from self.silence(place)
            self._skip = max(0, self.written - place)
            self._resampler = av.AudioResampler(format="s16", layout="mono", rate=self.rate)
            self._shape, self._anchor_us, self._fed = shape, time_us, 0
        self._fed += frame.samples
        frame.pts = None
        for piece in self._resampler.resample(frame):
            yield from self._give(piece)

    def silence(self, until: int) -> Iterator[Samples]:
        """Zeros up to sample ``until``, in blocks."""
        while self.written < until:
            block = np.zeros(min(_BLOCK, until - self.written), dtype=np.int16)
            self.written += len(block)
            yield block

    def finish(self, until: int | None = None) -> Iterator[Samples]:
        """What the resampler still holds, then zeros up to sample ``until``."""
        yield from self._flush()
        if until is not None:
            yield from self.silence(until)

    def _flush(self) -> Iterator[Samples]:
        resampler, self._resampler, self._shape = self._resampler, None, None
        if resampler is not None:
            with contextlib.suppress(av.FFmpegError, EOFError):
                for piece in resampler.resample(None):
                    yield from self._give(piece)

    def _give(self, piece: Any) -> Iterator[Samples]:
        samples: Samples = piece.to_ndarray().reshape(-1)
        skipped = min(self._skip, len(samples))
        self._skip -= skipped
        if skipped < len(samples):
            self.written += len(samples) - skipped
            yield samples[skipped:]


def _on_common_sample(frame: Any, time_us: int, rate: int) -> tuple[Any, int]:
    """``frame`` with zeros before it so that its first sample falls on a sample of the output too.

    Hence a span read alone is resampled in the same phase as the whole.
    """
    source_rate = frame.sample_rate
    step = source_rate // math.gcd(source_rate, rate)
    number = round(Fraction(time_us * source_rate, SECOND_US))
    missing = number % step
    sound = frame.to_ndarray()
    before = np.zeros((len(sound), missing * (sound.shape[1] // frame.samples)), dtype=sound.dtype)
    padded = av.AudioFrame.from_ndarray(
        np.ascontiguousarray(np.hstack([before, sound])),
        format=frame.format.name,
        layout=frame.layout.name,
    )
    padded.sample_rate = source_rate
    return padded, round(Fraction((number - missing) * SECOND_US, source_rate))
