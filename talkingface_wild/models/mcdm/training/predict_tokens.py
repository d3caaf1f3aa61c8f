"""Motion tokens of whole clips by the prior, several clips side by side, for stage 3 (R17).

Shapes: B clips, F frames of a window with its overlap, W E sound windows, K T motion tokens.
"""

from collections.abc import Sequence
from pathlib import Path

import torch
from accelerate import Accelerator
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor

from talkingface_wild.core.fingerprint import digest
from talkingface_wild.core.paths import atomic_path
from talkingface_wild.models.conditions.sound_features import sound_windows
from talkingface_wild.models.mcdm.networks import MCDMParts
from talkingface_wild.models.mcdm.present_prior import PresentClipPrior, sampled_tokens
from talkingface_wild.models.mcdm.training.clip_features import CachedClip
from talkingface_wild.models.training.loop import end_if_stopped, iteration_generator
from talkingface_wild.models.weights_hash import tensors_sha256

SEED = 17
TOGETHER = 16
"""Clips that go side by side."""


@torch.no_grad()
def predict_tokens(
    parts: MCDMParts,
    clips: Sequence[CachedClip],
    folder: Path | None = None,
    accelerator: Accelerator | None = None,
) -> None:
    """Fill ``predicted_TKW`` of every clip as generation would: window after window, each going on
    from the last, from the clip's first frame as the reference. Several clips go side by side.

    With a ``folder`` a group that is done is kept there, in a file named by all that it rests on,
    and read again. Raises Interrupted between two groups once a stop was requested.
    """
    prior = parts.motion_prior
    if prior is None:
        raise ValueError("this variant has no motion prior")
    rests_on = [tensors_sha256({"prior": prior}), parts.config.sampling.prior_steps]
    for start in range(0, len(clips), TOGETHER):
        what = f"with motion tokens of {start} of {len(clips)} clips predicted for stage 3"
        end_if_stopped(accelerator, what + (", which are kept" if folder and start else ""))
        group = clips[start : start + TOGETHER]
        if folder is None:
            predicted = _predicted(parts, prior, group)
        else:
            names = [clip.clip_id for clip in group]
            features = [[clip.frames, clip.facts.get("fingerprint")] for clip in group]
            path = folder / f"{digest([rests_on, names, features], 24)}.safetensors"
            predicted = _kept(path, names) or _predicted(parts, prior, group)
            if not path.is_file():
                tensors = {k: v.contiguous() for k, v in zip(names, predicted, strict=True)}
                with atomic_path(path) as temporary:
                    save_file(tensors, temporary)
        for clip, tokens in zip(group, predicted, strict=True):
            clip.predicted_TKW = tokens


def _kept(path: Path, names: Sequence[str]) -> list[Tensor] | None:
    """The tokens of a group that was predicted before; None where they cannot be read."""
    try:
        tokens = load_file(path)
        return [tokens[name] for name in names]
    except (OSError, SafetensorError, KeyError):
        path.unlink(missing_ok=True)
        return None


def _predicted(
    parts: MCDMParts, prior: PresentClipPrior, clips: Sequence[CachedClip]
) -> list[Tensor]:
    """(T, K, W) of each clip."""
    config, device = parts.config, parts.device
    present, step, overlap = config.present, config.clip.frames, config.present.overlap
    longest = max(clip.frames for clip in clips)
    image = torch.stack([clip.image_TE[0][None].float() for clip in clips]).to(device)
    windows: list[Tensor] = []
    before: Tensor | None = None
    for number, start in enumerate(range(0, longest, step)):
        first, count = start - overlap, step + overlap
        rows = [sound_windows(c.sound_TE, first, count, present.audio_window) for c in clips]
        shape = (len(clips), count, prior.token_count, present.token_width)
        noise = torch.randn(shape, generator=iteration_generator(SEED, number)).to(device)
        tokens = sampled_tokens(
            prior,
            parts.prior_noise,
            config.sampling.prior_steps,
            noise,
            torch.stack(rows).to(device),
            image,
            None if before is None or not overlap else before[:, -overlap:],
        )
        before = tokens[:, overlap:]
        windows.append(before.cpu())
    tokens = torch.cat(windows, dim=1)
    return [tokens[place, : clip.frames] for place, clip in enumerate(clips)]
