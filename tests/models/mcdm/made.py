"""Tiny models and batches that the tests of this folder share."""

import torch

from talkingface_wild.models.mcdm import MCDMParts, preset
from talkingface_wild.models.mcdm.training.sampling import MotionBatch, PictureBatch


def tiny(*settings):
    """The preset ``tiny`` with settings."""
    return preset("tiny").changed(settings)


def made_parts(*settings, seed=0):
    """A tiny model with fresh weights."""
    torch.manual_seed(seed)
    return MCDMParts.build(tiny(*settings))


def awakened(parts):
    """The same model with every parameter moved a little, so that no way out is zero."""
    for module in parts.modules().values():
        awaken(module)
    return parts


def awaken(module, seed=1):
    """Move every parameter of a network a little."""
    draws = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for parameter in module.parameters():
            parameter += 0.05 * torch.randn(parameter.shape, generator=draws)


def picture_batch(config, clips=2, seed=2, image_tokens=1):
    """Random latents, sound and motion tokens of the right shapes."""
    draws = torch.Generator().manual_seed(seed)
    picture, present, clip = config.picture, config.present, config.clip
    latent = (picture.latent_channels, picture.latent_side, picture.latent_side)
    window = 2 * present.audio_window + 1

    def drawn(*shape):
        return torch.randn(clips, *shape, generator=draws)

    return PictureBatch(
        present_BFCHW=drawn(clip.frames, *latent),
        archive_BACHW=drawn(clip.archive_frames, *latent),
        reference_BCHW=drawn(*latent),
        image_BSE=drawn(image_tokens, present.image_width),
        sound_BFWE=drawn(clip.frames, window, present.audio_width),
        tokens_BFKT=drawn(clip.frames, present.tokens, present.token_width),
    )


def motion_batch(config, clips=2, seed=3):
    """Random motion tokens and sound; landmarks are given for every other clip."""
    draws = torch.Generator().manual_seed(seed)
    present = config.present
    frames = config.clip.frames + present.overlap
    window = 2 * present.audio_window + 1
    return MotionBatch(
        tokens_BFKT=torch.randn(
            clips, frames, present.tokens, present.token_width, generator=draws
        ),
        sound_BFWE=torch.randn(clips, frames, window, present.audio_width, generator=draws),
        image_BSE=torch.randn(clips, 1, present.image_width, generator=draws),
        landmarks_on_B=torch.arange(clips) % 2 == 1,
    )
