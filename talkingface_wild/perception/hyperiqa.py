"""HyperIQA (Su et al., CVPR 2020): image quality by layers that are made anew for each image.
It scores pixels, 0 to 100, more is better; which frames to look at is the caller's choice.
Shape legend: B patches, C channels, H height, W width, I inputs and O outputs of a target layer.
"""

from collections.abc import Iterator, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any, Literal, Self

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.nn.utils import convert_conv2d_weight_memory_format

from talkingface_wild.core.errors import ExtraMissing
from talkingface_wild.perception.resnet import ResNet50Trunk
from talkingface_wild.perception.state_dict import load_state, load_strict

Mode = Literal["pyiqa", "centre"]
Pixels = npt.NDArray[np.uint8]

PATCH = 224
"""Side of a patch, in pixels; the network takes no other size."""
CROPS_A_SIDE = 5
"""The pyiqa geometry averages 5 × 5 patches of an image."""
MEAN = (0.485, 0.456, 0.406)
DEVIATION = (0.229, 0.224, 0.225)
"""ImageNet's channel means and standard deviations (R, G, B in 0–1)."""
TARGET_SIZES = (224, 112, 56, 28, 14, 1)
"""Widths of the target network: five layers that are made anew for each patch."""
PYIQA_SCALE = 100.0
"""pyiqa's checkpoint was trained to 0–1; scores here are 0–100."""
_BATCH = 8


class HyperIQA(nn.Module):
    """The network under pyiqa's names; ``original_name`` gives the authors' own."""

    def __init__(self) -> None:
        super().__init__()
        self.base_model = ResNet50Trunk()
        self.lda_modules = nn.ModuleList(
            [
                _distortion(256, 16, positions=64),
                _distortion(512, 32, positions=16),
                _distortion(1024, 64, positions=4),
                nn.Sequential(nn.AvgPool2d(7), nn.Flatten(), nn.Linear(2048, 176)),
            ]
        )
        self.conv1 = nn.Sequential(
            nn.Conv2d(2048, 1024, 1),
            nn.ReLU(inplace=True),
            nn.Conv2d(1024, 512, 1),
            nn.ReLU(inplace=True),
            nn.Conv2d(512, 112, 1),
            nn.ReLU(inplace=True),
        )
        widths = list(pairwise(TARGET_SIZES))
        self.fc_w_modules = nn.ModuleList(
            [nn.Conv2d(112, inputs * outputs // 49, 3, padding=1) for inputs, outputs in widths[:4]]
        )
        self.fc_w_modules.append(_pooled_linear(TARGET_SIZES[4]))
        self.fc_b_modules = nn.ModuleList([_pooled_linear(size) for size in TARGET_SIZES[1:]])

    def forward(self, patches_BCHW: Tensor) -> Tensor:
        """(B, 3, 224, 224), R, G, B in 0–1 → (B,) raw scores."""
        mean = patches_BCHW.new_tensor(MEAN).view(1, 3, 1, 1)
        deviation = patches_BCHW.new_tensor(DEVIATION).view(1, 3, 1, 1)
        maps = self.base_model((patches_BCHW - mean) / deviation)
        parts = [module(x) for module, x in zip(self.lda_modules, maps, strict=True)]
        target_BI1 = torch.cat(parts, dim=1).unsqueeze(2)
        seed = self.conv1(maps[-1])
        layers = list(zip(self.fc_w_modules, self.fc_b_modules, TARGET_SIZES, strict=False))
        for index, (make_weight, make_bias, inputs) in enumerate(layers):
            weight_BOI = make_weight(seed).reshape(len(seed), -1, inputs)
            target_BI1 = torch.baddbmm(make_bias(seed).unsqueeze(2), weight_BOI, target_BI1)
            if index < len(layers) - 1:
                target_BI1 = torch.sigmoid(target_BI1)
        return target_BI1.flatten()


def original_name(name: str) -> str:
    """What the authors' checkpoint (``koniq_pretrained.pkl``) calls a tensor of ours."""
    head, _, rest = name.partition(".")
    if head == "base_model":
        return f"res.{rest}"
    if head not in ("lda_modules", "fc_w_modules", "fc_b_modules"):
        return name
    index, _, inner = rest.partition(".")
    number, leaf = int(index) + 1, inner.rpartition(".")[2]
    if head == "lda_modules":
        return f"res.lda{number}_pool.0.{leaf}" if inner[0] == "0" else f"res.lda{number}_fc.{leaf}"
    if head == "fc_b_modules":
        return f"fc{number}b_fc.{leaf}"
    return f"fc{number}w_conv.{leaf}" if inner == leaf else f"fc{number}w_fc.{leaf}"


class HyperIQAPerceiver:
    """Scores images by either published checkpoint; the layout is recognised from its names.

    pyiqa's checkpoint has its names wrapped in ``params`` and gives 0–1, the authors' own 0–100.
    """

    def __init__(self, path: Path) -> None:
        self.path = path

    def open(self, device: str = "cpu") -> Self:
        """Load the checkpoint onto ``device``; WeightMissing when it is of neither layout."""
        state = load_state(self.path, key="params")
        is_original = any(name.startswith("res.") for name in state)
        network = HyperIQA()
        load_strict(network, state, self.path, file_name=original_name if is_original else str)
        self.scale = 1.0 if is_original else PYIQA_SCALE
        self.device = torch.device(device)
        convert_conv2d_weight_memory_format(network, torch.channels_last)
        self._network = network.eval().to(self.device)
        return self

    def score_patches(self, rgb_N224: Pixels) -> npt.NDArray[np.float64]:
        """(N, 224, 224, 3) uint8 R, G, B → (N,) scores on the scale 0–100."""
        return self.raw_patches(rgb_N224) * self.scale

    def raw_patches(self, rgb_N224: Pixels) -> npt.NDArray[np.float64]:
        """(N, 224, 224, 3) uint8 R, G, B → (N,) scores as the network gives them.

        Raises ValueError for patches of another size or type.
        """
        if rgb_N224.shape[1:] != (PATCH, PATCH, 3) or rgb_N224.dtype != np.uint8:
            raise ValueError(
                f"Expected patches of shape (N, {PATCH}, {PATCH}, 3) and type uint8, found "
                f"{rgb_N224.shape} {rgb_N224.dtype}; use score() for whole images."
            )
        batches = (_tensor(rgb_N224[i : i + _BATCH]) for i in range(0, len(rgb_N224), _BATCH))
        return np.concatenate([np.empty(0), *(self._run(batch) for batch in batches)])

    def score(self, rgb_HWC: Pixels, mode: Mode = "pyiqa") -> float:
        """The score 0–100 of one image (H, W, 3) uint8 R, G, B; see ``score_images``."""
        return float(self.score_images([rgb_HWC], mode)[0])

    def score_images(
        self, images: Sequence[Pixels], mode: Mode = "pyiqa"
    ) -> npt.NDArray[np.float64]:
        """One score an image on the scale 0–100; images may differ in size.

        ``pyiqa``: the mean of 25 patches (see ``patches``). ``centre``: the middle 224 × 224 pixels
        alone, as LatentSync's filter looks at a frame, at a twenty-fifth of the cost.
        """
        return self.raw_images(images, mode) * self.scale

    def raw_images(self, images: Sequence[Pixels], mode: Mode = "pyiqa") -> npt.NDArray[np.float64]:
        """``score_images`` as the network gives them, without the scale."""
        scores: list[npt.NDArray[np.float64]] = []
        group = _BATCH if mode == "centre" else 1
        for start in range(0, len(images), group):
            cut = [patches(image, mode) for image in images[start : start + group]]
            raw = np.concatenate([self._run(part) for part in torch.split(torch.cat(cut), _BATCH)])
            scores.append(raw.reshape(len(cut), -1).mean(axis=1))
        return np.concatenate([np.empty(0), *scores])

    def _run(self, patches_BCHW: Tensor) -> npt.NDArray[np.float64]:
        """Raw scores of one batch."""
        batch = patches_BCHW.to(self.device).contiguous(memory_format=torch.channels_last)
        with torch.inference_mode(), torch.backends.cudnn.flags(enabled=True, allow_tf32=False):
            raw: Tensor = self._network(batch).double().cpu()
        return np.asarray(raw.numpy(), dtype=np.float64)


class PyiqaPerceiver:
    """Scores images 0–100 by pyiqa's own HyperIQA, its 25 patches included: an oracle for ours.

    pyiqa is no part of this project; its licence (PolyForm Noncommercial) forbids commercial use.

    ``path`` is pyiqa's checkpoint. Without one pyiqa fetches it by itself and checks no hash; the
    trunk's starting weights it fetches in either case.
    """

    def __init__(self, path: Path | None = None) -> None:
        self.path = path

    def open(self, device: str = "cpu") -> Self:
        """Make pyiqa's metric on ``device``; ExtraMissing when the package does not import."""
        try:
            import pyiqa
        except (ImportError, RuntimeError) as error:
            raise ExtraMissing(
                "Expected the package pyiqa for quality.backend=pyiqa, found that it does not "
                f"import ({error}); run: pip install 'talkingface-wild[pyiqa]'"
            ) from error
        options = {} if self.path is None else {"pretrained_model_path": str(self.path)}
        self.device = torch.device(device)
        self._metric: Any = pyiqa.create_metric("hyperiqa", device=self.device, **options)
        return self

    def score_images(self, images: Sequence[Pixels]) -> npt.NDArray[np.float64]:
        """One score on the scale 0–100 for each (H, W, 3) uint8 R, G, B image."""
        scores = np.empty(len(images))
        for index, image in enumerate(images):
            pixels = torch.from_numpy(np.ascontiguousarray(image)).to(self.device)
            with torch.inference_mode():
                answer = self._metric(pixels.permute(2, 0, 1).unsqueeze(0).float() / 255.0)
            scores[index] = float(answer.mean()) * PYIQA_SCALE
        return scores


def patches(rgb_HWC: Pixels, mode: Mode) -> Tensor:
    """The patches of one image that ``mode`` looks at, (25 or 1, 3, 224, 224), R, G, B in 0–1.

    An image whose shorter side is 224 pixels or less is enlarged bilinearly to 225 first. ``pyiqa``
    takes five rows and columns of patches, their corners (side − 224) // 5 pixels apart and the
    first at 0, as the library does; the far edge is therefore seen less than the near one.
    """
    image = _tensor(rgb_HWC[None])
    shorter = min(image.shape[2:])
    if shorter <= PATCH:
        image = F.interpolate(image, scale_factor=(PATCH + 1) / shorter, mode="bilinear")
    corners = _corners(image.shape[2], image.shape[3], mode)
    return torch.cat([image[..., y : y + PATCH, x : x + PATCH] for y, x in corners])


def _corners(height: int, width: int, mode: Mode) -> Iterator[tuple[int, int]]:
    """Top and left of each patch."""
    if mode == "centre":
        yield round((height - PATCH) / 2), round((width - PATCH) / 2)
        return
    down, right = (height - PATCH) // CROPS_A_SIDE, (width - PATCH) // CROPS_A_SIDE
    for row in range(CROPS_A_SIDE):
        for column in range(CROPS_A_SIDE):
            yield row * down, column * right


def _tensor(rgb_NHWC: Pixels) -> Tensor:
    """(N, H, W, 3) uint8 → (N, 3, H, W) float32 in 0–1."""
    return torch.from_numpy(np.ascontiguousarray(rgb_NHWC)).permute(0, 3, 1, 2).float() / 255.0


def _distortion(channels: int, reduced: int, positions: int) -> nn.Sequential:
    """A local-distortion module: ``channels`` maps → 16 numbers."""
    return nn.Sequential(
        nn.Conv2d(channels, reduced, 1, bias=False),
        nn.AvgPool2d(7),
        nn.Flatten(),
        nn.Linear(reduced * positions, 16),
    )


def _pooled_linear(outputs: int) -> nn.Sequential:
    """The mean of 112 maps → ``outputs`` numbers."""
    return nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(112, outputs))
