"""From probabilities of a change at each frame to cuts and transitions. Pure numbers, no network.
Shape legend: N frames of a source.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from talkingface_wild.functional.speech_share import runs

THRESHOLD = 0.5
"""The published bound: a frame changes the shot where its probability is above it."""
MOST_CUT_FRAMES = 2
"""A change over no more frames is a cut: coding can blur one over two frames."""


@dataclass(frozen=True)
class Transition:
    """A change of shot in the frames from ``begin`` to ``end`` − 1, counted from 0.

    Of a dissolve these are the frames where both shots are seen. Of a cut it is the last frame of
    the shot before. ``end`` is the first frame of the shot after.
    """

    begin: int
    end: int

    @property
    def is_cut(self) -> bool:
        """Whether the shot changes at once."""
        return self.end - self.begin <= MOST_CUT_FRAMES


def transitions(
    middle_N: npt.NDArray[Any], inside_N: npt.NDArray[Any], threshold: float = THRESHOLD
) -> list[Transition]:
    """Every change of shot, in order; cuts and slow ones are told apart by ``is_cut``.

    ``middle_N`` are the probabilities that a frame is the middle of a transition, ``inside_N`` that
    it belongs to one. The former decide, as published (Souček and Lokoč, 2020); the latter say how
    far it reaches. Of dissolves between talking faces it finds those of 3 to 25 frames, and none of
    40: those are seen by ``inside_N`` in part. A change that reaches the last frame has no shot
    after it and is none; runs of ``middle_N`` in one run of ``inside_N`` are one change. Raises
    ValueError for two lengths.
    """
    return [run for run, decided in _runs(middle_N, inside_N, threshold) if decided]


def undecided(
    middle_N: npt.NDArray[Any], inside_N: npt.NDArray[Any], threshold: float = THRESHOLD
) -> list[Transition]:
    """Where ``inside_N`` sees a transition and ``middle_N`` no middle of it; as ``transitions``.

    A dissolve that is too long for the network looks so. Raises ValueError for two lengths.
    """
    return [run for run, decided in _runs(middle_N, inside_N, threshold) if not decided]


def cuts(changes: Sequence[Transition]) -> list[int]:
    """The first frame of each shot that follows a cut."""
    return [change.end for change in changes if change.is_cut]


def _runs(
    middle_N: npt.NDArray[Any], inside_N: npt.NDArray[Any], threshold: float
) -> list[tuple[Transition, bool]]:
    """Every run of frames that one of the heads sees, and whether it has a middle."""
    if len(middle_N) != len(inside_N):
        raise ValueError(
            f"Expected two probabilities of each frame, found {len(middle_N)} and "
            f"{len(inside_N)}; take both from one source."
        )
    middles = np.asarray(middle_N) > threshold
    return [
        (Transition(begin, end), bool(middles[begin:end].any()))
        for begin, end in runs(middles | (np.asarray(inside_N) > threshold))
        if end < len(middles)
    ]
