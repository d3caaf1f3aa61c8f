"""Draws motion tokens from the present-clip prior: noise taken off in steps, the overlap given.

Shapes: B clips, F frames of a window with its overlap O, W E sound windows, S image features,
K T motion tokens, H head tokens.
"""

from diffusers import DDIMScheduler
from torch import Tensor

from talkingface_wild.models.mcdm.present_prior import PresentClipPrior
from talkingface_wild.models.samplers.denoising import denoise
from talkingface_wild.models.samplers.noise import make_solver


def sampled_tokens(
    prior: PresentClipPrior,
    schedule: DDIMScheduler,
    steps: int,
    noise_BFKT: Tensor,
    sound_BFWE: Tensor,
    image_BSE: Tensor,
    known_BOKT: Tensor | None = None,
    head_BFHT: Tensor | None = None,
) -> Tensor:
    """Motion tokens (B, F, K, T) that ``noise_BFKT`` becomes in ``steps``.

    The window goes on from ``known_BOKT``, tokens of the clip before (A.7 of docs/mcdm.md).
    ``head_BFHT`` are given head tokens.
    """

    def predict(seen: Tensor, time: Tensor, _: int) -> Tensor:
        return prior(seen, time, sound_BFWE, image_BSE, head_BFHT).float()

    solver = make_solver("ddim", schedule, steps, noise_BFKT.device)
    tokens = denoise(solver, noise_BFKT, predict, known_BO=known_BOKT)
    if head_BFHT is not None:
        tokens[:, :, : head_BFHT.shape[2]] = head_BFHT
    return tokens
