"""S3FD (Zhang et al., ICCV 2017), the face detector of SyncNet's published pipeline.
Curation finds faces by SCRFD; this one serves scores that others have to be able to repeat.
Shape legend: B batch, N frames, C channels, H height, W width, P priors, K faces.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Self

import cv2
import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.nn.utils import convert_conv2d_weight_memory_format

from talkingface_wild.perception.state_dict import load_state, load_strict

Pixels = npt.NDArray[np.uint8]
Floats = npt.NDArray[np.float32]

WEIGHT = "s3fd"
"""The weight: ``sfd_face.pth``."""
MEAN_RGB = (123.0, 117.0, 104.0)
"""Taken off R, G and B, which the network sees in that order."""
STRIDES = (4, 8, 16, 32, 64, 128)
SIDES = (16, 32, 64, 128, 256, 512)
"""Pixels between priors and their side, for each of the six maps."""
VARIANCES = (0.1, 0.2)
LEAST_SCORE = 0.05
MOST_CANDIDATES = 5000
MOST_OVERLAP = 0.3
MOST_KEPT = 750
"""The network's own selection: score, number, overlap of boxes, number of boxes."""
LAST_OVERLAP = 0.1
"""The pipeline's second selection lets boxes overlap by no more than this."""
LEAST_INPUT = 28
"""Below this side, in pixels, the network's last maps are empty."""
_VGG = (64, 64, 0, 128, 128, 0, 256, 256, 256, 0, 512, 512, 512, 0, 512, 512, 512, 0)
_BATCH = 8


class ScaledNorm(nn.Module):
    """Each position's channels brought to length 1, then scaled channel by channel."""

    def __init__(self, channels: int, scale: float) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.full((channels,), scale))

    def forward(self, x_BCHW: Tensor) -> Tensor:
        """(B, C, H, W) → the same shape."""
        lengths = x_BCHW.square().sum(dim=1, keepdim=True).sqrt() + 1e-10
        return x_BCHW / lengths * self.weight.view(1, -1, 1, 1)


class S3FD(nn.Module):
    """The published network under the names of its checkpoint ``sfd_face.pth``."""

    def __init__(self) -> None:
        super().__init__()
        self.vgg = nn.ModuleList(_vgg_layers())
        self.L2Norm3_3 = ScaledNorm(256, 10.0)
        self.L2Norm4_3 = ScaledNorm(512, 8.0)
        self.L2Norm5_3 = ScaledNorm(512, 5.0)
        self.extras = nn.ModuleList(
            [
                nn.Conv2d(1024, 256, 1),
                nn.Conv2d(256, 512, 3, stride=2, padding=1),
                nn.Conv2d(512, 128, 1),
                nn.Conv2d(128, 256, 3, stride=2, padding=1),
            ]
        )
        channels = (256, 512, 512, 1024, 512, 256)
        self.loc = nn.ModuleList([nn.Conv2d(count, 4, 3, padding=1) for count in channels])
        outputs = (4, 2, 2, 2, 2, 2)
        self.conf = nn.ModuleList(
            [
                nn.Conv2d(count, wide, 3, padding=1)
                for count, wide in zip(channels, outputs, strict=True)
            ]
        )

    def forward(self, x_BCHW: Tensor) -> tuple[Tensor, Tensor]:
        """(B, 3, H, W), means taken off → scores (B, P) and boxes (B, P, 4).

        A score is the probability of a face; a box is x0, y0, x1, y1 in widths and heights of the
        input. On the finest map the surest of three kinds of background counts.
        """
        scores, boxes = [], []
        for level, x in enumerate(self._maps(x_BCHW)):
            confidence = self.conf[level](x)
            background = confidence[:, :-1].amax(dim=1)
            both_B2HW = torch.stack([background, confidence[:, -1]], dim=1)
            scores.append(F.softmax(both_B2HW, dim=1)[:, 1].flatten(1))
            offsets_BP4 = self.loc[level](x).permute(0, 2, 3, 1).flatten(1, 2)
            height, width = x_BCHW.shape[2:]
            priors = _priors(level, (x.shape[2], x.shape[3]), (height, width)).to(x)
            boxes.append(_decode(offsets_BP4, priors))
        return torch.cat(scores, dim=1), torch.cat(boxes, dim=1)

    def _maps(self, x: Tensor) -> list[Tensor]:
        """The six maps that faces are looked for in, finest first."""
        maps = []
        norms = {15: self.L2Norm3_3, 22: self.L2Norm4_3, 29: self.L2Norm5_3}
        for index, layer in enumerate(self.vgg):
            x = layer(x)
            if index in norms:
                maps.append(norms[index](x))
        maps.append(x)
        for index, layer in enumerate(self.extras):
            x = F.relu(layer(x))
            if index % 2:
                maps.append(x)
        return maps


class S3FDPerceiver:
    """Finds faces in frames as SyncNet's pipeline does: one scale, two selections.

    ``scale`` shrinks the frames before they are searched; ``confidence`` is the least score.
    """

    def __init__(self, path: Path, scale: float = 0.25, confidence: float = 0.9) -> None:
        self.path = path
        self.scale = scale
        self.confidence = confidence
        self._network: Any = None

    def open(self, device: str = "cpu") -> Self:
        """Load the checkpoint onto ``device``; WeightMissing when it is of another layout."""
        network = S3FD()
        load_strict(network, load_state(self.path), self.path)
        convert_conv2d_weight_memory_format(network, torch.channels_last)
        self.device = torch.device(device)
        self._network = network.eval().to(self.device)
        return self

    def detect(self, frames_NHWC: Pixels | Sequence[Pixels]) -> list[Floats]:
        """For each frame (H, W, 3) uint8 R, G, B its faces (K, 5), surest first.

        A row is x0, y0, x1, y1 in the frame's pixels and the score. Frames are of one size and may
        come from a ``numpy.memmap``: eight are in work at a time. A frame that is shrunk to fewer
        than 28 pixels a side is too small for the network and has no faces.
        """
        faces: list[Floats] = []
        for start in range(0, len(frames_NHWC), _BATCH):
            faces += self._detect(frames_NHWC[start : start + _BATCH])
        return faces

    def _detect(self, frames: Pixels | Sequence[Pixels]) -> list[Floats]:
        """Faces of one batch."""
        if self._network is None:
            self.open()
        small = np.stack([self._shrunk(frame) for frame in frames])
        if min(small.shape[1:3]) < LEAST_INPUT:
            return [np.zeros((0, 5), dtype=np.float32) for _ in frames]
        pixels_BHWC = torch.from_numpy(small).to(self.device).float()
        x_BCHW = (pixels_BHWC - pixels_BHWC.new_tensor(MEAN_RGB)).permute(0, 3, 1, 2)
        with torch.inference_mode(), torch.backends.cudnn.flags(enabled=True, allow_tf32=False):
            scores_BP, boxes_BP4 = (part.cpu().numpy() for part in self._network(x_BCHW))
        height, width = frames[0].shape[:2]
        pixels = np.array([width, height, width, height], dtype=np.float32)
        faces = []
        for scores, boxes in zip(scores_BP, boxes_BP4, strict=True):
            selected = select(scores, boxes)
            sure = selected[selected[:, 4] > self.confidence] * [*pixels, 1]
            kept = suppress(sure[:, :4], sure[:, 4], LAST_OVERLAP)
            faces.append(sure[kept].astype(np.float32))
        return faces

    def _shrunk(self, frame_HWC: Pixels) -> Pixels:
        """The frame as it is searched."""
        height, width = frame_HWC.shape[:2]
        if min(height, width) * self.scale < 1:
            return np.zeros((1, 1, 3), dtype=np.uint8)
        return cv2.resize(frame_HWC, None, fx=self.scale, fy=self.scale)


def select(scores_P: Floats, boxes_P4: Floats) -> Floats:
    """The network's own choice of boxes (K, 5), x0, y0, x1, y1 and score, surest first."""
    places = np.flatnonzero(scores_P > LEAST_SCORE)
    places = places[np.argsort(-scores_P[places], kind="stable")][:MOST_CANDIDATES]
    kept = places[suppress(boxes_P4[places], scores_P[places], MOST_OVERLAP)][:MOST_KEPT]
    return np.column_stack([boxes_P4[kept], scores_P[kept]])


def suppress(
    boxes_K4: npt.NDArray[np.floating], scores_K: npt.NDArray[np.floating], most_overlap: float
) -> npt.NDArray[np.int64]:
    """Places of the boxes that stay, surest first: none overlaps a surer one that stays by more.

    Overlap is intersection over union, of widths and heights without a pixel added.
    """
    low, high = boxes_K4[:, :2], boxes_K4[:, 2:]
    areas = np.prod(high - low, axis=1)
    waiting = np.argsort(-scores_K, kind="stable")
    kept = []
    while len(waiting):
        first, waiting = waiting[0], waiting[1:]
        kept.append(first)
        sides = np.minimum(high[first], high[waiting]) - np.maximum(low[first], low[waiting])
        shared = np.prod(np.maximum(sides, 0), axis=1)
        unions = areas[first] + areas[waiting] - shared
        waiting = waiting[shared <= most_overlap * unions]
    return np.array(kept, dtype=np.int64)


def _vgg_layers() -> list[nn.Module]:
    """VGG-16 to its fifth stage, then two wide layers; positions are those of the checkpoint."""
    layers: list[nn.Module] = []
    channels = 3
    for width in _VGG:
        if width:
            layers += [nn.Conv2d(channels, width, 3, padding=1), nn.ReLU(inplace=True)]
            channels = width
        else:
            layers.append(nn.MaxPool2d(2, 2, ceil_mode=len(layers) == 16))
    wide = nn.Conv2d(512, 1024, 3, padding=6, dilation=6)
    last = nn.Conv2d(1024, 1024, 1)
    return [*layers, wide, nn.ReLU(inplace=True), last, nn.ReLU(inplace=True)]


def _priors(level: int, counts: tuple[int, int], size: tuple[int, int]) -> Tensor:
    """Centres and sides (P, 4) of one map's priors, x before y, in sizes of the input.

    ``counts`` are the map's rows and columns, ``size`` the input's height and width in pixels.
    """
    rows, columns = (torch.arange(count, dtype=torch.float64) + 0.5 for count in counts)
    y, x = torch.meshgrid(
        rows * STRIDES[level] / size[0], columns * STRIDES[level] / size[1], indexing="ij"
    )
    width = torch.full_like(x, SIDES[level] / size[1])
    height = torch.full_like(x, SIDES[level] / size[0])
    return torch.stack([x, y, width, height], dim=2).flatten(0, 1)


def _decode(offsets_BP4: Tensor, priors_P4: Tensor) -> Tensor:
    """Boxes (B, P, 4), x0, y0, x1, y1, from offsets to priors."""
    centres = priors_P4[:, :2] + offsets_BP4[..., :2] * VARIANCES[0] * priors_P4[:, 2:]
    sides = priors_P4[:, 2:] * torch.exp(offsets_BP4[..., 2:] * VARIANCES[1])
    low = centres - sides / 2
    return torch.cat([low, low + sides], dim=-1)
