"""Figure 6b: do the predicted expression tokens fall into clusters by what clips are said to show?

Shapes: P points (a clip of f frames each), D width of a point, K T motion tokens, W E sound.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from talkingface_wild.core.errors import InputUnreadable, RecipeError
from talkingface_wild.models.mcdm.analyses.clustering import (
    chance_purity,
    neighbour_purity,
    plane,
    silhouette,
    standardised,
)
from talkingface_wild.models.mcdm.analyses.rolling import Draws, rolled_tokens
from talkingface_wild.models.mcdm.analyses.speaking_portrait import Subject, long_enough
from talkingface_wild.models.mcdm.analyses.trained_variants import Checkpoint, model_cautions
from talkingface_wild.models.mcdm.networks import MCDMParts

Floats = npt.NDArray[np.float64]
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
            cloud.name: {
                "space": cloud.space,
                "purity": cloud.purity,
                "silhouette": cloud.silhouette,
            }
            for cloud in self.clouds
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
    return Expressions(
        clouds=tuple(
            _cloud(name, space, np.stack(points), labels, clips, neighbours, draws.seed)
            for name, space, points in spaces
        ),
        clips=tuple(clips),
        labels=tuple(labels),
        labelled_by=labelled_by,
        chance=chance_purity(labels, clips),
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


def _cloud(
    name: str,
    space: str,
    points_PD: Floats,
    labels: Sequence[str],
    clips: Sequence[str],
    neighbours: int,
    seed: int,
) -> Cloud:
    points_PD = standardised(points_PD)
    return Cloud(
        name=name,
        space=space,
        plane_P2=plane(points_PD, seed),
        purity=neighbour_purity(points_PD, labels, clips, neighbours),
        silhouette=silhouette(points_PD, labels, clips),
    )
