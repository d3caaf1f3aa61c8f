"""Motion tokens of whole clips by the prior, several clips side by side, for stage 3 (R17).

Shapes: B clips, F frames of a window with its overlap, W E sound windows, K T motion tokens.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor

from talkingface_wild.core.fingerprint import digest
from talkingface_wild.core.paths import atomic_path
from talkingface_wild.models.conditions.sound import sound_windows
from talkingface_wild.models.mcdm.networks import MCDMParts
from talkingface_wild.models.mcdm.prior_sampling import sampled_tokens
from talkingface_wild.models.mcdm.training.cached_clip import CachedClip
from talkingface_wild.models.provenance import tensors_sha256
from talkingface_wild.models.training.loop import iteration_generator

SEED = 17


class PredictedTokens:
    """The prior, rolled over clips from their sound, with each clip's first frame as reference."""

    def __init__(self, parts: MCDMParts) -> None:
        if parts.motion_prior is None:
            raise ValueError("this variant has no motion prior")
        self.parts, self.prior = parts, parts.motion_prior

    def of(self, clips: Sequence[CachedClip]) -> list[Tensor]:
        """(T, K, W) of each clip."""
        config, device = self.parts.config, self.parts.device
        step, overlap = config.clip.frames, config.present.overlap
        longest = max(clip.frames for clip in clips)
        image = torch.stack([clip.image_TE[0][None].float() for clip in clips]).to(device)
        windows: list[Tensor] = []
        before: Tensor | None = None
        for number, start in enumerate(range(0, longest, step)):
            sound = torch.stack(
                [
                    sound_windows(
                        clip.sound_TE, start - overlap, step + overlap, config.present.audio_window
                    )
                    for clip in clips
                ]
            ).to(device)
            before = self._window(sound, image, before, number)
            windows.append(before.cpu())
        tokens = torch.cat(windows, dim=1)
        return [tokens[place, : clip.frames] for place, clip in enumerate(clips)]

    def _window(self, sound: Tensor, image: Tensor, before: Tensor | None, number: int) -> Tensor:
        """(B, F - overlap, K, T) of the next window."""
        parts, present = self.parts, self.parts.config.present
        overlap = present.overlap
        shape = (len(sound), sound.shape[1], self.prior.token_count, present.token_width)
        noise = torch.randn(shape, generator=iteration_generator(SEED, number)).to(sound.device)
        tokens = sampled_tokens(
            self.prior,
            parts.prior_noise,
            parts.config.sampling.prior_steps,
            noise,
            sound,
            image,
            None if before is None or not overlap else before[:, -overlap:],
        )
        return tokens[:, overlap:]


class KeptTokens:
    """Groups of clips whose tokens are predicted: a file each, named by all that it rests on."""

    def __init__(self, parts: MCDMParts, folder: Path) -> None:
        if parts.motion_prior is None:
            raise ValueError("this variant has no motion prior")
        sampling = parts.config.sampling.prior_steps
        self._prior = [tensors_sha256({"prior": parts.motion_prior}), sampling]
        self._folder = folder

    def of(
        self, clips: Sequence[CachedClip], predict: Callable[[Sequence[CachedClip]], list[Tensor]]
    ) -> list[Tensor]:
        """(T, K, W) of each clip: read, or predicted and kept."""
        names = [clip.clip_id for clip in clips]
        features = [[clip.frames, clip.facts.get("fingerprint")] for clip in clips]
        path = self._folder / f"{digest([self._prior, names, features], 24)}.safetensors"
        try:
            tokens = load_file(path)
            return [tokens[name] for name in names]
        except (OSError, SafetensorError, KeyError):
            predicted = predict(clips)
        with atomic_path(path) as temporary:
            contiguous = [rows.contiguous() for rows in predicted]
            save_file(dict(zip(names, contiguous, strict=True)), temporary)
        return predicted
