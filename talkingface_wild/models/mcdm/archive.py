"""Which frames of what was made stay in the archive, and how a training sample's archive is drawn.

Shapes: A archived frames, F frames of a clip, C H W a latent.
"""

import torch
from torch import Tensor

STRIDE = 4
"""Of every so many frames one stays, under the policy ``strided``."""


def first_archive(reference_CHW: Tensor, frames: int) -> Tensor:
    """The archive before the first clip: the reference, again and again (section 3.5)."""
    return reference_CHW.expand(frames, *reference_CHW.shape).clone()


def updated_archive(
    archive_ACHW: Tensor,
    made_FCHW: Tensor,
    policy: str,
    position: int,
    seed: int,
    reference_CHW: Tensor | None = None,
) -> Tensor:
    """The archive after a clip whose first frame was number ``position`` of the video.

    ``last`` keeps the latest A frames, ``strided`` the latest of those whose number is a multiple
    of four, ``reservoir`` a uniform sample of all frames so far, drawn from ``seed`` and the number
    of a frame alone. With ``reference_CHW`` slot 0 is the reference, and frames take the others.
    """
    archive = archive_ACHW if reference_CHW is None else archive_ACHW[1:]
    slots = len(archive)
    if policy == "reservoir":
        for number, latent in enumerate(made_FCHW, start=position):
            slot = 0 if number < slots else _draw(seed, number)
            if slot < slots:
                archive = torch.cat([archive[:slot], archive[slot + 1 :], latent[None]])
    else:
        added = made_FCHW[-position % STRIDE :: STRIDE] if policy == "strided" else made_FCHW
        archive = torch.cat([archive, added])[len(added) :]
    if reference_CHW is not None:
        archive = torch.cat([reference_CHW[None], archive])
    return archive.clone() if archive is archive_ACHW else archive


def _draw(seed: int, number: int) -> int:
    """A uniform number in [0, ``number``], the same on every machine."""
    generator = torch.Generator().manual_seed((seed * 1_000_003 + number) % 2**63)
    return int(torch.randint(number + 1, (1,), generator=generator))
