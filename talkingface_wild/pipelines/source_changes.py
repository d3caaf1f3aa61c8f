"""What is seen of a source's cuts and transitions while it is decoded once: by PySceneDetect alone,
or by TransNet V2 beside it. Where clips begin and end is said by the stage ``shots``.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import cv2
import numpy as np
import numpy.typing as npt

from talkingface_wild.functional.flashes import FlashWatch
from talkingface_wild.functional.shot_changes import Transition, transitions, undecided
from talkingface_wild.media.shot_boundaries import ShotDetector

if TYPE_CHECKING:
    from talkingface_wild.perception.transnetv2 import TransNetV2

MOST_RATE = 30.0
"""Pictures a second that the network sees at most: it was trained on films and television."""
FLASH_FRAMES = 2.5
"""A cut so near to a flash is the flash's."""

Seconds = tuple[float, float]


@dataclass(frozen=True)
class SourceChanges:
    """Changes of a source, in seconds on its clock, each list in order."""

    cuts: list[float]
    """Where a new take begins at once."""
    slow: list[Seconds] = field(default_factory=list)
    """Dissolves and fades: begin, and the first picture of the take after."""
    doubtful: list[Seconds] | None = None
    """Where the network sees a transition without a middle; None without the network."""
    second_look: list[float] | None = None
    """Cuts by the second detector; None without it."""


class NetworkWatch:
    """TransNet V2 over the pictures of one source, of which it sees at most 30 a second."""

    def __init__(self, perceiver: TransNetV2, fps: float) -> None:
        # Torch takes seconds to import: only where the network looks.
        from talkingface_wild.perception.transnetv2 import HEIGHT, WIDTH, ShotStream

        self._size = (WIDTH, HEIGHT)
        self._stream = ShotStream(perceiver)
        self._flashes = FlashWatch()
        self._step = max(1, round(fps / MOST_RATE))
        self._fps = fps
        self._pictures = 0
        self._seconds: list[float] = []

    def feed(self, seconds: float, bgr: npt.NDArray[np.uint8]) -> None:
        """Take in the next picture, (H, W, 3) B, G, R, shown from ``seconds`` on."""
        small = cv2.resize(bgr, self._size, interpolation=cv2.INTER_AREA)
        rgb = np.ascontiguousarray(small[:, :, ::-1], dtype=np.uint8)
        self._flashes.feed(seconds, rgb)
        if self._pictures % self._step == 0:
            self._stream.feed(rgb)
            self._seconds.append(seconds)
        self._pictures += 1

    def changes(
        self, cuts: list[float], second_look: list[float] | None, least_seconds: float
    ) -> SourceChanges:
        """The network's changes, and the detector's cuts that are none of a flash or of those.

        Of two cuts that stand less than ``least_seconds`` apart, the detector's counts: it sees
        every picture. It also sees a face jump within its take, where the network seldom does.
        """
        heads = self._stream.finish()
        changes = transitions(heads.middle_N, heads.inside_N)
        slow = [self._span(change) for change in changes if not change.is_cut]
        flashes = self._flashes.flashes()
        own = [cut for cut in cuts if not self._near(cut, flashes)]
        others = [self._seconds[change.end] for change in changes if change.is_cut]
        others = [cut for cut in others if all(abs(cut - o) >= least_seconds for o in own)]
        inner = second_look
        if inner is not None:
            inner = [cut for cut in inner if not self._near(cut, flashes)]
        whole = sorted(own + others)
        return SourceChanges(
            [cut for cut in whole if not any(begin <= cut <= end for begin, end in slow)],
            slow,
            [self._span(run) for run in undecided(heads.middle_N, heads.inside_N)],
            inner,
        )

    def _span(self, change: Transition) -> Seconds:
        return self._seconds[change.begin], self._seconds[change.end]

    def _near(self, cut: float, flashes: list[float]) -> bool:
        return any(abs(cut - flash) <= FLASH_FRAMES / self._fps for flash in flashes)


class ChangeWatch:
    """Shows each picture to one detector or two, and to the network where it looks."""

    def __init__(
        self, first: ShotDetector, second: ShotDetector | None, network: NetworkWatch | None
    ) -> None:
        self._first, self._second, self._network = first, second, network

    def feed(self, seconds: float, bgr: npt.NDArray[np.uint8]) -> None:
        """Pass one small BGR picture on."""
        for watcher in (self._first, self._second, self._network):
            if watcher is not None:
                watcher.feed(seconds, bgr)

    def cuts(self) -> list[float]:
        """The first detector's cuts."""
        return self._first.cuts()

    def changes(self, least_seconds: float) -> SourceChanges:
        """What all of them saw; ``least_seconds`` is the least time between two cuts."""
        second_look = self._second.cuts() if self._second is not None else None
        if self._network is None:
            return SourceChanges(self.cuts(), second_look=second_look)
        return self._network.changes(self.cuts(), second_look, least_seconds)
