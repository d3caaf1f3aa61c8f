"""Figure 7: SSIM over alpha, the weight of the past in the motion memory of equation 5."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from talkingface_wild.core.errors import RecipeError
from talkingface_wild.models.mcdm.analyses import drawing
from talkingface_wild.models.mcdm.analyses.speaking_portrait import (
    Draws,
    Subject,
    against,
    compared,
    long_enough,
)
from talkingface_wild.models.mcdm.networks import MCDMParts
from talkingface_wild.models.mcdm.variants import ALPHAS, Checkpoint, model_cautions, varied

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
        points = {f"{p.alpha:g}": {"ssim": p.ssim, "weights": p.weights} for p in self.points}
        without = None if self.without is None else self.without.ssim
        return {"alpha": points, "without_mta": without, "frames": self.frames}

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
        clips = _scores(bare, enough, draws, frames)
        without = AlphaPoint(None, "trained without it (variants/no_mta)", clips)
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
    scores = {}
    for subject in subjects:
        curve = [ssim_F for *_, ssim_F in compared(parts, subject, frames, draws)]
        scores[subject.name] = float(np.concatenate(curve).mean())
    return scores


_HEIGHT_INCHES = 3.6
_TITLE = r"SSIM over $\alpha$, the weight of the past in the motion memory (Figure 7)"
_LOOKS = {
    TRAINED: (drawing.COLOURS[0], "o", r"trained at this $\alpha$"),
    OWN: (drawing.COLOURS[0], "D", r"the model, trained at this $\alpha$"),
    SAME: ("white", "o", r"the model's weights, run at another $\alpha$"),
}


def draw_alpha(path: Path, curve: AlphaCurve, source: str = "") -> None:
    """Write the picture; ``source`` says at its foot where the clips come from."""
    notes = [*_notes(curve), source]
    with drawing.plate(path, _HEIGHT_INCHES, _TITLE, notes, curve.cautions) as figure:
        axes = figure.subplots()
        xs = [float(point.alpha or 0) for point in curve.points]
        ys = [point.ssim for point in curve.points]
        axes.plot(xs, ys, "-", color=drawing.COLOURS[0], linewidth=1.4, zorder=1)
        for weights, look in _LOOKS.items():
            _dots(axes, [point for point in curve.points if point.weights == weights], *look)
        for x, y in zip(xs, ys, strict=True):
            drawing.value(axes, f"{y:.4f}", (x, y), 10, 8.5)
        if curve.without is not None:
            axes.axhline(
                curve.without.ssim, color=drawing.COLOURS[1], linestyle="--", linewidth=1.6,
                label=f"w/o MTA: {curve.without.ssim:.4f}",
            )  # fmt: skip
        axes.set_xticks(xs, [f"{x:g}" for x in xs])
        axes.set_xlabel(r"$\alpha$")
        drawing.finish_similarity(axes, curve.against, x=0.06, y=0.25)


def _dots(axes: Any, points: list[AlphaPoint], face: str, marker: str, label: str) -> None:
    if not points:
        return
    xs, ys = [point.alpha for point in points], [point.ssim for point in points]
    if len(points[0].clips) > 1:
        below = [point.ssim - min(point.clips.values()) for point in points]
        above = [max(point.clips.values()) - point.ssim for point in points]
        axes.errorbar(xs, ys, (below, above), fmt="none", ecolor="#999999", capsize=3, zorder=0)
    drawing.dots(axes, xs, ys, marker, drawing.COLOURS[0], face, 8, label)


def _notes(curve: AlphaCurve) -> list[str]:
    clips = list(curve.points[0].clips)
    several = f"{len(clips)} clips (whiskers: the least and the greatest)"
    over = several if len(clips) > 1 else clips[0]
    notes = [f"Mean over the first {curve.frames} frames of {over}."]
    if any(point.weights == SAME for point in curve.points):
        notes.append(
            "Hollow dots are the model's weights run at an alpha that they were not trained at; "
            "weights trained at it may do otherwise."
        )
    if curve.without is None:
        notes.append("No line for w/o MTA: variants/no_mta was not trained.")
    return notes
