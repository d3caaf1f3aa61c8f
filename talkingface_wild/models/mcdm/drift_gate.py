"""Looks at every clip that is made: one that left the portrait's look is made again from before it.

Each clip starts from the last one, so a clip that drifts would pull all later ones with it. The
state before a clip is never changed: going back costs nothing but the clip.
Shapes: F frames, H W pixels (uint8 RGB).
"""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from torch import Tensor
from torch.nn import functional

from talkingface_wild.models.mcdm.rollout import GenerationState, MadeClip

Look = dict[str, float]
Identity = Callable[[Tensor], float]
"""How much frames show the portrait's person, higher is more; handed in by who has a network."""

LUMA = (0.299, 0.587, 0.114)
COLOURS = ("red", "green", "blue")


@dataclass(frozen=True)
class DriftLimits:
    """How far a clip may be from the portrait, or from the first clip, whichever is nearer.

    Of real footage (face crops of 20 videos, 254 clips of 16 frames, against the first frame) no
    clip moved further than 0.028, 1.07 and 1.17 times; the limits leave room above that.
    """

    colour: float = 0.045
    """Move of a colour's mean, in parts of the full range."""
    contrast: float = 1.2
    """Ratio of the spreads of brightness, either way."""
    sharpness: float = 1.5
    """Ratio of the mean absolute second differences of brightness, either way."""
    identity: float = 0.25
    """Fall of the likeness that a network gives."""


def look_at(frames_FHWC: Tensor, identity: Identity | None = None) -> Look:
    """The look of frames: means of the colours in [0, 1], contrast, sharpness, and likeness."""
    unit_F3HW = frames_FHWC.movedim(-1, 1).float() / 255
    look = dict(zip(COLOURS, unit_F3HW.mean(dim=(0, 2, 3)).tolist(), strict=True))
    luma_F1HW = (unit_F3HW * unit_F3HW.new_tensor(LUMA)[:, None, None]).sum(dim=1, keepdim=True)
    kernel = luma_F1HW.new_tensor([[0.0, 1.0, 0.0], [1.0, -4.0, 1.0], [0.0, 1.0, 0.0]])
    edges = functional.conv2d(luma_F1HW, kernel[None, None])
    look["contrast"] = float(luma_F1HW.std(dim=(1, 2, 3), correction=0).mean())
    look["sharpness"] = float(edges.abs().mean())
    if identity is not None:
        look["identity"] = float(identity(frames_FHWC))
    return look


@dataclass
class DriftGate:
    """Makes a clip, and again with other noise while it drifts; the best of all is kept."""

    limits: DriftLimits = field(default_factory=DriftLimits)
    identity: Identity | None = None
    attempts: int = 2
    """How often a clip is made again at most."""

    def start(self, state: GenerationState, portrait_FHWC: Tensor) -> None:
        """Note the portrait's look, as the model's codec gives it back, in a fresh state."""
        look = look_at(portrait_FHWC, self.identity)
        state.look = {f"portrait.{name}": value for name, value in look.items()}

    def clip(self, state: GenerationState, make: Callable[[int], MadeClip]) -> MadeClip:
        """The next clip. ``make`` makes it from ``state``, given the number of the attempt.

        The state after it counts what was made again, and has the first clip's look once known.
        """
        best, least, best_look = make(0), math.inf, {}
        candidate = best
        for attempt in range(self.attempts + 1):
            if attempt:
                candidate = make(attempt)
            look = look_at(candidate.frames_FHWC, self.identity)
            drift = self.drift(look, state.look)
            if drift < least:
                best, least, best_look = candidate, drift, look
            if drift <= 1:
                break
        best.state.retries = state.retries + attempt
        if not any(name.startswith("first.") for name in state.look):
            first = {f"first.{name}": value for name, value in best_look.items()}
            best.state.look = state.look | first
        return best

    def drift(self, look: Look, looks: Mapping[str, float]) -> float:
        """How far a look is from the nearer of the two known ones; above 1 it is too far."""
        distances = [
            self._distance(look, then)
            for kind in ("portrait.", "first.")
            if (then := {k.removeprefix(kind): v for k, v in looks.items() if k.startswith(kind)})
        ]
        return min(distances, default=0.0)

    def _distance(self, look: Look, then: Mapping[str, float]) -> float:
        limits = self.limits
        ratios = [abs(look[name] - then[name]) / limits.colour for name in COLOURS]
        for name, limit in (("contrast", limits.contrast), ("sharpness", limits.sharpness)):
            now, before = max(look[name], 1e-4), max(then[name], 1e-4)
            ratios.append(abs(math.log(now / before)) / math.log(limit))
        if "identity" in look and "identity" in then:
            ratios.append((then["identity"] - look["identity"]) / limits.identity)
        return max(ratios)
