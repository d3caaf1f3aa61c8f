"""Where takes end: cuts found by PySceneDetect, and the spans that they leave of a source."""

import itertools
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from talkingface_wild.core.errors import RecipeError, nearest
from talkingface_wild.core.terminal import children_away

with children_away():
    # At import it starts ffmpeg with this process's standard input, which may be a terminal.
    from scenedetect import FrameTimecode
    from scenedetect.detectors import AdaptiveDetector, ContentDetector

KINDS = ("adaptive", "content")
Tail = Literal["drop", "keep", "merge"]
_NOTHING_SECONDS = 1e-6
"""Spans shorter than a microsecond are rounding."""


class ShotDetector:
    """Finds cuts in pictures fed one by one; times are those of the pictures, so any rate is exact.

    ``adaptive`` compares the change of content with its neighbourhood (threshold 3 by default),
    ``content`` compares it with a fixed threshold (27 is usual). Two cuts stand at least
    ``min_frames`` pictures apart. Serves one source; ``fps`` is its mean rate.
    """

    def __init__(
        self,
        kind: str = "adaptive",
        threshold: float = 3.0,
        min_frames: int = 15,
        fps: float = 25.0,
    ) -> None:
        if kind not in KINDS:
            raise RecipeError(
                f"Expected a shot detector out of {', '.join(KINDS)}, found {kind!r}"
                f"{nearest(kind, KINDS)}; set shots.detector to one of them."
            )
        self._detector: Any = (
            AdaptiveDetector(adaptive_threshold=threshold, min_scene_len=min_frames)
            if kind == "adaptive"
            else ContentDetector(threshold=threshold, min_scene_len=min_frames)
        )
        self._fps = float(fps)
        self._seconds: list[float] = []
        self._cuts: set[int] = set()
        self._finished = False

    def feed(self, seconds: float, bgr: NDArray[np.uint8]) -> None:
        """Take in the next picture, (H, W, 3) BGR, about 320 px wide, shown from ``seconds`` on."""
        index = len(self._seconds)
        self._seconds.append(seconds)
        self._note(self._detector.process_frame(FrameTimecode(index, self._fps), bgr))

    def cuts(self) -> list[float]:
        """Seconds at which a new take begins, ascending; ends the feeding."""
        if self._seconds and not self._finished:
            self._finished = True
            last = FrameTimecode(len(self._seconds) - 1, self._fps)
            self._note(self._detector.post_process(last))
        return [self._seconds[index] for index in sorted(self._cuts)]

    def _note(self, cuts: Iterable[Any]) -> None:
        self._cuts.update(int(cut.frame_num) for cut in cuts)


@dataclass(frozen=True)
class Span:
    """A piece of a take in seconds on the source's clock.

    ``tail`` marks the rest of a take longer than a stride that is too short to be kept: the
    caller gives it a row of its own and rejects it as ``too_short``.
    """

    start: float
    end: float
    tail: bool = False

    @property
    def seconds(self) -> float:
        """Length of the span."""
        return self.end - self.start


def spans(
    cuts: Sequence[float],
    usable_start: float,
    usable_end: float,
    *,
    trim: float = 0.2,
    stride: float = 30.0,
    least: float = 3.0,
    tail: Tail = "drop",
    tail_seconds: float = 10.0,
    slow: Sequence[tuple[float, float]] = (),
) -> list[Span]:
    """The usable span divided at ``cuts``, each take cut every ``stride`` seconds.

    ``slow`` are dissolves and fades, (begin, end), of which no span holds a part; what is left
    between one and the next change, slow or not, counts as part of it when no more than both trims
    are. ``trim`` is taken off at cuts, not at the ends of the usable span; a take that would vanish
    by it keeps its whole length; a source without cuts is one take. What is left of a take after
    its full strides is kept when it has ``tail_seconds``; if shorter, ``drop`` marks it as a
    tail, ``keep`` keeps it when it has ``least`` and marks it otherwise, and ``merge`` lengthens
    the stride before by it. Nothing is left out: short takes are for a gate to reject.
    """
    inside = _changes(cuts, slow, usable_start, usable_end, trim)
    begins = [usable_start, *(end for _, end in inside)]
    finishes = [*(begin for begin, _ in inside), usable_end]
    pieces: list[Span] = []
    for begin, finish in zip(begins, finishes, strict=True):
        start = begin + trim * (begin != usable_start)
        end = finish - trim * (finish != usable_end)
        if end - start < _NOTHING_SECONDS:
            start, end = begin, finish
        if end - start >= _NOTHING_SECONDS:
            pieces += _strides(start, end, stride, tail, least if tail == "keep" else tail_seconds)
    return pieces


def _changes(
    cuts: Sequence[float],
    slow: Sequence[tuple[float, float]],
    usable_start: float,
    usable_end: float,
    trim: float,
) -> list[tuple[float, float]]:
    """Cuts and slow changes within the usable span as (begin, end), those that meet as one."""
    every = {(cut, cut) for cut in cuts if usable_start < cut < usable_end}
    every |= {
        (max(begin, usable_start), min(end, usable_end))
        for begin, end in slow
        if usable_start < end and begin < usable_end
    }
    merged: list[tuple[float, float]] = []
    for begin, end in sorted(every):
        first, last = merged[-1] if merged else (begin, begin)
        if merged and begin - last <= 2 * trim and (first < last or begin < end):
            merged[-1] = (first, max(last, end))
        else:
            merged.append((begin, end))
    return merged


def _strides(start: float, end: float, stride: float, tail: Tail, least: float) -> list[Span]:
    full = int((end - start + _NOTHING_SECONDS) // stride)
    rest = end - (start + full * stride)
    if full == 0 or (full == 1 and rest < _NOTHING_SECONDS):
        return [Span(start, end)]
    edges = [start + number * stride for number in range(full + 1)]
    pieces = [Span(left, right) for left, right in itertools.pairwise(edges)]
    if rest < _NOTHING_SECONDS:
        pieces[-1] = Span(pieces[-1].start, end)
    elif rest >= least - _NOTHING_SECONDS:
        pieces.append(Span(edges[-1], end))
    elif tail == "merge":
        pieces[-1] = Span(pieces[-1].start, end)
    else:
        pieces.append(Span(edges[-1], end, tail=True))
    return pieces
