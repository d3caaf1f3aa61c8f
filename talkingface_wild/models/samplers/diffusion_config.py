"""What is diffused how: the noise, what is predicted of it, and how losses are weighed."""

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class DiffusionConfig:
    """Noise, what is predicted, and how losses are weighed."""

    prediction: Literal["epsilon", "v_prediction", "sample"] = "epsilon"
    steps: int = 1000
    """Training steps of the noise schedule."""
    schedule: Literal["scaled_linear", "linear", "squaredcos_cap_v2"] = "scaled_linear"
    beta_start: float = 0.00085
    beta_end: float = 0.012
    zero_snr: bool = False
    """The last step is pure noise."""
    spacing: Literal["leading", "trailing"] = "leading"
    snr_gamma: float = 0.0
    """Min-SNR weighting; 0 is none."""
    noise_offset: float = 0.0
    drop: float = 0.1
    """Share of the clips whose context of a kind is dropped, for guidance (R22)."""
