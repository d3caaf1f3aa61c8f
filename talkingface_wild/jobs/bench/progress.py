"""How ``tfw bench`` stands while a generator makes its videos, and after that."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

from talkingface_wild.core.parts import Part, PartsProgress
from talkingface_wild.core.reporter import ProgressRow, Snapshot

if TYPE_CHECKING:
    from talkingface_wild.benchmark.outputs import DrawingState

_LATER = (ProgressRow("features", 0, None), ProgressRow("scores", 0, 1))
"""What follows the videos."""


class VideosProgress:
    """The first row of a run whose videos are made now; none where they are there already."""

    def __init__(self, measuring: float = 0.0) -> None:
        """``measuring`` is what measuring one video will take, in wall seconds."""
        self._measuring = measuring
        self._parts: PartsProgress | None = None
        self._missing = 0

    def update(self, state: DrawingState) -> None:
        """Take how far the generator is."""
        if self._parts is None:
            self._missing = state.missing
            self._parts = PartsProgress("videos and scores", [Part("videos", state.missing)])
        self._parts.update("videos", state.finished + state.share)

    def snapshot(self) -> Snapshot:
        """While videos are made; the time left covers what follows."""
        if self._parts is None:
            return Snapshot("videos", (), 0.0, None)
        shown = self._parts.snapshot()
        left = shown.seconds_left
        if left is not None:
            left += self._measuring * self._missing
        return dataclasses.replace(shown, rows=(*shown.rows, *_LATER), seconds_left=left)

    def before(self, features: Snapshot) -> Snapshot:
        """The features' own snapshot, after the videos that are made by now."""
        if self._parts is None:
            return features
        whole = self._parts.snapshot()
        rows = (*whole.rows, *features.rows)
        return dataclasses.replace(features, rows=rows, seconds=whole.seconds)
