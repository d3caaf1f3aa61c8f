"""Figure 7: SSIM over alpha, the weight of the past in the motion memory of equation 5."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np

from talkingface_wild.core.errors import RecipeError
from talkingface_wild.models.mcdm.analyses.rolling import Draws, compared
from talkingface_wild.models.mcdm.analyses.speaking_portrait import Subject, against, long_enough
from talkingface_wild.models.mcdm.analyses.trained_variants import Checkpoint, model_cautions
from talkingface_wild.models.mcdm.networks import MCDMParts
from talkingface_wild.models.mcdm.variants import ALPHAS, varied

OWN, TRAINED, SAME = "the model", "trained at this alpha", "the model's weights"


@dataclass(frozen=True)
class AlphaPoint:
    """Mean SSIM of each subject at one alpha; None is the model without the memory."""

    alpha: float | None
    weights: str
    clips: dict[str, float]

    @property
    def ssim(self) -> float:
        """The mean over subjects."""
        return float(np.mean(list(self.clips.values())))


@dataclass(frozen=True)
class AlphaCurve:
    """Points in the order of alpha, and the model without memory where there is one."""

    points: tuple[AlphaPoint, ...]
    without: AlphaPoint | None
    frames: int
    against: str
    cautions: tuple[str, ...]

    def figures(self) -> dict[str, Any]:
        """SSIM and where its weights come from, by alpha."""
        points: dict[str, Any] = {
            f"{point.alpha:g}": {"ssim": point.ssim, "weights": point.weights}
            for point in self.points
        }
        return {
            "alpha": points,
            "without_mta": None if self.without is None else self.without.ssim,
            "frames": self.frames,
        }

    def rows(self) -> list[dict[str, Any]]:
        """The table: a row for each alpha and clip, and their mean."""
        every = [*self.points, *([self.without] if self.without else [])]
        return [
            {
                "model": "w/o MTA" if point.alpha is None else "w/ MTA",
                "alpha": point.alpha,
                "weights": point.weights,
                "clip": clip,
                "frames": self.frames,
                "against": self.against,
                "ssim": value,
            }
            for point in every
            for clip, value in [*point.clips.items(), ("all", point.ssim)]
        ]


def alpha_curve(
    checkpoint: Checkpoint,
    parts: MCDMParts,
    subjects: Sequence[Subject],
    draws: Draws,
    frames: int,
    tell: Callable[[str], None] = lambda _: None,
) -> AlphaCurve:
    """SSIM over the first ``frames`` frames of every subject that has them, at each alpha.

    Raises RecipeError for a model without memory, InputUnreadable where no subject is long enough.
    """
    if parts.config.temporal.kind != "memory":
        raise RecipeError(
            "Expected a model with memory-efficient temporal attention, found the variant "
            "w/o MTA; give the training folder of the model itself."
        )
    enough = long_enough(subjects, parts.config.picture.fps, frames)
    points: list[AlphaPoint] = []
    variants: dict[str, Any] = {}
    for name in ALPHAS:
        alpha = varied(parts.config, name).temporal.alpha
        variant = checkpoint.variant(name, parts)
        weights = TRAINED if variant else OWN if alpha == parts.config.temporal.alpha else SAME
        with memory_at(variant or parts, alpha):
            clips = _scores(variant or parts, enough, draws, frames)
        points.append(AlphaPoint(alpha, weights, clips))
        variants[name] = variant.facts if variant else None
        tell(f"alpha {alpha:g}: SSIM {points[-1].ssim:.4f} ({weights})")
    bare, without = checkpoint.variant("no_mta", parts), None
    if bare is not None:
        without = AlphaPoint(
            None, "trained without it (variants/no_mta)", _scores(bare, enough, draws, frames)
        )
        variants["w/o MTA"] = bare.facts
        tell(f"w/o MTA: SSIM {without.ssim:.4f}")
    sentences = model_cautions(parts, variants)
    return AlphaCurve(tuple(points), without, frames, against(enough), sentences)


@contextmanager
def memory_at(parts: MCDMParts, alpha: float) -> Iterator[None]:
    """The motion memory of every block at another alpha, and back as it was."""
    blocks = parts.unet.motion_blocks()
    before = [block.mta.alpha for block in blocks]
    try:
        for block in blocks:
            block.mta.alpha = alpha
        yield
    finally:
        for block, own in zip(blocks, before, strict=True):
            block.mta.alpha = own


def _scores(
    parts: MCDMParts, subjects: Sequence[Subject], draws: Draws, frames: int
) -> dict[str, float]:
    """Mean SSIM of each subject."""
    curves = {
        subject.name: [ssim_F for *_, ssim_F in compared(parts, subject, frames, draws)]
        for subject in subjects
    }
    return {name: float(np.concatenate(curve).mean()) for name, curve in curves.items()}
