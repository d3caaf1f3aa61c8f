"""I3D (Carreira and Zisserman, 2017) on Kinetics-400: a clip as 400 numbers, for FVD and KVD.
It only embeds; ``functional/video_geometry.py`` prepares clips, distances are shifted elsewhere.
Shape legend: B batch, N clips, C channels, T frames, H height, W width.
"""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Self

import numpy as np
import numpy.typing as npt
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from talkingface_wild.core.errors import WeightMissing
from talkingface_wild.core.outcome import ItemRejected
from talkingface_wild.functional.video_geometry import GEOMETRIES, Geometry
from talkingface_wild.perception.folding import fold_norms
from talkingface_wild.perception.state_dict import load_state, load_strict
from talkingface_wild.weights.torchscript import is_torchscript, norm_epsilons, read_torchscript

CLASSES = 400
"""Numbers that describe a clip: the class scores before the softmax."""
LEAST_FRAMES = 9
"""Time is halved three times and then averaged in twos, so that eight frames leave nothing."""
_BATCH = 2

_NORM_EPSILON = 1e-5
_PORTED_NORM_EPSILON = 1e-3
_PORTED_WORDS = (
    ("logits.", "conv3d_0c_1x1."),
    (".bn.", ".batch3d."),
    (".b0.", ".branch_0."),
    (".b1a.", ".branch_1.0."),
    (".b1b.", ".branch_1.1."),
    (".b2a.", ".branch_2.0."),
    (".b2b.", ".branch_2.1."),
    (".b3b.", ".branch_3.1."),
    ("Conv3d_", "conv3d_"),
    ("Mixed_", "mixed_"),
)


class InceptionI3d(nn.Module):
    """The RGB network under the names of VideoGPT's ``i3d_pretrained_400.pt``.

    Everything is padded as TensorFlow's SAME does, from the size of what comes in, so any number
    of frames from nine on is shifted. ``norm_epsilon`` is the batch norms' floor. It only infers:
    its pools have no gradient.
    """

    def __init__(self, norm_epsilon: float = _NORM_EPSILON) -> None:
        super().__init__()
        self.Conv3d_1a_7x7 = _Unit(3, 64, 7, 2, norm_epsilon)
        self.Conv3d_2b_1x1 = _Unit(64, 64, 1, 1, norm_epsilon)
        self.Conv3d_2c_3x3 = _Unit(64, 192, 3, 1, norm_epsilon)
        self.Mixed_3b = _Block(192, (64, 96, 128, 16, 32, 32), norm_epsilon)
        self.Mixed_3c = _Block(256, (128, 128, 192, 32, 96, 64), norm_epsilon)
        self.Mixed_4b = _Block(480, (192, 96, 208, 16, 48, 64), norm_epsilon)
        self.Mixed_4c = _Block(512, (160, 112, 224, 24, 64, 64), norm_epsilon)
        self.Mixed_4d = _Block(512, (128, 128, 256, 24, 64, 64), norm_epsilon)
        self.Mixed_4e = _Block(512, (112, 144, 288, 32, 64, 64), norm_epsilon)
        self.Mixed_4f = _Block(528, (256, 160, 320, 32, 128, 128), norm_epsilon)
        self.Mixed_5b = _Block(832, (256, 160, 320, 32, 128, 128), norm_epsilon)
        self.Mixed_5c = _Block(832, (384, 192, 384, 48, 128, 128), norm_epsilon)
        self.logits = _Scores(1024, CLASSES)

    def features(self, clips_BCTHW: Tensor) -> Tensor:
        """(B, 3, T, 224, 224) → (B, 1024, T / 8 − 1, 1, 1), T / 8 rounded up."""
        maps = _pooled(self.Conv3d_1a_7x7(clips_BCTHW), (1, 3, 3), (1, 2, 2))
        maps = _pooled(self.Conv3d_2c_3x3(self.Conv3d_2b_1x1(maps)), (1, 3, 3), (1, 2, 2))
        maps = _pooled(self.Mixed_3c(self.Mixed_3b(maps)), (3, 3, 3), (2, 2, 2))
        maps = self.Mixed_4d(self.Mixed_4c(self.Mixed_4b(maps)))
        maps = _pooled(self.Mixed_4f(self.Mixed_4e(maps)), (2, 2, 2), (2, 2, 2))
        return F.avg_pool3d(self.Mixed_5c(self.Mixed_5b(maps)), (2, 7, 7), stride=1)

    def forward(self, clips_BCTHW: Tensor) -> Tensor:
        """(B, 3, T, 224, 224) → (B, 400): class scores before the softmax, averaged over time."""
        scores_BCT11: Tensor = self.logits(self.features(clips_BCTHW))
        return scores_BCT11.mean((2, 3, 4))


class I3DPerceiver:
    """Embeds clips for FVD and KVD in the geometry of one protocol."""

    def __init__(self, path: Path, geometry: Geometry = "tfw", autocast: bool = False) -> None:
        self.path = path
        self.autocast = autocast
        self._prepare = GEOMETRIES[geometry]

    def open(self, device: str = "cpu") -> Self:
        """Load the checkpoint onto ``device``; WeightMissing when it is of another network."""
        network = load_i3d(self.path)
        fold_norms(network, "conv3d", "bn")
        self.device = torch.device(device)
        self._network = network.to(self.device)
        return self

    def embed(self, clips_NTHWC: npt.NDArray[np.uint8]) -> npt.NDArray[np.float32]:
        """(N, T, H, W, 3) uint8 in R, G, B order → (N, 400) float32, the logits.

        A clip's numbers do not depend on the clips beside it, save for the last bits.
        ``clips_NTHWC`` may be a ``numpy.memmap``. ``autocast`` computes with fewer bits; never
        publish numbers of it.

        Raises ItemRejected ``too_short`` below nine frames, ValueError for clips of another shape
        or type, or of a shape that the geometry does not take.
        """
        if clips_NTHWC.ndim != 5 or clips_NTHWC.shape[4] != 3 or clips_NTHWC.dtype != np.uint8:
            raise ValueError(
                "Expected clips of shape (N, frames, height, width, 3) and type uint8, found "
                f"{clips_NTHWC.shape} {clips_NTHWC.dtype}; give R, G, B bytes."
            )
        if clips_NTHWC.shape[1] < LEAST_FRAMES:
            raise ItemRejected(
                "too_short",
                f"expected at least {LEAST_FRAMES} frames a clip, found {clips_NTHWC.shape[1]}",
            )
        scores_NC = np.empty((len(clips_NTHWC), CLASSES), dtype=np.float32)
        for start in range(0, len(clips_NTHWC), _BATCH):
            batch = np.array(clips_NTHWC[start : start + _BATCH])
            prepared = self._prepare(torch.from_numpy(batch).to(self.device))
            prepared = prepared.contiguous(memory_format=torch.channels_last_3d)
            with (
                torch.inference_mode(),
                torch.backends.cudnn.flags(enabled=True, allow_tf32=False),
                torch.autocast(self.device.type, torch.bfloat16, enabled=self.autocast),
            ):
                scores = self._network(prepared)
            scores_NC[start : start + len(batch)] = scores.float().cpu().numpy()
        return scores_NC


def load_i3d(path: Path) -> InceptionI3d:
    """The network with the weights of ``path``, in eval mode on the CPU.

    Two containers of the Kinetics-400 weights are known. VideoGPT's is a state dict. StyleGAN-V's
    ``i3d_torchscript.pt`` holds code beside the tensors: the tensors alone are read, and none of
    the code is run. Its classes bear the name of Y. Hasson's port of the TensorFlow graph, so that
    port's names are looked for. The batch norms' floor is the one that the file's code declares,
    else the port's 1e-3 (VideoGPT's is 1e-5). The port pads as this network does when the frames
    are a multiple of eight.

    Raises WeightMissing when the file is absent or damaged or its tensors are not all I3D's.
    """
    if not (path.is_file() and is_torchscript(path)):
        network = InceptionI3d()
        load_strict(network, load_state(path), path)
        return network.eval().requires_grad_(False)
    try:
        state, epsilons = read_torchscript(path), norm_epsilons(path)
    except ValueError as error:
        raise WeightMissing(
            f"Expected a TorchScript archive with the tensors of I3D in {path}, found one that "
            f"cannot be read without running it: {error}; get the published file with "
            "'tfw weights fetch i3d_torchscript', or take i3d_kinetics400."
        ) from error
    file_name, usual_epsilon = _naming(state)
    network = InceptionI3d(epsilons.pop() if len(epsilons) == 1 else usual_epsilon)
    load_strict(network, state, path, file_name=file_name)
    return network.eval().requires_grad_(False)


def _naming(state: Mapping[str, Tensor]) -> tuple[Callable[[str], str], float]:
    """How a TorchScript file names this network's tensors, and the batch norms' usual floor there.

    The names are this network's or the port's, with or without a prefix before all of them. Where
    neither fits, the port's are expected.
    """
    first = "Conv3d_1a_7x7.conv3d.weight"
    for worded, epsilon in ((str, _NORM_EPSILON), (_ported, _PORTED_NORM_EPSILON)):
        prefixes = [
            name.removesuffix(worded(first)) for name in state if name.endswith(worded(first))
        ]
        if len(prefixes) == 1:
            return _prefixed(prefixes[0], worded), epsilon
    return _ported, _PORTED_NORM_EPSILON


def _prefixed(prefix: str, worded: Callable[[str], str]) -> Callable[[str], str]:
    """``worded`` with a prefix before what it gives."""
    return lambda name: prefix + worded(name)


def _ported(name: str) -> str:
    """A name of this network in the words of the port that StyleGAN-V's file was made from."""
    for own, theirs in _PORTED_WORDS:
        name = name.replace(own, theirs)
    return name


class _Unit(nn.Module):
    """A convolution without bias, its batch norm and a rectifier."""

    def __init__(
        self, entering: int, leaving: int, kernel: int, stride: int, norm_epsilon: float
    ) -> None:
        super().__init__()
        self.conv3d = nn.Conv3d(entering, leaving, kernel, stride, bias=False)
        self.bn = nn.BatchNorm3d(leaving, eps=norm_epsilon)

    def forward(self, maps_BCTHW: Tensor) -> Tensor:
        convolution = self.conv3d
        ends = _same(maps_BCTHW.shape[2:], convolution.kernel_size, convolution.stride)
        if all(before == after for before, after in ends):
            padding = tuple(before for before, _ in ends)
        else:
            padding = (0, 0, 0)
            maps_BCTHW = F.pad(maps_BCTHW, [end for pair in reversed(ends) for end in pair])
        convolved = F.conv3d(
            maps_BCTHW, convolution.weight, convolution.bias, convolution.stride, padding
        )
        return F.relu(self.bn(convolved), inplace=True)


class _Scores(nn.Module):
    """The last layer: a convolution of one pixel, with bias."""

    def __init__(self, entering: int, leaving: int) -> None:
        super().__init__()
        self.conv3d = nn.Conv3d(entering, leaving, 1)

    def forward(self, maps_BCTHW: Tensor) -> Tensor:
        return self.conv3d(maps_BCTHW)


class _Block(nn.Module):
    """Four branches side by side; ``widths`` are the channels of b0, b1a, b1b, b2a, b2b and b3b."""

    def __init__(self, entering: int, widths: tuple[int, ...], norm_epsilon: float) -> None:
        super().__init__()
        self.b0 = _Unit(entering, widths[0], 1, 1, norm_epsilon)
        self.b1a = _Unit(entering, widths[1], 1, 1, norm_epsilon)
        self.b1b = _Unit(widths[1], widths[2], 3, 1, norm_epsilon)
        self.b2a = _Unit(entering, widths[3], 1, 1, norm_epsilon)
        self.b2b = _Unit(widths[3], widths[4], 3, 1, norm_epsilon)
        self.b3b = _Unit(entering, widths[5], 1, 1, norm_epsilon)

    def forward(self, maps_BCTHW: Tensor) -> Tensor:
        branches = [
            self.b0(maps_BCTHW),
            self.b1b(self.b1a(maps_BCTHW)),
            self.b2b(self.b2a(maps_BCTHW)),
            self.b3b(_pooled(maps_BCTHW, (3, 3, 3), (1, 1, 1))),
        ]
        return torch.cat(branches, 1)


def _pooled(
    maps_BCTHW: Tensor, kernel: tuple[int, int, int], stride: tuple[int, int, int]
) -> Tensor:
    """Maxima under SAME padding, one axis after the other.

    What lies beyond an end is left out: SAME would add zeros, and no rectified value is less. With
    torch's own pool in three dimensions the network takes half as long again on one CPU core.
    """
    ends = _same(maps_BCTHW.shape[2:], kernel, stride)
    for axis, (before, _) in enumerate(ends, start=2):
        if kernel[axis - 2] > 1:
            maps_BCTHW = _greatest(maps_BCTHW, axis, kernel[axis - 2], stride[axis - 2], before)
    return maps_BCTHW


def _greatest(maps: Tensor, axis: int, width: int, step: int, before: int) -> Tensor:
    """The greatest of ``width`` values along an axis, from ``before`` ahead of every step."""
    source = maps.movedim(axis, 0)
    greatest = source[::step].clone()
    for shift in range(-before, width - before):
        first = max(0, -(shift // step))
        last = min(greatest.shape[0], (source.shape[0] - 1 - shift) // step + 1)
        if shift and last > first:
            shifted = source[first * step + shift : (last - 1) * step + shift + 1 : step]
            torch.maximum(greatest[first:last], shifted, out=greatest[first:last])
    return greatest.movedim(0, axis)


def _same(
    sizes: Sequence[int], kernel: Sequence[int], stride: Sequence[int]
) -> list[tuple[int, int]]:
    """What TensorFlow's SAME adds before and after each axis; the odd one goes to the end."""
    totals = [
        max(width - (size % step or step), 0)
        for size, width, step in zip(sizes, kernel, stride, strict=True)
    ]
    return [(total // 2, total - total // 2) for total in totals]
