"""Draws Figure 7: a dot for each alpha, filled where the weights were trained at it."""

from pathlib import Path
from typing import Any

from talkingface_wild.models.mcdm.analyses.alpha import OWN, SAME, TRAINED, AlphaCurve, AlphaPoint
from talkingface_wild.models.mcdm.analyses.drawing import (
    COLOURS,
    draw_dots,
    draw_value,
    finish_similarity,
    plate,
)

_HEIGHT_INCHES = 3.6
_TITLE = r"SSIM over $\alpha$, the weight of the past in the motion memory (Figure 7)"
_LOOKS = {
    TRAINED: (COLOURS[0], COLOURS[0], "o", r"trained at this $\alpha$"),
    OWN: (COLOURS[0], COLOURS[0], "D", r"the model, trained at this $\alpha$"),
    SAME: (COLOURS[0], "white", "o", r"the model's weights, run at another $\alpha$"),
}


def draw_alpha(path: Path, curve: AlphaCurve, source: str = "") -> None:
    """Write the picture; ``source`` says at its foot where the clips come from."""
    with plate(path, _HEIGHT_INCHES, _TITLE, [*_notes(curve), source], curve.cautions) as figure:
        axes = figure.subplots()
        xs = [float(point.alpha or 0) for point in curve.points]
        ys = [point.ssim for point in curve.points]
        axes.plot(xs, ys, "-", color=COLOURS[0], linewidth=1.4, zorder=1)
        for weights, (edge, face, marker, label) in _LOOKS.items():
            dots = [point for point in curve.points if point.weights == weights]
            if dots:
                _dots(axes, dots, edge, face, marker, label)
        for x, y in zip(xs, ys, strict=True):
            draw_value(axes, f"{y:.4f}", (x, y), 10, 8.5)
        if curve.without is not None:
            axes.axhline(
                curve.without.ssim, color=COLOURS[1], linestyle="--", linewidth=1.6,
                label=f"w/o MTA: {curve.without.ssim:.4f}",
            )  # fmt: skip
        axes.set_xticks(xs, [f"{x:g}" for x in xs])
        axes.set_xlabel(r"$\alpha$")
        finish_similarity(axes, curve.against, x=0.06, y=0.25)


def _dots(
    axes: Any, points: list[AlphaPoint], edge: str, face: str, marker: str, label: str
) -> None:
    xs, ys = [point.alpha for point in points], [point.ssim for point in points]
    if len(points[0].clips) > 1:
        below = [point.ssim - min(point.clips.values()) for point in points]
        above = [max(point.clips.values()) - point.ssim for point in points]
        axes.errorbar(xs, ys, (below, above), fmt="none", ecolor="#999999", capsize=3, zorder=0)
    draw_dots(axes, xs, ys, marker, edge, face, 8, label)


def _notes(curve: AlphaCurve) -> list[str]:
    clips = list(curve.points[0].clips)
    over = f"{len(clips)} clips (whiskers: the least and the greatest)"
    notes = [
        f"Mean over the first {curve.frames} frames of {over if len(clips) > 1 else clips[0]}."
    ]
    if any(point.weights == SAME for point in curve.points):
        notes.append(
            "Hollow dots are the model's weights run at an alpha that they were not trained at; "
            "weights trained at it may do otherwise."
        )
    if curve.without is None:
        notes.append("No line for w/o MTA: variants/no_mta was not trained.")
    return notes
