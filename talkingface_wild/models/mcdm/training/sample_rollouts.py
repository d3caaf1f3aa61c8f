"""Sample videos of a model in training: a rollout from a clip's first frame, beside the real one.

Shapes: T frames, H W pixels.
"""

import numpy as np
import numpy.typing as npt
import torch

from talkingface_wild.models.conditions.sound_features import sound_windows
from talkingface_wild.models.mcdm.archive import first_archive
from talkingface_wild.models.mcdm.networks import MCDMParts
from talkingface_wild.models.mcdm.rollout import Rollout
from talkingface_wild.models.mcdm.state import GenerationState
from talkingface_wild.models.mcdm.training.cached_clip import CachedClip

CLIPS = 3
SEED = 0


@torch.no_grad()
def sample_frames(
    parts: MCDMParts, clip: CachedClip, *, present: bool = True, clips: int = CLIPS
) -> npt.NDArray[np.uint8]:
    """(T, H, 2 W, 3): left the real frames as the codec gives them back, right the rollout."""
    config, device = parts.config, parts.device
    reference = clip.latents_TCHW[0].float().to(device)
    state = GenerationState(
        reference_CHW=reference,
        image_SE=clip.image_TE[0][None].float().to(device),
        archive_ACHW=first_archive(reference, config.clip.archive_frames),
        seed=SEED,
    )
    rollout = Rollout(parts)
    chunks = []
    frames = min(clip.frames, clips * config.clip.frames)
    while state.position < frames:
        start = state.position - config.present.overlap
        reach = config.present.audio_window
        sound = sound_windows(clip.sound_TE, start, parts.prior_frames, reach)
        done = rollout.clip(state, sound, present=present)
        state = done.state
        chunks.append(done.frames_FHWC.cpu())
    drawn = torch.cat(chunks)[:frames]
    real = parts.codec.decode(clip.latents_TCHW[:frames].float().to(device)).cpu()
    return torch.cat([real, drawn], dim=2).numpy()
