"""What a generator is: portrait and sound in, frames out. Nobody else knows more of it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt


class Generator(Protocol):
    """A talking-face generator with its weights loaded.

    ``frames`` yields chunks (T, S, S, 3) uint8 RGB at 25 frames a second, ``count`` frames in all,
    from one portrait (H, W, 3) uint8 RGB and mono sound (samples,) int16 at 16 kHz. Given the same
    inputs, seed and ``fingerprint`` it yields the same frames.
    """

    name: str
    stochastic: bool
    """Whether the seed changes the frames; then a protocol asks for several."""

    def fingerprint(self) -> str:
        """Names its configuration and its weights: outputs are kept by it."""
        ...

    def frames(
        self,
        portrait_HWC: npt.NDArray[np.uint8],
        sound: npt.NDArray[np.int16],
        count: int,
        seed: int,
    ) -> Iterator[npt.NDArray[np.uint8]]:
        """The frames, chunk by chunk, as they are made."""
        ...
