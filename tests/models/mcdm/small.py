"""A model of the preset ``tiny`` with fresh weights, in which everything has an effect."""

import numpy as np
import torch

from talkingface_wild.jobs.generate.state_file import load_state, save_state
from talkingface_wild.models.mcdm import MCDMParts, preset
from talkingface_wild.models.mcdm.rollout import GenerationState

QUICK = {"steps": 2, "prior_steps": 2}
"""Sampling that takes as little time as it can."""


def small_parts(settings: tuple[str, ...] = (), seed: int = 0) -> MCDMParts:
    """Fresh weights from ``seed``; ways out that begin at zero are drawn as well."""
    # For tensors as small as these one thread is faster than several.
    torch.set_num_threads(1)
    torch.manual_seed(seed)
    parts = MCDMParts.build(preset("tiny").changed(settings))
    parts.patch_codec.fit(faces(12))
    with torch.no_grad():
        for name in ("unet", "archived_prior", "motion_prior"):
            module = getattr(parts, name)
            for parameter in module.parameters() if module is not None else ():
                if not parameter.any():
                    parameter.normal_(std=0.1)
    return parts.eval()


def faces(count: int, side: int = 64) -> torch.Tensor:
    """Smooth pictures in colour, uint8 (count, side, side, 3)."""
    draws = torch.Generator().manual_seed(3)
    coarse = torch.rand(count, 3, 6, 6, generator=draws)
    fine = torch.nn.functional.interpolate(coarse, (side, side), mode="bicubic")
    return (fine.clamp(0, 1) * 255).to(torch.uint8).movedim(1, -1)


def portrait(side: int = 64) -> np.ndarray:
    """One of them."""
    return faces(1, side)[0].numpy()


def speech(seconds: float, seed: int = 0) -> np.ndarray:
    """Noise that swells and fades, int16 at 16 kHz."""
    draws = np.random.default_rng(seed)
    times = np.arange(round(seconds * 16_000)) / 16_000
    loud = 6000 * np.sin(2 * np.pi * 1.7 * times) ** 2
    return (loud * draws.standard_normal(len(times))).clip(-32768, 32767).astype(np.int16)


def through_a_file(state: GenerationState, path) -> GenerationState:
    """The state as it comes back from the disk."""
    save_state(path, state.packed(), {})
    return GenerationState.unpacked(load_state(path)[0])
