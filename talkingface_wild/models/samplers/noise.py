"""Noise schedules: what training adds to clean samples, and the solvers that take it off again.

All of it is diffusers'; this file only says which of its schedulers a configuration means.
"""

from typing import Any, Literal

import torch
from diffusers import (
    DDIMScheduler,
    DPMSolverMultistepScheduler,
    LCMScheduler,
    SchedulerMixin,
    UniPCMultistepScheduler,
)
from pydantic.dataclasses import dataclass
from torch import Tensor

from talkingface_wild.core.errors import RecipeError

SOLVERS = {
    "ddim": DDIMScheduler,
    "dpm++": DPMSolverMultistepScheduler,
    "unipc": UniPCMultistepScheduler,
    "lcm": LCMScheduler,
}


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


def make_noise(config: DiffusionConfig) -> DDIMScheduler:
    """The schedule of a configuration, as diffusers' DDIM scheduler.

    Raises RecipeError for noise prediction with a schedule that ends in pure noise, where the
    sample cannot be told from the noise.
    """
    if config.zero_snr and config.prediction == "epsilon":
        raise RecipeError(
            "Expected zero_snr with prediction v_prediction or sample, found epsilon; at the last "
            "step there is no signal that predicted noise could be taken from."
        )
    return DDIMScheduler(
        num_train_timesteps=config.steps,
        beta_start=config.beta_start,
        beta_end=config.beta_end,
        beta_schedule=config.schedule,
        prediction_type=config.prediction,
        rescale_betas_zero_snr=config.zero_snr,
        timestep_spacing=config.spacing,
        steps_offset=1 if config.spacing == "leading" else 0,
        clip_sample=False,
        set_alpha_to_one=config.zero_snr,
    )


def make_solver(name: str, noise: DDIMScheduler, steps: int, device: Any = "cpu") -> SchedulerMixin:
    """A fresh solver with its timesteps set; solvers of order 2 keep state, so one per clip."""
    if name not in SOLVERS:
        raise RecipeError(f"Expected a solver of {', '.join(SOLVERS)}, found {name!r}.")
    solver = SOLVERS[name].from_config(noise.config)
    solver.set_timesteps(steps, device=device)
    return solver


def diffusion_target(noise: DDIMScheduler, clean: Tensor, added: Tensor, time_B: Tensor) -> Tensor:
    """What the network is asked for: the noise, v, or the clean sample."""
    kind = noise.config.prediction_type
    if kind == "epsilon":
        return added
    if kind == "v_prediction":
        return noise.get_velocity(clean, added, time_B)
    return clean


def loss_weight(noise: DDIMScheduler, time_B: Tensor, snr_gamma: float) -> Tensor:
    """Min-SNR weights (Hang et al. 2023) for a squared error on what is predicted; 1 without."""
    if not snr_gamma:
        return torch.ones(len(time_B), device=time_B.device)
    alpha_B = noise.alphas_cumprod.to(time_B.device)[time_B].clamp(1e-8, 1 - 1e-8)
    snr_B = alpha_B / (1 - alpha_B)
    kind = noise.config.prediction_type
    if kind == "epsilon":
        return snr_B.clamp(max=snr_gamma) / snr_B
    # One is added, as published trainings do: at pure noise the weight would be 0, and sampling
    # begins there.
    capped_B = (snr_B + 1).clamp(max=snr_gamma)
    return capped_B / (snr_B + 1) if kind == "v_prediction" else capped_B
