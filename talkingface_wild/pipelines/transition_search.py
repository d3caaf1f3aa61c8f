"""Changes of shot as the one analysis decode goes by: cuts, dissolves and fades, by TransNet V2."""

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from talkingface_wild.functional.shot_changes import THRESHOLD, transitions
from talkingface_wild.functional.speech_share import runs
from talkingface_wild.perception.transnetv2 import HEIGHT, WIDTH, ShotStream, TransNetV2

USUAL_FPS = 30.0
JOIN_SECONDS = 0.5
"""Two changes with less between them are one: a fade to black and the fade from it."""


@dataclass(frozen=True)
class Change:
    """A change of shot, on the source's clock."""

    start: float
    """When the shot before is no longer seen alone."""
    end: float
    """When the shot after is."""


class TransitionSearch:
    """Takes in a source's frames one by one. At ``fps`` of 45 and more every second one is looked
    at, or fewer: the network has learned from some 25 to 30 a second.
    """

    def __init__(self, network: TransNetV2, fps: float) -> None:
        self._stream = ShotStream(network)
        self._step = max(1, round(fps / USUAL_FPS))
        self._place = 0
        self._seconds: list[float] = []
        self.changes: tuple[Change, ...] = ()
        """Those that part two takes."""
        self.doubts: tuple[Change, ...] = ()
        """Stretches that look like a part of a change, in which no middle of one is seen: slow
        dissolves, which are not cut."""

    def feed(self, seconds: float, bgr: npt.NDArray[np.uint8]) -> None:
        """Take in the next picture, (H, W, 3) BGR, shown from ``seconds`` on."""
        self._place += 1
        if (self._place - 1) % self._step:
            return
        small = cv2.resize(bgr, (WIDTH, HEIGHT), interpolation=cv2.INTER_AREA)
        self._stream.feed(np.ascontiguousarray(small[:, :, ::-1]))
        self._seconds.append(seconds)

    def finish(self) -> None:
        """Judge the last frames and fill ``changes`` and ``doubts``."""
        if not self._seconds:
            return
        heads = self._stream.finish()
        # A cut's begin is the last frame of the shot before; its takes meet where the next begins.
        changes = [
            self._change(change.end if change.is_cut else change.begin, change.end)
            for change in transitions(heads.middle_N, heads.inside_N)
        ]
        self.changes = joined(changes)
        stretches = [self._change(*run) for run in runs(heads.inside_N > THRESHOLD)]
        self.doubts = tuple(
            stretch
            for stretch in stretches
            if not any(
                stretch.start <= change.end and change.start <= stretch.end
                for change in self.changes
            )
        )

    def _change(self, begin: int, end: int) -> Change:
        return Change(self._seconds[begin], self._seconds[min(end, len(self._seconds) - 1)])


def joined(changes: Sequence[Change], gap: float = JOIN_SECONDS) -> tuple[Change, ...]:
    """Changes in order, those with less than ``gap`` seconds between them as one."""
    together: list[Change] = []
    for change in changes:
        if together and change.start - together[-1].end < gap:
            change = Change(together.pop().start, change.end)
        together.append(change)
    return tuple(together)
