"""The variants of the paper's Tables 4 and 5 and of Figure 7: their settings, their checkpoints."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from talkingface_wild.core.errors import InputUnreadable, RecipeError, nearest
from talkingface_wild.models.mcdm.config import MCDMConfig
from talkingface_wild.models.mcdm.networks import CONFIG_NAME, MCDMParts
from talkingface_wild.models.mcdm.pipeline import model_folder

VARIANTS: dict[str, tuple[str, tuple[str, ...]]] = {
    "ours": ("MCDM", ()),
    "no_archive": ("w/o F_a", ("archived.kind=none",)),
    "no_present": ("w/o F_pc", ("present.kind=audio_attention",)),
    "no_mta": ("w/o MTA", ("temporal.kind=standard",)),
    "qformer": ("B1 (Q-Former)", ("archived.kind=qformer",)),
    "reference_unet": ("B2 (Reference UNet)", ("archived.kind=reference_unet",)),
    **{
        f"alpha_{int(10 * alpha)}": (f"alpha {alpha}", (f"temporal.alpha={alpha}",))
        for alpha in (0.0, 0.1, 0.3, 0.5, 0.7, 0.9)
    },
}
"""Each variant's name in the paper and its settings."""

ABLATIONS = ("no_archive", "no_present", "no_mta", "qformer", "reference_unet")
"""Rows of Tables 4 and 5 beside the model itself."""
ALPHAS = tuple(name for name in VARIANTS if name.startswith("alpha_"))
"""Points of Figure 7."""
FOLDER = "variants"
"""Where a training folder keeps its variants, each a training folder of its own."""


def varied(config: MCDMConfig, variant: str) -> MCDMConfig:
    """The configuration of a variant. RecipeError names the nearest for an unknown one."""
    if variant not in VARIANTS:
        raise RecipeError(
            f"Expected a variant of {', '.join(VARIANTS)}, found {variant!r}"
            f"{nearest(variant, VARIANTS)}."
        )
    return config.changed(VARIANTS[variant][1])


SMALL = 256
"""Models whose frames are narrower say nothing of the paper's figures."""


@dataclass(frozen=True)
class Checkpoint:
    """``model`` holds the networks, ``training`` the variants' folders."""

    model: Path
    training: Path

    @classmethod
    def find(cls, folder: Path) -> Checkpoint:
        """From the ``--out`` of ``tfw train`` or a model's folder. Raises InputUnreadable."""
        model = model_folder(folder)
        if (model / CONFIG_NAME).is_file():
            return cls(model, model.parent if model.name == "model" else model)
        raise InputUnreadable(
            f"Expected an MCDM checkpoint in {folder}, found none; give the --out of 'tfw train', "
            "or the folder that it named as its model."
        )

    def load(self, device: torch.device | str = "cpu") -> MCDMParts:
        """The model itself, as at inference."""
        return MCDMParts.load(self.model, device).eval()

    def variant_folder(self, name: str) -> Path | None:
        """Where a variant's model lies, or None when none was trained."""
        folder = self.training / FOLDER / name / "model"
        return folder if (folder / CONFIG_NAME).is_file() else None

    def variant(self, name: str, like: MCDMParts) -> MCDMParts | None:
        """A variant's model on the device of ``like``, or None when none was trained.

        Raises RecipeError when its frames are not those of ``like``.
        """
        folder = self.variant_folder(name)
        if folder is None:
            return None
        parts = MCDMParts.load(folder, like.device).eval()
        ours, theirs = like.config.picture, parts.config.picture
        if (ours.side, ours.fps) != (theirs.side, theirs.fps):
            raise RecipeError(
                f"Expected the variant in {folder} to make frames of {ours.side} px at {ours.fps} "
                f"a second as the model does, found {theirs.side} px at {theirs.fps}; train the "
                "variant with the model's preset."
            )
        return parts


def model_cautions(
    parts: MCDMParts, variants: Mapping[str, Mapping[str, Any] | None]
) -> tuple[str, ...]:
    """``cautions`` of a model and the facts of its variants, by name; None was not trained."""
    facts = {f"The variant {name}": f for name, f in variants.items() if f is not None}
    return tuple(cautions(parts.config.picture.side, {"The model": parts.facts} | facts))


def cautions(side: int, facts: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """Sentences that the picture must carry: small frames, models that are not trained to the end.

    ``facts`` are the models' own, by what they are called.
    """
    sentences = []
    if side < SMALL:
        sentences.append(
            f"A {side}-pixel model: it shows that the analysis works, not what MCDM does at "
            "full size."
        )
    for name, model_facts in facts.items():
        stages = model_facts.get("stages", {})
        if "3" not in stages:
            done = ", ".join(stages) or "none"
            sentences.append(f"{name} is not fully trained (stages done: {done}).")
    return sentences
