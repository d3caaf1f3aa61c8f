"""The Inception of FID (Heusel et al., 2017; weights of 2015-12-05): frames as 2,048 numbers.
It only embeds; ``functional/resize.py`` holds the resizers, and distances are taken elsewhere.
Shape legend: B batch, N frames, C channels, H height, W width.
"""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Literal, Self

import numpy as np
import numpy.typing as npt
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from talkingface_wild.functional.resize import half_pixel_bilinear, pil_bicubic, tf1_bilinear
from talkingface_wild.perception.folding import fold_norms
from talkingface_wild.perception.state_dict import load_state, load_strict

SIDE = 299
"""Side of the resized frame, in pixels."""
FEATURES = 2048
"""Numbers that describe a frame."""
CLASSES = 1008
"""Classes of the last layer; the graph of 2015 had eight more than ImageNet."""
_WIDTHS = {"64": 64, "768": 768, "2048": FEATURES, "logits_unbiased": CLASSES}
_BATCH = 8

Resize = Literal["clean", "torch-fidelity", "pytorch-fid"]


def _centred(grey: Tensor) -> Tensor:
    """0–255 → −1–0.992, as the TensorFlow graph of 2015 did."""
    return (grey - 128) / 128


def _symmetric(grey: Tensor) -> Tensor:
    """0–255 → −1–1."""
    return grey * (2 / 255) - 1


PROTOCOLS: Mapping[Resize, tuple[Callable[[Tensor, int], Tensor], Callable[[Tensor], Tensor]]] = {
    "clean": (pil_bicubic, _centred),
    "torch-fidelity": (tf1_bilinear, _centred),
    "pytorch-fid": (half_pixel_bilinear, _symmetric),
}
"""Resizer and range of values of each FID. ``torch-fidelity`` is also what torchmetrics, StyleGAN's
metrics and clean-fid's legacy_tensorflow mode do."""


class InceptionFid(nn.Module):
    """The published network under torch-fidelity's names; 1,008 classes, no auxiliary head.

    Where it differs from torchvision's Inception v3: average pools do not count their padding, and
    the last block pools by maximum.
    """

    def __init__(self) -> None:
        super().__init__()
        self.Conv2d_1a_3x3 = _Unit(3, 32, 3, stride=2)
        self.Conv2d_2a_3x3 = _Unit(32, 32, 3)
        self.Conv2d_2b_3x3 = _Unit(32, 64, 3, padding=1)
        self.Conv2d_3b_1x1 = _Unit(64, 80, 1)
        self.Conv2d_4a_3x3 = _Unit(80, 192, 3)
        self.Mixed_5b = _BlockA(192, pooled=32)
        self.Mixed_5c = _BlockA(256, pooled=64)
        self.Mixed_5d = _BlockA(288, pooled=64)
        self.Mixed_6a = _BlockB(288)
        self.Mixed_6b = _BlockC(768, inner=128)
        self.Mixed_6c = _BlockC(768, inner=160)
        self.Mixed_6d = _BlockC(768, inner=160)
        self.Mixed_6e = _BlockC(768, inner=192)
        self.Mixed_7a = _BlockD(768)
        self.Mixed_7b = _BlockE(1280, _average)
        self.Mixed_7c = _BlockE(2048, _maximum)
        self.fc = nn.Linear(FEATURES, CLASSES)

    def taps(self, images_BCHW: Tensor) -> dict[str, Tensor]:
        """(B, 3, 299, 299) → the four outputs that FID codes use, one row an image.

        ``64`` and ``768`` are averages over the picture after the first pool and after Mixed_6e,
        ``2048`` the features of FID, ``logits_unbiased`` (B, 1008) the class scores without bias.
        """
        first = F.max_pool2d(
            self.Conv2d_2b_3x3(self.Conv2d_2a_3x3(self.Conv2d_1a_3x3(images_BCHW))), 3, 2
        )
        second = F.max_pool2d(self.Conv2d_4a_3x3(self.Conv2d_3b_1x1(first)), 3, 2)
        third = self.Mixed_6a(self.Mixed_5d(self.Mixed_5c(self.Mixed_5b(second))))
        third = self.Mixed_6e(self.Mixed_6d(self.Mixed_6c(self.Mixed_6b(third))))
        last = self.Mixed_7c(self.Mixed_7b(self.Mixed_7a(third)))
        features = last.mean((2, 3))
        return {
            "64": first.mean((2, 3)),
            "768": third.mean((2, 3)),
            "2048": features,
            "logits_unbiased": features @ self.fc.weight.T,
        }

    def forward(self, images_BCHW: Tensor) -> Tensor:
        """(B, 3, 299, 299) → (B, 2048)."""
        return self.taps(images_BCHW)["2048"]


class InceptionPerceiver:
    """Embeds frames for FID and KID under one of the published ways to resize."""

    def __init__(self, path: Path, resize: Resize = "clean", autocast: bool = False) -> None:
        self.path = path
        self.autocast = autocast
        self._resizer, self._range = PROTOCOLS[resize]

    def open(self, device: str = "cpu") -> Self:
        """Load the checkpoint onto ``device``.

        Raises WeightMissing when the file is absent, is of another network, or is TorchScript (the
        ``inception-2015-12-05.pt`` of StyleGAN and clean-fid), which holds code.
        """
        network = InceptionFid()
        load_strict(network, load_state(self.path), self.path)
        network.eval()
        fold_norms(network, "conv", "bn")
        self.device = torch.device(device)
        self._network = network.to(self.device)
        return self

    def embed(self, frames_NHWC: npt.NDArray[np.uint8]) -> npt.NDArray[np.float32]:
        """(N, H, W, 3) uint8 in R, G, B order → (N, 2048) float32.

        A frame's features do not depend on the frames beside it, save for the last bits: sums are
        taken in another order in a batch of another size. ``frames_NHWC`` may be a
        ``numpy.memmap``. ``autocast`` computes with fewer bits; never publish numbers of it.

        Raises ValueError for frames of another shape or type.
        """
        return self.taps(frames_NHWC)["2048"]

    def taps(self, frames_NHWC: npt.NDArray[np.uint8]) -> dict[str, npt.NDArray[np.float32]]:
        """The four outputs of ``InceptionFid.taps``, one row a frame; else as ``embed``."""
        if frames_NHWC.ndim != 4 or frames_NHWC.shape[3] != 3 or frames_NHWC.dtype != np.uint8:
            raise ValueError(
                "Expected frames of shape (N, height, width, 3) and type uint8, found "
                f"{frames_NHWC.shape} {frames_NHWC.dtype}; give R, G, B bytes."
            )
        outputs = {
            name: np.empty((len(frames_NHWC), width), dtype=np.float32)
            for name, width in _WIDTHS.items()
        }
        for start in range(0, len(frames_NHWC), _BATCH):
            batch = np.array(frames_NHWC[start : start + _BATCH])
            images = self._prepared(torch.from_numpy(batch).to(self.device))
            with (
                torch.inference_mode(),
                torch.backends.cudnn.flags(enabled=True, allow_tf32=False),
                torch.autocast(self.device.type, torch.bfloat16, enabled=self.autocast),
            ):
                taps = self._network.taps(images)
            for name, rows in outputs.items():
                rows[start : start + len(batch)] = taps[name].float().cpu().numpy()
        return outputs

    def _prepared(self, frames_BHWC: Tensor) -> Tensor:
        """Bytes (B, H, W, 3) → what the network is fed, (B, 3, 299, 299)."""
        grey = self._resizer(frames_BHWC, SIDE)
        return self._range(grey).contiguous(memory_format=torch.channels_last)


class _Unit(nn.Module):
    """A convolution without bias, its batch norm and a rectifier."""

    def __init__(
        self,
        entering: int,
        leaving: int,
        kernel: int | tuple[int, int],
        stride: int = 1,
        padding: int | tuple[int, int] = 0,
    ) -> None:
        super().__init__()
        self.conv = nn.Conv2d(entering, leaving, kernel, stride, padding, bias=False)
        self.bn = nn.BatchNorm2d(leaving, eps=0.001)

    def forward(self, images_BCHW: Tensor) -> Tensor:
        return F.relu(self.bn(self.conv(images_BCHW)), inplace=True)


def _average(images_BCHW: Tensor) -> Tensor:
    """Mean of 3 × 3 pixels; at the edge, of those that there are."""
    return F.avg_pool2d(images_BCHW, 3, stride=1, padding=1, count_include_pad=False)


def _maximum(images_BCHW: Tensor) -> Tensor:
    """Greatest of 3 × 3 pixels."""
    return F.max_pool2d(images_BCHW, 3, stride=1, padding=1)


class _BlockA(nn.Module):
    """35 × 35 pixels → 35 × 35; 224 channels and those of the pooled branch."""

    def __init__(self, entering: int, pooled: int) -> None:
        super().__init__()
        self.branch1x1 = _Unit(entering, 64, 1)
        self.branch5x5_1 = _Unit(entering, 48, 1)
        self.branch5x5_2 = _Unit(48, 64, 5, padding=2)
        self.branch3x3dbl_1 = _Unit(entering, 64, 1)
        self.branch3x3dbl_2 = _Unit(64, 96, 3, padding=1)
        self.branch3x3dbl_3 = _Unit(96, 96, 3, padding=1)
        self.branch_pool = _Unit(entering, pooled, 1)

    def forward(self, images: Tensor) -> Tensor:
        one = self.branch1x1(images)
        five = self.branch5x5_2(self.branch5x5_1(images))
        three = self.branch3x3dbl_3(self.branch3x3dbl_2(self.branch3x3dbl_1(images)))
        return torch.cat([one, five, three, self.branch_pool(_average(images))], 1)


class _BlockB(nn.Module):
    """35 × 35 pixels → 17 × 17, 768 channels."""

    def __init__(self, entering: int) -> None:
        super().__init__()
        self.branch3x3 = _Unit(entering, 384, 3, stride=2)
        self.branch3x3dbl_1 = _Unit(entering, 64, 1)
        self.branch3x3dbl_2 = _Unit(64, 96, 3, padding=1)
        self.branch3x3dbl_3 = _Unit(96, 96, 3, stride=2)

    def forward(self, images: Tensor) -> Tensor:
        double = self.branch3x3dbl_3(self.branch3x3dbl_2(self.branch3x3dbl_1(images)))
        return torch.cat([self.branch3x3(images), double, F.max_pool2d(images, 3, 2)], 1)


class _BlockC(nn.Module):
    """17 × 17 pixels → 17 × 17, 768 channels, through rows and columns of seven."""

    def __init__(self, entering: int, inner: int) -> None:
        super().__init__()
        row, column = ((1, 7), (0, 3)), ((7, 1), (3, 0))
        self.branch1x1 = _Unit(entering, 192, 1)
        self.branch7x7_1 = _Unit(entering, inner, 1)
        self.branch7x7_2 = _Unit(inner, inner, row[0], padding=row[1])
        self.branch7x7_3 = _Unit(inner, 192, column[0], padding=column[1])
        self.branch7x7dbl_1 = _Unit(entering, inner, 1)
        self.branch7x7dbl_2 = _Unit(inner, inner, column[0], padding=column[1])
        self.branch7x7dbl_3 = _Unit(inner, inner, row[0], padding=row[1])
        self.branch7x7dbl_4 = _Unit(inner, inner, column[0], padding=column[1])
        self.branch7x7dbl_5 = _Unit(inner, 192, row[0], padding=row[1])
        self.branch_pool = _Unit(entering, 192, 1)

    def forward(self, images: Tensor) -> Tensor:
        seven = self.branch7x7_3(self.branch7x7_2(self.branch7x7_1(images)))
        double = self.branch7x7dbl_3(self.branch7x7dbl_2(self.branch7x7dbl_1(images)))
        double = self.branch7x7dbl_5(self.branch7x7dbl_4(double))
        pooled = self.branch_pool(_average(images))
        return torch.cat([self.branch1x1(images), seven, double, pooled], 1)


class _BlockD(nn.Module):
    """17 × 17 pixels → 8 × 8, 1,280 channels."""

    def __init__(self, entering: int) -> None:
        super().__init__()
        self.branch3x3_1 = _Unit(entering, 192, 1)
        self.branch3x3_2 = _Unit(192, 320, 3, stride=2)
        self.branch7x7x3_1 = _Unit(entering, 192, 1)
        self.branch7x7x3_2 = _Unit(192, 192, (1, 7), padding=(0, 3))
        self.branch7x7x3_3 = _Unit(192, 192, (7, 1), padding=(3, 0))
        self.branch7x7x3_4 = _Unit(192, 192, 3, stride=2)

    def forward(self, images: Tensor) -> Tensor:
        three = self.branch3x3_2(self.branch3x3_1(images))
        seven = self.branch7x7x3_3(self.branch7x7x3_2(self.branch7x7x3_1(images)))
        return torch.cat([three, self.branch7x7x3_4(seven), F.max_pool2d(images, 3, 2)], 1)


class _BlockE(nn.Module):
    """8 × 8 pixels → 8 × 8, 2,048 channels; ``pool`` is what the pooled branch begins with."""

    def __init__(self, entering: int, pool: Callable[[Tensor], Tensor]) -> None:
        super().__init__()
        self.pool = pool
        self.branch1x1 = _Unit(entering, 320, 1)
        self.branch3x3_1 = _Unit(entering, 384, 1)
        self.branch3x3_2a = _Unit(384, 384, (1, 3), padding=(0, 1))
        self.branch3x3_2b = _Unit(384, 384, (3, 1), padding=(1, 0))
        self.branch3x3dbl_1 = _Unit(entering, 448, 1)
        self.branch3x3dbl_2 = _Unit(448, 384, 3, padding=1)
        self.branch3x3dbl_3a = _Unit(384, 384, (1, 3), padding=(0, 1))
        self.branch3x3dbl_3b = _Unit(384, 384, (3, 1), padding=(1, 0))
        self.branch_pool = _Unit(entering, 192, 1)

    def forward(self, images: Tensor) -> Tensor:
        three = self.branch3x3_1(images)
        double = self.branch3x3dbl_2(self.branch3x3dbl_1(images))
        branches = [
            self.branch1x1(images),
            self.branch3x3_2a(three),
            self.branch3x3_2b(three),
            self.branch3x3dbl_3a(double),
            self.branch3x3dbl_3b(double),
            self.branch_pool(self.pool(images)),
        ]
        return torch.cat(branches, 1)
