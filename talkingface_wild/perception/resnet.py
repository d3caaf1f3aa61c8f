"""ResNet-50 (He et al., CVPR 2016) without its classifier, under torchvision's names.
The one ResNet of the project: HyperIQA and Deep3DFaceRecon stand on it.
Shape legend: B batch, C channels, H height, W width.
"""

from torch import Tensor, nn

from talkingface_wild.perception.folding import fold_norms


class Bottleneck(nn.Module):
    """ResNet-50's block: 1×1, 3×3 (which carries the stride), 1×1 to four times the width."""

    def __init__(self, inputs: int, width: int, stride: int) -> None:
        super().__init__()
        outputs = 4 * width
        self.conv1 = nn.Conv2d(inputs, width, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(width)
        self.conv2 = nn.Conv2d(width, width, 3, stride, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(width)
        self.conv3 = nn.Conv2d(width, outputs, 1, bias=False)
        self.bn3 = nn.BatchNorm2d(outputs)
        self.relu = nn.ReLU(inplace=True)
        self.downsample: nn.Sequential | None = None
        if stride != 1 or inputs != outputs:
            self.downsample = nn.Sequential(
                nn.Conv2d(inputs, outputs, 1, stride, bias=False), nn.BatchNorm2d(outputs)
            )

    def forward(self, x: Tensor) -> Tensor:
        """(B, inputs, H, W) → (B, 4 × width, H / stride, W / stride)."""
        shortcut = x if self.downsample is None else self.downsample(x)
        x = self.relu(self.bn1(self.conv1(x)))
        x = self.relu(self.bn2(self.conv2(x)))
        return self.relu(self.bn3(self.conv3(x)) + shortcut)


class ResNet50Trunk(nn.Module):
    """ResNet-50 without its classifier; gives the maps after each of its four stages."""

    def __init__(self) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(3, 64, 7, 2, 3, bias=False)
        self.bn1 = nn.BatchNorm2d(64)
        self.relu = nn.ReLU(inplace=True)
        self.maxpool = nn.MaxPool2d(3, 2, 1)
        self.layer1 = _stage(64, 64, blocks=3, stride=1)
        self.layer2 = _stage(256, 128, blocks=4, stride=2)
        self.layer3 = _stage(512, 256, blocks=6, stride=2)
        self.layer4 = _stage(1024, 512, blocks=3, stride=2)

    def forward(self, x_BCHW: Tensor) -> list[Tensor]:
        """(B, 3, 224, 224) → maps of 256, 512, 1024, 2048 channels, 56, 28, 14, 7 pixels a side."""
        x = self.maxpool(self.relu(self.bn1(self.conv1(x_BCHW))))
        maps = []
        for stage in (self.layer1, self.layer2, self.layer3, self.layer4):
            x = stage(x)
            maps.append(x)
        return maps


def fold_batch_norms(trunk: ResNet50Trunk) -> None:
    """Put each batch norm of ``trunk``, in eval mode, into the convolution before it, in place."""
    for number in "123":
        fold_norms(trunk, f"conv{number}", f"bn{number}")
    fold_norms(trunk, "0", "1")


def _stage(inputs: int, width: int, blocks: int, stride: int) -> nn.Sequential:
    """``blocks`` bottlenecks, the first with the stride."""
    rest = [Bottleneck(4 * width, width, 1) for _ in range(blocks - 1)]
    return nn.Sequential(Bottleneck(inputs, width, stride), *rest)
