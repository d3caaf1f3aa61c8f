"""The one denoising loop: noise becomes a sample, step by step, by what a network predicts.

Shapes: B samples, F frames, O frames that are known; the rest is the caller's.
"""

from collections.abc import Callable
from typing import Any

import torch
from diffusers import LCMScheduler
from torch import Tensor

Predict = Callable[[Tensor, Tensor, int], Tensor]
"""What a network predicts (float32) of a sample at a timestep; the last is the step's number."""


def denoise(
    solver: Any,
    noise_BF: Tensor,
    predict: Predict,
    *,
    guidance: float = 1.0,
    known_BO: Tensor | None = None,
    draws: torch.Generator | None = None,
) -> Tensor:
    """The sample that ``noise_BF`` becomes by a fresh solver, which has its timesteps.

    With a ``guidance`` other than 1 ``predict`` gets the batch twice and gives first the halves
    without, then those with their contexts. ``known_BO``, the first frames of the sample, are
    noised and put in at every step, so that the rest goes on from them. Solvers that draw noise of
    their own take it from ``draws``.
    """
    extra = {"generator": draws} if isinstance(solver, LCMScheduler) else {}
    sample = noise_BF * solver.init_noise_sigma
    for step, time in enumerate(solver.timesteps):
        if known_BO is not None:
            overlap = known_BO.shape[1]
            times_B = time.expand(len(sample))
            sample[:, :overlap] = solver.add_noise(known_BO, noise_BF[:, :overlap], times_B)
        seen = solver.scale_model_input(sample, time)
        if guidance == 1.0:
            predicted = predict(seen, time, step)
        else:
            without, having = predict(torch.cat([seen, seen]), time, step).chunk(2)
            predicted = without + guidance * (having - without)
        sample = solver.step(predicted, time, sample, **extra).prev_sample
    return sample
