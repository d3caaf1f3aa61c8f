"""What a clip's transformer blocks read beside the picture, and what they leave for the next clip.

Shapes: B clips, F frames, N places, C channels, S archived tokens, K motion tokens, D width.
"""

from dataclasses import dataclass, field

from torch import Tensor

Carried = dict[int, Tensor]
"""Motion memory by block: (B, N, C) the last row, or (B, F, N, C) all rows."""


@dataclass
class ClipContext:
    """Made once per clip, read by every block at every denoising step.

    ``kept`` holds each block's keys and values of the contexts once they are made; None in
    training, where nothing may be kept.
    """

    frames: int
    archived: Tensor | None
    """(B, S, D), or (B, F, N, D) where frame i reads archived frame i."""
    present_BFKD: Tensor | None = None
    present_on_B: Tensor | None = None
    """1 where a clip has present tokens, 0 where they are dropped; None is all 1."""
    bank: dict[int, Tensor] | None = None
    """The reference UNet's normed rows by block, (B, N, C)."""
    motion: bool = True
    """False leaves present and temporal attention out, as in stage 1."""
    kept: dict[tuple[int, str], tuple[Tensor, Tensor]] | None = None
    carried: Carried | None = None
    left: Carried = field(default_factory=dict)
    watched: list[Tensor] | None = None
    """A list here receives the present attention's probabilities, (B, F, heads, N, K) a block."""
