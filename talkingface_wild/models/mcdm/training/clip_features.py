"""Measures one clip: latents, sound and image features, crops, and head tokens of its landmarks.

Frames come in chunks, so memory does not grow with a clip beyond the features themselves.
Shapes: T frames, H W pixels (uint8 RGB), C H W a latent, E width of sound or image features,
P landmarks, S side of a crop, K motion tokens, W their width.
"""

import dataclasses
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import torch
from torch import Tensor

from talkingface_wild.core.errors import InputUnreadable
from talkingface_wild.core.fingerprint import digest
from talkingface_wild.models.conditions.crops import crop_windows
from talkingface_wild.models.mcdm.networks import MCDMParts, crop_sides
from talkingface_wild.models.training.clip_file import BULK, ClipFile
from talkingface_wild.models.training.training_clip import Pictures, TrainingClip
from talkingface_wild.models.weights_hash import tensors_sha256


@dataclass
class CachedClip(ClipFile):
    """Measured once by the stage ``features``; ``tokens`` by ``encoders``, ``predicted`` by 2."""

    FORMAT: ClassVar[str] = "tfw-mcdm-clip-1"

    latents_TCHW: Tensor
    sound_TE: Tensor
    """A row a frame; windows are cut by the sampler."""
    image_TE: Tensor
    """Image features of each frame: any may be the reference."""
    lips_TSSC: Tensor = field(metadata=BULK)
    """Mouth crops, uint8."""
    face_TSSC: Tensor = field(metadata=BULK)
    """Face crops whose mouth is masked, uint8."""
    head_TSSC: Tensor | None = field(default=None, metadata=BULK)
    """Down-scaled face crops, uint8, where there are no landmarks."""
    landmarks_TP2: Tensor | None = None
    """Landmarks in [0, 1] of the picture."""
    head_TKW: Tensor | None = None
    """Head tokens of the landmark guider or the head encoder."""
    tokens_TKW: Tensor | None = None
    """Motion tokens of the encoders: head, lips, expression."""
    predicted_TKW: Tensor | None = None
    """Motion tokens that the prior predicted from the sound."""


CHUNK = 16
"""Frames in work at once."""
FROZEN = ("vae", "patch_codec", "audio_encoder", "image_encoder")
"""Networks whose weights the features depend on; the guider's head tokens are made anew alone."""


class ClipMeasurer:
    """The frozen networks of a model, held ready. Raises InputUnreadable where one is missing."""

    def __init__(self, parts: MCDMParts, device: torch.device, max_frames: int) -> None:
        self.config, self.device, self.max_frames = parts.config, device, max_frames
        self.codec, self.sound, self.image = parts.codec, parts.sound_features, parts.image_features
        self.sides = crop_sides(parts.config)
        by_landmarks = parts.config.present.head == "landmarks"
        self.guider = parts.landmark_guider if by_landmarks else None
        self.guider_sha = tensors_sha256({"guider": self.guider})[:16] if self.guider else ""
        modules = {name: module for name, module in parts.modules().items() if name in FROZEN}
        picture, present = dataclasses.asdict(parts.config.picture), parts.config.present
        kinds = [present.audio, present.image, present.head]
        self.fingerprint = digest([picture, kinds, self.sides, max_frames, tensors_sha256(modules)])
        """Everything but the clip and the guider that the features depend on."""

    @torch.no_grad()
    def measured(self, clip: TrainingClip) -> CachedClip:
        """The clip's features. Raises InputUnreadable, and whatever its calls raise."""
        if self.guider is not None and clip.points_TP2 is None:
            raise InputUnreadable("expected landmarks, found none in this clip")
        windows, sound = crop_windows(clip), clip.sound()
        rows: dict[str, list[Tensor]] = defaultdict(list)
        first = 0
        for chunk in self._chunks(clip):
            frames = torch.from_numpy(chunk).to(self.device)
            latents = self.codec.encode(frames)
            rows["latents_TCHW"].append(latents.half().cpu())
            rows["image_TE"].append(self.image.rows(frames, latents).half().cpu())
            rows["sound_TE"].append(self.sound.rows(sound, first, len(chunk)).half().cpu())
            for name, crops in windows.crops(frames, first, self.sides).items():
                rows[f"{name}_TSSC"].append(crops.cpu())
            first += len(chunk)
        if not first:
            raise InputUnreadable("expected frames, found none")
        if self.config.present.head != "face_crop":
            rows.pop("head_TSSC")
        facts = {
            **clip.facts,
            "identity": clip.identity,
            "language": clip.language,
            "split": clip.split,
            "mouth_from": windows.source,
            "head_from": self.config.present.head,
            "frames": first,
            "cut_at_max_frames": first == self.max_frames,
        }
        tensors = {name: torch.cat(pieces) for name, pieces in rows.items()}
        cached = CachedClip(clip_id=clip.clip_id, facts=facts, **tensors)
        if clip.points_TP2 is not None:
            index = np.arange(first).clip(max=len(clip.points_TP2) - 1)
            cached.landmarks_TP2 = torch.from_numpy(clip.points_TP2[index].astype(np.float32))
        self.add_head(cached)
        return cached

    def add_head(self, clip: CachedClip) -> bool:
        """Head tokens by the guider as it is now; whether that changed anything."""
        if self.guider is None or clip.landmarks_TP2 is None or not self.stale(clip.facts):
            return False
        clip.head_TKW = self.guider(clip.landmarks_TP2.numpy()).half().cpu()
        clip.facts["guider"] = self.guider_sha
        return True

    def stale(self, facts: Mapping[str, Any]) -> bool:
        """Whether head tokens are another guider's."""
        return facts.get("guider", "") != self.guider_sha

    def refresh(self, path: Path) -> None:
        """Head tokens of a file that another guider made."""
        clip = CachedClip.load(path, crops=True)
        if self.add_head(clip):
            clip.save(path)

    def _chunks(self, clip: TrainingClip) -> Iterator[Pictures]:
        """At most ``CHUNK`` frames at a time, ``max_frames`` in all."""
        side, left = self.config.picture.side, self.max_frames
        for frames in clip.squares(side):
            taken = frames[:left]
            left -= len(taken)
            for start in range(0, len(taken), CHUNK):
                yield np.ascontiguousarray(taken[start : start + CHUNK])
            if not left:
                return
