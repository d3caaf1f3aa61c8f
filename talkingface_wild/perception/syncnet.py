"""SyncNet v2 (Chung and Zisserman, 2016): mouths and sound in one space of 1,024 dimensions.
It embeds windows of a face crop and of sound; ``functional/sync_distances.py`` is their maths.
Shape legend: B batch, C channels, T frames, H height, W width, N frames of a clip, F cepstra.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

from talkingface_wild.core.outcome import ItemRejected
from talkingface_wild.functional.mfcc import mfcc
from talkingface_wild.perception.state_dict import load_state, load_strict

CROP = 224
"""Side of the face crop, in pixels."""
WINDOW_FRAMES = 5
"""Video frames that one window sees; 0.2 s at 25 frames a second."""
WINDOW_CEPSTRA = 20
"""Cepstral frames that one window hears; four a video frame."""
SAMPLES_PER_FRAME = 640
"""Samples of 16 kHz sound in one frame of 25 a second."""
LEAST_FRAMES = 6
"""The published rule drops the last window that would fit, so five frames give none."""
_LIP_BATCH = 8
_SOUND_BATCH = 64


@dataclass(frozen=True)
class Embeddings:
    """One row a window, both (windows, 1024) float32; window i begins at video frame i."""

    lips: npt.NDArray[np.float32]
    sounds: npt.NDArray[np.float32]


class SyncNet(nn.Module):
    """The published network under the names of its checkpoint ``syncnet_v2.model``."""

    def __init__(self) -> None:
        super().__init__()
        self.netcnnaud = nn.Sequential(
            *_block(nn.Conv2d(1, 64, 3, padding=1)),
            nn.MaxPool2d(1, 1),
            *_block(nn.Conv2d(64, 192, 3, padding=1)),
            nn.MaxPool2d(3, (1, 2)),
            *_block(nn.Conv2d(192, 384, 3, padding=1)),
            *_block(nn.Conv2d(384, 256, 3, padding=1)),
            *_block(nn.Conv2d(256, 256, 3, padding=1)),
            nn.MaxPool2d(3, 2),
            *_block(nn.Conv2d(256, 512, (5, 4))),
        )
        self.netfcaud = _head()
        self.netcnnlip = nn.Sequential(
            *_block(nn.Conv3d(3, 96, (5, 7, 7), (1, 2, 2))),
            nn.MaxPool3d((1, 3, 3), (1, 2, 2)),
            *_block(nn.Conv3d(96, 256, (1, 5, 5), (1, 2, 2), (0, 1, 1))),
            nn.MaxPool3d((1, 3, 3), (1, 2, 2), (0, 1, 1)),
            *_block(nn.Conv3d(256, 256, (1, 3, 3), padding=(0, 1, 1))),
            *_block(nn.Conv3d(256, 256, (1, 3, 3), padding=(0, 1, 1))),
            *_block(nn.Conv3d(256, 256, (1, 3, 3), padding=(0, 1, 1))),
            nn.MaxPool3d((1, 3, 3), (1, 2, 2)),
            *_block(nn.Conv3d(256, 512, (1, 6, 6))),
        )
        self.netfclip = _head()

    def lip_features(self, windows_BCTHW: Tensor) -> Tensor:
        """(B, 3, 5, 224, 224) B, G, R values 0–255 → (B, 512), before the linear layers."""
        return self.netcnnlip(windows_BCTHW).flatten(1)

    def lips(self, windows_BCTHW: Tensor) -> Tensor:
        """(B, 3, 5, 224, 224) B, G, R values 0–255 → (B, 1024), not normalised."""
        return self.netfclip(self.lip_features(windows_BCTHW))

    def sounds(self, cepstra_B1FT: Tensor) -> Tensor:
        """(B, 1, 13, 20) cepstra → (B, 1024), not normalised."""
        return self.netfcaud(self.netcnnaud(cepstra_B1FT).flatten(1))


def planar(branch: nn.Sequential) -> nn.Sequential:
    """``branch`` for inference: 2-D only, batch norms folded into the convolutions before them.

    Only the first lip convolution spans time, and all of it, so a window's five frames are fifteen
    channels of one picture. On one CPU core this takes two thirds of the time of the 3-D form; it
    differs from it by rounding alone. Input (B, C × T, H, W). ``branch`` has to be in eval mode.
    """
    layers: list[nn.Module] = []
    stages = list(branch)
    for stage, following in zip(stages, [*stages[1:], None], strict=True):
        if isinstance(stage, nn.Conv2d | nn.Conv3d):
            layers.append(_folded(stage, following))
        elif isinstance(stage, nn.MaxPool2d | nn.MaxPool3d):
            layers.append(
                nn.MaxPool2d(_plane(stage.kernel_size), _plane(stage.stride), _plane(stage.padding))
            )
        elif isinstance(stage, nn.ReLU):
            layers.append(stage)
    return nn.Sequential(*layers)


class SyncNetPerceiver:
    """Embeds clips of a face crop at 25 frames a second and their sound at 16 kHz."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def open(self, device: str = "cpu") -> Self:
        """Load the checkpoint onto ``device``; WeightMissing when it is of another layout."""
        network = SyncNet()
        load_strict(network, load_state(self.path), self.path)
        network.eval()
        self.device = torch.device(device)
        self._lips = nn.Sequential(planar(network.netcnnlip), nn.Flatten(), network.netfclip)
        self._sounds = nn.Sequential(planar(network.netcnnaud), nn.Flatten(), network.netfcaud)
        self._lips.to(self.device).eval()
        self._sounds.to(self.device).eval()
        return self

    def embed(
        self, frames_bgr_NHWC: npt.NDArray[np.uint8], samples_int16: npt.NDArray[np.int16]
    ) -> Embeddings:
        """(N, 224, 224, 3) uint8 in B, G, R order and (samples,) int16 → one row a window.

        The number of windows is min(N, samples // 640) − 5, one fewer than fit. The frames may be a
        ``numpy.memmap``: eight windows are in work at a time, whatever the clip's length.

        Raises ItemRejected ``too_few_windows`` below six frames of picture or sound, ValueError
        for frames of another size or type.
        """
        if frames_bgr_NHWC.shape[1:] != (CROP, CROP, 3) or frames_bgr_NHWC.dtype != np.uint8:
            raise ValueError(
                f"Expected frames of shape (N, {CROP}, {CROP}, 3) and type uint8, found "
                f"{frames_bgr_NHWC.shape} {frames_bgr_NHWC.dtype}; resize the face crops first."
            )
        frames = min(len(frames_bgr_NHWC), len(samples_int16) // SAMPLES_PER_FRAME)
        if frames < LEAST_FRAMES:
            raise ItemRejected(
                "too_few_windows",
                f"expected at least {LEAST_FRAMES} frames of picture and sound, found {frames}",
            )
        windows = frames - WINDOW_FRAMES
        with torch.inference_mode(), torch.backends.cudnn.flags(enabled=True, allow_tf32=False):
            lips = [
                self._lips(batch).float().cpu().numpy()
                for batch in self._lip_batches(frames_bgr_NHWC, windows)
            ]
            sounds = [
                self._sounds(batch).float().cpu().numpy()
                for batch in self._sound_batches(samples_int16, windows)
            ]
        return Embeddings(np.concatenate(lips), np.concatenate(sounds))

    def _lip_batches(self, frames: npt.NDArray[np.uint8], windows: int) -> Iterator[Tensor]:
        """Batches (B, 15, 224, 224); channel 5c + t is colour c of the window's frame t."""
        for start in range(0, windows, _LIP_BATCH):
            stop = min(start + _LIP_BATCH, windows)
            span = np.array(frames[start : stop + WINDOW_FRAMES - 1])
            pixels_THWC = torch.from_numpy(span).to(self.device).float()
            windows_BHWCT = pixels_THWC.unfold(0, WINDOW_FRAMES, 1)
            yield windows_BHWCT.flatten(3).permute(0, 3, 1, 2)

    def _sound_batches(self, samples: npt.NDArray[np.int16], windows: int) -> Iterator[Tensor]:
        """Batches (B, 1, 13, 20)."""
        cepstra_FT = torch.from_numpy(mfcc(samples).T.astype(np.float32))
        per_frame = WINDOW_CEPSTRA // WINDOW_FRAMES
        windows_BFT = cepstra_FT.unfold(1, WINDOW_CEPSTRA, per_frame).transpose(0, 1)[:windows]
        for start in range(0, windows, _SOUND_BATCH):
            yield windows_BFT[start : start + _SOUND_BATCH, None].contiguous().to(self.device)


def _block(convolution: nn.Conv2d | nn.Conv3d) -> tuple[nn.Module, nn.Module, nn.Module]:
    """A convolution, its batch norm and a rectifier: three positions of a Sequential."""
    norm = nn.BatchNorm2d if isinstance(convolution, nn.Conv2d) else nn.BatchNorm3d
    return convolution, norm(convolution.out_channels), nn.ReLU(inplace=True)


def _head() -> nn.Sequential:
    """512 features → 1,024 dimensions."""
    return nn.Sequential(
        nn.Linear(512, 512), nn.BatchNorm1d(512), nn.ReLU(inplace=True), nn.Linear(512, 1024)
    )


def _folded(convolution: nn.Conv2d | nn.Conv3d, norm: nn.Module | None) -> nn.Conv2d:
    """One 2-D convolution that does what ``convolution`` and the batch norm after it do."""
    if not isinstance(norm, nn.BatchNorm2d | nn.BatchNorm3d):
        raise TypeError("Every convolution of SyncNet is followed by a batch norm.")
    fused = fuse_conv_bn_eval(convolution, norm)
    weight = fused.weight.detach()
    if weight.ndim == 5:
        weight = weight.flatten(1, 2)
    planes = (_plane(fused.kernel_size), _plane(fused.stride), _plane(fused.padding))
    folded = nn.Conv2d(weight.shape[1], weight.shape[0], *planes)
    folded.weight = nn.Parameter(weight.contiguous(memory_format=torch.channels_last))
    folded.bias = fused.bias
    return folded


def _plane(size: int | str | tuple[int, ...]) -> tuple[int, int]:
    """Height and width of a size that may hold a time as well."""
    return (size[-2], size[-1]) if isinstance(size, tuple) else (int(size), int(size))
