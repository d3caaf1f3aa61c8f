"""Made-up cached clips: a square face whose mouth opens with the loudness of its sound."""

import numpy as np
import torch

from talkingface_wild.models.mcdm.networks import MCDMParts
from talkingface_wild.models.mcdm.training.clip_features import CachedClip


def made_pictures(frames: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """(T, 64, 64, 3) uint8, and the sound (T * 640,) int16 that opens the mouth."""
    random = np.random.default_rng(seed)
    loud = np.clip(np.convolve(random.random(frames), np.ones(3) / 3, "same"), 0, 1)
    pictures = np.full((frames, 64, 64, 3), 60, np.uint8)
    pictures[:, 10:62, 12:52] = random.integers(120, 220, 3, dtype=np.uint8)
    for frame, open_ in enumerate(loud):
        pictures[frame, 48 - round(6 * open_) : 48 + round(6 * open_) + 1, 22:42] = (90, 20, 30)
    tone = np.sin(np.arange(frames * 640) * 2 * np.pi * 220 / 16000)
    sound = (tone * np.repeat(loud, 640) * 12000).astype(np.int16)
    return pictures, sound


def made_clip(
    parts: MCDMParts, frames: int = 40, seed: int = 0, split: str = "train"
) -> CachedClip:
    """The clip as training reads it; fits the codec on first use."""
    pictures, sound = made_pictures(frames, seed)
    shown = torch.from_numpy(pictures)
    if not parts.patch_codec.basis_CP.any():
        parts.patch_codec.fit(shown)
    latents = parts.codec.encode(shown)
    covered = shown.clone()
    covered[:, 38:60, 18:46] = 128
    return CachedClip(
        clip_id=f"clip{seed}",
        latents_TCHW=latents,
        sound_TE=parts.sound_features.rows(sound, 0, frames),
        image_TE=parts.image_features.rows(shown, latents),
        lips_TSSC=shown[:, 37:61, 20:44].contiguous(),
        face_TSSC=covered[:, ::2, ::2].contiguous(),
        head_TSSC=shown[:, ::2, ::2].contiguous(),
        facts={"split": split, "identity": f"i{seed}", "language": "en"},
    )
