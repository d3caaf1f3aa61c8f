"""ArcFace's residual networks (Deng et al., CVPR 2019) from arcface_torch's own checkpoints.
The same measure as ``arcface.py`` takes through ONNX, for weights published as ``backbone.pth``.
Shape legend: N crops, B batch, C channels (RGB), H height, W width, D dimensions.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal, Self

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn
from torch.nn.utils import convert_conv2d_weight_memory_format

from talkingface_wild.perception.arcface import DIMENSIONS, Picture, embed_batches
from talkingface_wild.perception.folding import fold_norms
from talkingface_wild.perception.state_dict import load_state, load_strict

Layers = Literal[50, 100]

BLOCKS: dict[Layers, tuple[int, int, int, int]] = {50: (3, 4, 14, 3), 100: (3, 13, 30, 3)}
"""Blocks of the four stages, for each published depth."""
WIDTHS = (64, 128, 256, 512)
_BATCH = 8


class IBasicBlock(nn.Module):
    """Norm, 3×3, norm, PReLU, 3×3 (which carries the stride), norm; the shortcut is added bare."""

    def __init__(self, inputs: int, outputs: int, stride: int) -> None:
        super().__init__()
        self.bn1 = nn.BatchNorm2d(inputs)
        self.conv1 = nn.Conv2d(inputs, outputs, 3, 1, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(outputs)
        self.prelu = nn.PReLU(outputs)
        self.conv2 = nn.Conv2d(outputs, outputs, 3, stride, 1, bias=False)
        self.bn3 = nn.BatchNorm2d(outputs)
        self.downsample: nn.Sequential | None = None
        if stride != 1 or inputs != outputs:
            self.downsample = nn.Sequential(
                nn.Conv2d(inputs, outputs, 1, stride, bias=False), nn.BatchNorm2d(outputs)
            )

    def forward(self, x: Tensor) -> Tensor:
        """(B, inputs, H, W) → (B, outputs, H / stride, W / stride)."""
        shortcut = x if self.downsample is None else self.downsample(x)
        x = self.prelu(self.bn2(self.conv1(self.bn1(x))))
        return self.bn3(self.conv2(x)) + shortcut


class IResNet(nn.Module):
    """The network of 50 or 100 layers, under the names of its checkpoint."""

    def __init__(self, layers: Layers) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(3, 64, 3, 1, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(64)
        self.prelu = nn.PReLU(64)
        inputs = (64, *WIDTHS[:-1])
        stages = [
            _stage(before, width, count)
            for before, width, count in zip(inputs, WIDTHS, BLOCKS[layers], strict=True)
        ]
        self.layer1, self.layer2, self.layer3, self.layer4 = stages
        self.bn2 = nn.BatchNorm2d(512)
        self.fc = nn.Linear(512 * 7 * 7, DIMENSIONS)
        self.features = nn.BatchNorm1d(DIMENSIONS)

    def forward(self, crops_BCHW: Tensor) -> Tensor:
        """(B, 3, 112, 112), R, G, B in −1–1 → (B, 512), not normalised."""
        x = self.prelu(self.bn1(self.conv1(crops_BCHW)))
        x = self.layer4(self.layer3(self.layer2(self.layer1(x))))
        return self.features(self.fc(self.bn2(x).flatten(1)))


def fold_batch_norms(network: IResNet) -> None:
    """Put the blocks' norms, in eval mode, into the convolutions before them, in place.

    A block's first norm stays: the zeros around its output are not those around its input.
    """
    for stage in (network.layer1, network.layer2, network.layer3, network.layer4):
        fold_norms(stage, "conv1", "bn2")
        fold_norms(stage, "conv2", "bn3")
        fold_norms(stage, "0", "1")


class ArcFaceTorchPerceiver:
    """Aligned crops to embeddings, as ``ArcFacePerceiver``; ``layers`` is the network's depth."""

    def __init__(self, path: Path, layers: Layers = 100) -> None:
        self.path = path
        self.layers: Layers = layers
        self._network: Any = None

    def open(self, device: str = "cpu") -> Self:
        """Load the checkpoint onto ``device``; WeightMissing when it is of another depth."""
        network = IResNet(self.layers)
        load_strict(network, load_state(self.path), self.path)
        fold_batch_norms(network.eval())
        convert_conv2d_weight_memory_format(network, torch.channels_last)
        self.device = torch.device(device)
        self._network = network.to(self.device)
        return self

    def embed(self, crops_NHWC: Sequence[Picture] | Picture) -> npt.NDArray[np.float32]:
        """Embeddings (N, 512) of unit length, of aligned RGB crops (N, 112, 112, 3) uint8.

        Raises ValueError for crops of another size.
        """
        return embed_batches(self.raw, crops_NHWC, _BATCH)

    def raw(self, crops_BHWC: Picture) -> npt.NDArray[np.float32]:
        """The network's own output (B, 512) for one batch of crops."""
        if self._network is None:
            self.open()
        pixels_BCHW = torch.from_numpy(np.array(crops_BHWC)).to(self.device).permute(0, 3, 1, 2)
        with torch.inference_mode(), torch.backends.cudnn.flags(enabled=True, allow_tf32=False):
            embeddings: Tensor = self._network((pixels_BCHW.float() - 127.5) / 127.5)
        return np.asarray(embeddings.float().cpu().numpy(), dtype=np.float32)


def _stage(inputs: int, width: int, count: int) -> nn.Sequential:
    """``count`` blocks, the first of which halves the map; ``SIZE`` 112 ends at 7."""
    rest = [IBasicBlock(width, width, 1) for _ in range(count - 1)]
    return nn.Sequential(IBasicBlock(inputs, width, 2), *rest)
