"""Figure 6b: do the predicted expression tokens fall into clusters by what clips are said to show?

Shapes: P points (a clip of f frames each), D width of a point, K T motion tokens, W E sound.
"""

import itertools
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from talkingface_wild.core.arrays import Floats
from talkingface_wild.core.errors import InputUnreadable, RecipeError
from talkingface_wild.models.mcdm.analyses import clustering, drawing
from talkingface_wild.models.mcdm.analyses.speaking_portrait import (
    Draws,
    Subject,
    long_enough,
    rolled_tokens,
)
from talkingface_wild.models.mcdm.networks import MCDMParts
from talkingface_wild.models.mcdm.variants import Checkpoint, model_cautions

WITH, WITHOUT = "w/ F_pc", "w/o F_pc"
FEWEST_POINTS = 5


@dataclass(frozen=True)
class Cloud:
    """One space: its points in the plane, and figures of the space itself, not of the plane."""

    name: str
    space: str
    plane_P2: Floats
    purity: float | None
    silhouette: float | None


@dataclass(frozen=True)
class Expressions:
    """Both clouds over the same points, and what the points are."""

    clouds: tuple[Cloud, ...]
    clips: tuple[str, ...]
    labels: tuple[str, ...]
    labelled_by: str
    """What the labels are: ``emotion``, or for want of it ``identity`` or ``language``."""
    chance: float | None
    """Purity that labels without any bearing on the points would have."""
    neighbours: int
    portraits: int
    """How many portraits spoke: with one, only the sound tells clips apart."""
    cautions: tuple[str, ...]

    def figures(self) -> dict[str, Any]:
        """Purity and silhouette of each space."""
        spaces = {
            c.name: {"space": c.space, "purity": c.purity, "silhouette": c.silhouette}
            for c in self.clouds
        }
        return {
            "spaces": spaces,
            "purity_by_chance": self.chance,
            "labelled_by": self.labelled_by,
            "labels": sorted(set(self.labels)),
            "points": len(self.labels),
            "clips": len(set(self.clips)),
        }

    def rows(self) -> list[dict[str, Any]]:
        """The table: a row for each space and point; figures are repeated in each."""
        return [
            {
                "model": cloud.name,
                "space": cloud.space,
                "clip": clip,
                self.labelled_by: label,
                "tsne_x": float(x),
                "tsne_y": float(y),
                "purity": cloud.purity,
                "purity_by_chance": self.chance,
                "silhouette": cloud.silhouette,
            }
            for cloud in self.clouds
            for clip, label, (x, y) in zip(self.clips, self.labels, cloud.plane_P2, strict=True)
        ]


def expressions(
    checkpoint: Checkpoint,
    parts: MCDMParts,
    subjects: Sequence[Subject],
    labelled_by: str,
    draws: Draws,
    points_a_clip: int = 20,
    neighbours: int = 5,
    tell: Callable[[str], None] = lambda _: None,
) -> Expressions:
    """Roll the prior over every subject; each clip of f frames is one point, its tokens' mean.

    Beside it what the network without the prior would read: the sound tokens of variants/no_present
    where that is trained, else the sound features. Raises RecipeError for a model without a prior,
    InputUnreadable for too few points.
    """
    if parts.motion_prior is None:
        raise RecipeError(
            "Expected a model that predicts expression tokens, found the variant w/o F_pc; give "
            "the training folder of the model itself."
        )
    variant = checkpoint.variant("no_present", parts)
    step = parts.config.clip.frames
    fps = parts.config.picture.fps
    tokens, sounds, clips, labels = [], [], [], []
    for subject in long_enough(subjects, fps, step):
        count = min(points_a_clip, subject.frames(fps) // step)
        for token, sound in rolled_tokens(parts, subject, count, draws):
            tokens.append(_expression(parts, token))
            sounds.append(_sound(variant, sound))
        clips += [subject.name] * count
        labels += [subject.label] * count
        tell(f"{subject.name}: {count} points")
    if len(labels) < FEWEST_POINTS:
        raise InputUnreadable(
            f"Expected at least {FEWEST_POINTS} points (clips of {step} frames), found "
            f"{len(labels)}; give more or longer clips."
        )
    heard = "sound tokens of variants/no_present" if variant else "sound features"
    spaces = [(WITH, "predicted expression tokens", tokens), (WITHOUT, heard, sounds)]
    clouds = []
    for name, space, points in spaces:
        points_PD = clustering.standardised(np.stack(points))
        purity = clustering.neighbour_purity(points_PD, labels, clips, neighbours)
        silhouette = clustering.silhouette(points_PD, labels, clips)
        plane_P2 = clustering.plane(points_PD, draws.seed)
        clouds.append(Cloud(name, space, plane_P2, purity, silhouette))
    return Expressions(
        clouds=tuple(clouds),
        clips=tuple(clips),
        labels=tuple(labels),
        labelled_by=labelled_by,
        chance=clustering.chance_purity(labels, clips),
        neighbours=neighbours,
        portraits=len({subject.portrait_HWC.tobytes() for subject in subjects}),
        cautions=model_cautions(parts, {WITHOUT: variant.facts if variant else None}),
    )


def _expression(parts: MCDMParts, tokens_FKT: Tensor) -> Floats:
    """The expression tokens of a clip, averaged over its frames, (D,)."""
    tokens = parts.config.present.expression_tokens
    return tokens_FKT[:, -tokens:].double().mean(dim=0).flatten().numpy()


@torch.no_grad()
def _sound(variant: MCDMParts | None, sound_FWE: Tensor) -> Floats:
    """What stands in place of motion tokens without the prior, averaged over frames, (D,)."""
    rows = sound_FWE
    if variant is not None:
        rows = variant.unet.sound_in(sound_FWE[None].to(variant.device))[0]
    return rows.double().mean(dim=0).flatten().cpu().numpy()


_PLANE_INCHES = 3.9
_LONGEST_LABEL = 24
_LEGEND_LETTERS, _MARK_LETTERS = 104, 9
_MOST_LABELS = 24
_TITLE = "Expression tokens by {labels} (Figure 6b)"


def draw_expressions(path: Path, result: Expressions, source: str = "") -> None:
    """Write the picture; ``source`` says at its foot where the clips come from."""
    labels = sorted(set(result.labels))
    looks = dict(zip(labels, itertools.cycle(_looks()), strict=False))
    named = [
        label if len(label) <= _LONGEST_LABEL else f"{label[: _LONGEST_LABEL - 1]}…"
        for label in labels[:_MOST_LABELS]
    ]
    columns = max(1, _LEGEND_LETTERS // (max(map(len, named)) + _MARK_LETTERS))
    legend = 0.24 * (-(-len(named) // columns)) + 0.1
    title, notes = _TITLE.format(labels=result.labelled_by), [*_notes(result), source]
    with drawing.plate(path, _PLANE_INCHES + legend, title, notes, result.cautions) as figure:
        above, below = figure.subfigures(2, 1, height_ratios=[_PLANE_INCHES, legend])
        for axes, cloud in zip(above.subplots(1, 2), result.clouds, strict=True):
            _draw_cloud(axes, cloud, result, looks)
        handles, _ = above.axes[0].get_legend_handles_labels()
        below.legend(handles[: len(named)], named, loc="upper center", ncols=columns)


def _looks() -> list[tuple[str, str]]:
    """Colour and mark: first eight of each together, then other pairs of them."""
    return [
        (drawing.COLOURS[place], drawing.MARKERS[(place + turn) % len(drawing.MARKERS)])
        for turn in range(len(drawing.MARKERS))
        for place in range(len(drawing.COLOURS))
    ]


def _draw_cloud(
    axes: Any, cloud: Cloud, result: Expressions, looks: dict[str, tuple[str, str]]
) -> None:
    every = np.asarray(result.labels)
    for label, (colour, marker) in looks.items():
        x, y = cloud.plane_P2[every == label].T
        axes.scatter(
            x, y, s=26, c=colour, marker=marker, alpha=0.8, linewidths=0.4, edgecolors="white",
            label=label,
        )  # fmt: skip
    axes.set_title(
        f"{drawing.formula(cloud.name)}: {cloud.space}\n"
        f"purity {_shown(cloud.purity)} (chance {_shown(result.chance)}), "
        f"silhouette {_shown(cloud.silhouette)}",
        fontsize=9,
    )
    axes.set(xlabel="t-SNE 1", ylabel="t-SNE 2", xticks=[], yticks=[])
    axes.margins(0.08)


def _shown(value: float | None) -> str:
    return "none" if value is None else f"{value:.2f}".replace("-", "−")


def _notes(result: Expressions) -> list[str]:
    clips, labels = len(set(result.clips)), len(set(result.labels))
    notes = []
    if labels > _MOST_LABELS:
        notes.append(f"Of the {labels} labels the first {_MOST_LABELS} are named.")
    if result.labelled_by in ("identity", "language"):
        notes.append(
            f"No emotions are known of these clips: colours tell their {result.labelled_by}."
        )
    notes.append(
        f"{len(result.labels)} points of {clips} clips, {labels} labels. Purity: share of the "
        f"{result.neighbours} nearest points of other clips that have the label; silhouette: of "
        "the clips' means. Both in the space itself, each dimension at unit spread, not in this "
        "plane."
    )
    notes.append(
        "One portrait speaks in all clips, so only the sound tells them apart."
        if result.portraits == 1
        else "Each clip has its own portrait, which the prior sees beside the sound."
    )
    return notes
