"""Deep3DFaceRecon (Deng et al., CVPRW 2019): an aligned face → coefficients of a 3-D face model.
Expressions and head angles of single pictures; what is made of many is the benchmark's affair.
Shape legend: N crops, B batch, H height, W width, C channels (RGB).
"""

from pathlib import Path
from typing import Any, Self

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn
from torch.nn.utils import convert_conv2d_weight_memory_format

from talkingface_wild.functional.face_alignment import CROP_SIZE, align_face, load_model_points
from talkingface_wild.perception.resnet import ResNet50Trunk, fold_batch_norms
from talkingface_wild.perception.state_dict import load_state, load_strict

Pixels = npt.NDArray[np.uint8]

WEIGHT = "deep3d"
"""The weight: ``epoch_20.pth``, whose entry ``net_recon`` holds the network."""
WIDTHS = (80, 64, 80, 3, 27, 2, 1)
"""Coefficients of each final layer, in the order in which they are joined."""
COEFFICIENTS = sum(WIDTHS)
IDENTITY = slice(0, 80)
EXPRESSION = slice(80, 144)
TEXTURE = slice(144, 224)
ANGLE = slice(224, 227)
"""Pitch, yaw and roll of the head, in radians."""
LIGHT = slice(227, 254)
TRANSLATION = slice(254, 257)
_BATCH = 8


class ReconNetResNet50(nn.Module):
    """The published network under the names of its checkpoint's entry ``net_recon``."""

    def __init__(self) -> None:
        super().__init__()
        self.backbone = ResNet50Trunk()
        self.final_layers = nn.ModuleList([nn.Conv2d(2048, width, 1) for width in WIDTHS])

    def forward(self, crops_BCHW: Tensor) -> Tensor:
        """(B, 3, 224, 224), R, G, B in 0–1 → (B, 257)."""
        pooled = self.backbone(crops_BCHW)[-1].mean(dim=(2, 3), keepdim=True)
        return torch.cat([layer(pooled) for layer in self.final_layers], dim=1).flatten(1)


class Recon3DPerceiver:
    """Coefficients of aligned crops. ``points`` are the model's five points (5, 3), or their file.

    ``align`` cuts the crops that the network was trained on.
    """

    def __init__(self, path: Path, points: Path | npt.NDArray[Any]) -> None:
        self.path = path
        self.points = points
        self._network: Any = None

    def open(self, device: str = "cpu") -> Self:
        """Load both files, the network onto ``device``; WeightMissing for other layouts."""
        self.points_53 = (
            load_model_points(self.points)
            if isinstance(self.points, Path)
            else np.asarray(self.points)
        )
        network = ReconNetResNet50()
        load_strict(network, load_state(self.path, key="net_recon"), self.path)
        fold_batch_norms(network.eval().backbone)
        convert_conv2d_weight_memory_format(network, torch.channels_last)
        self.device = torch.device(device)
        self._network = network.to(self.device)
        return self

    def align(self, rgb_HWC: Pixels, points_52: npt.NDArray[Any]) -> Pixels:
        """One face's crop (224, 224, 3); see ``functional.face_alignment.align`` for the errors."""
        if self._network is None:
            self.open()
        return align_face(rgb_HWC, points_52, self.points_53)

    def coefficients(self, crops_NHWC: Pixels) -> npt.NDArray[np.float32]:
        """(N, 224, 224, 3) uint8 R, G, B → (N, 257), as the slices of this module divide them.

        Raises ValueError for crops of another size or type.
        """
        if crops_NHWC.shape[1:] != (CROP_SIZE, CROP_SIZE, 3) or crops_NHWC.dtype != np.uint8:
            raise ValueError(
                f"Expected crops of shape (N, {CROP_SIZE}, {CROP_SIZE}, 3) and type uint8, found "
                f"{crops_NHWC.shape} {crops_NHWC.dtype}; cut them with align()."
            )
        starts = range(0, len(crops_NHWC), _BATCH)
        batches = [self._run(crops_NHWC[start : start + _BATCH]) for start in starts]
        return np.concatenate([np.empty((0, COEFFICIENTS), dtype=np.float32), *batches])

    def expressions(self, crops_NHWC: Pixels) -> npt.NDArray[np.float32]:
        """(N, 224, 224, 3) uint8 R, G, B → (N, 64), the vectors that E-FID compares."""
        return self.coefficients(crops_NHWC)[:, EXPRESSION]

    def _run(self, crops_BHWC: Pixels) -> npt.NDArray[np.float32]:
        """Coefficients of one batch."""
        if self._network is None:
            self.open()
        crops_BCHW = torch.from_numpy(np.array(crops_BHWC)).to(self.device).permute(0, 3, 1, 2)
        with torch.inference_mode(), torch.backends.cudnn.flags(enabled=True, allow_tf32=False):
            coefficients: Tensor = self._network(crops_BCHW.float() / 255.0)
        return np.asarray(coefficients.float().cpu().numpy(), dtype=np.float32)
