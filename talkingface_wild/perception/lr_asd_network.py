"""LR-ASD's network (Liao et al., IJCV 2025), and its picture encoder in a form fit for one core.
``lr_asd.py`` feeds it. Shape legend: B batch, C channels, T frames of the picture, S steps of the
sound (four a frame), F cepstra, H height, W width, P pixels of a frame, D dimensions.
"""

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.nn.utils.fusion import fuse_conv_bn_eval

GREY_MEAN = 0.4161
GREY_DEVIATION = 0.1688
"""Of the training crops, in shares of full white."""
REACH_FRAMES = 9
"""Frames on either side that the picture encoder sees: two and one in each of three blocks."""
_NORM_EPSILON = 1e-3
_LONG, _SHORT = 5, 3
"""Lengths of the two kernels of every block."""
_FRAMES_AT_ONCE = 16
_PIXELS_AT_ONCE = 112

FoldedBlocks = list[list[nn.Conv3d]]


class PictureBlock(nn.Module):
    """Two convolutions in space, then two in time, each with its norm and a rectifier."""

    def __init__(self, channels: int, filters: int, stride: int = 1) -> None:
        super().__init__()
        half = filters // 2
        self.s_1 = _spatial(channels, half, _LONG, stride)
        self.s_norm_1 = nn.BatchNorm3d(half, eps=_NORM_EPSILON)
        self.s_2 = _spatial(half, filters, _SHORT)
        self.s_norm_2 = nn.BatchNorm3d(filters, eps=_NORM_EPSILON)
        self.t_1 = _temporal(filters, _LONG)
        self.t_norm_1 = nn.BatchNorm3d(filters, eps=_NORM_EPSILON)
        self.t_2 = _temporal(filters, _SHORT)
        self.t_norm_2 = nn.BatchNorm3d(filters, eps=_NORM_EPSILON)

    def forward(self, x_BCTHW: Tensor) -> Tensor:
        """(B, channels, T, H, W) → (B, filters, T, H / stride, W / stride)."""
        x_BCTHW = self.s_norm_1(self.s_1(x_BCTHW)).relu()
        x_BCTHW = self.s_norm_2(self.s_2(x_BCTHW)).relu()
        x_BCTHW = self.t_norm_1(self.t_1(x_BCTHW)).relu()
        return self.t_norm_2(self.t_2(x_BCTHW)).relu()


class SoundBlock(nn.Module):
    """Two convolutions over the cepstra, then two in time, each with its norm and a rectifier."""

    def __init__(self, channels: int, filters: int) -> None:
        super().__init__()
        half = filters // 2
        self.m_1 = nn.Conv2d(channels, half, (_LONG, 1), padding=(_LONG // 2, 0), bias=False)
        self.m_norm_1 = nn.BatchNorm2d(half, eps=_NORM_EPSILON)
        self.m_2 = nn.Conv2d(half, filters, (_SHORT, 1), padding=(_SHORT // 2, 0), bias=False)
        self.m_norm_2 = nn.BatchNorm2d(filters, eps=_NORM_EPSILON)
        self.t_1 = nn.Conv2d(filters, filters, (1, _LONG), padding=(0, _LONG // 2), bias=False)
        self.t_norm_1 = nn.BatchNorm2d(filters, eps=_NORM_EPSILON)
        self.t_2 = nn.Conv2d(filters, filters, (1, _SHORT), padding=(0, _SHORT // 2), bias=False)
        self.t_norm_2 = nn.BatchNorm2d(filters, eps=_NORM_EPSILON)

    def forward(self, x_BCFS: Tensor) -> Tensor:
        """(B, channels, F, S) → (B, filters, F, S)."""
        x_BCFS = self.m_norm_1(self.m_1(x_BCFS)).relu()
        x_BCFS = self.m_norm_2(self.m_2(x_BCFS)).relu()
        x_BCFS = self.t_norm_1(self.t_1(x_BCFS)).relu()
        return self.t_norm_2(self.t_2(x_BCFS)).relu()


class PictureEncoder(nn.Module):
    """Grey face crops to 128 numbers a frame."""

    def __init__(self) -> None:
        super().__init__()
        self.block1 = PictureBlock(1, 32, stride=2)
        self.block2 = PictureBlock(32, 64)
        self.block3 = PictureBlock(64, 128)
        self.pool = nn.MaxPool3d((1, 3, 3), (1, 2, 2), (0, 1, 1))

    def forward(self, crops_BTHW: Tensor) -> Tensor:
        """Grey levels 0–255 (B, T, 112, 112) → (B, T, 128)."""
        x_BCTHW = _normal(crops_BTHW)[:, None]
        x_BCTHW = self.pool(self.block1(x_BCTHW))
        x_BCTHW = self.pool(self.block2(x_BCTHW))
        return self.block3(x_BCTHW).amax(dim=(3, 4)).transpose(1, 2)


class SoundEncoder(nn.Module):
    """Cepstra, four steps a frame, to 128 numbers a frame."""

    def __init__(self) -> None:
        super().__init__()
        self.block1 = SoundBlock(1, 32)
        self.block2 = SoundBlock(32, 64)
        self.block3 = SoundBlock(64, 128)
        self.pool = nn.MaxPool2d((1, 3), (1, 2), (0, 1))

    def forward(self, cepstra_BSF: Tensor) -> Tensor:
        """(B, S, 13) → (B, S / 4, 128)."""
        x_BCFS = cepstra_BSF.transpose(1, 2)[:, None]
        x_BCFS = self.pool(self.block1(x_BCFS))
        x_BCFS = self.pool(self.block2(x_BCFS))
        return self.block3(x_BCFS).mean(dim=2).transpose(1, 2)


class ChannelAttention(nn.Module):
    """Two features side by side, each number weighed by a gate that both open."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.attention = nn.Conv1d(channels, channels, 1, bias=False)
        self.bn = nn.BatchNorm1d(channels, eps=_NORM_EPSILON)

    def forward(self, first_BTD: Tensor, second_BTD: Tensor) -> Tensor:
        """Twice (B, T, channels / 2) → (B, T, channels)."""
        both_BDT = torch.cat([first_BTD, second_BTD], dim=2).transpose(1, 2)
        return (both_BDT * self.bn(self.attention(both_BDT)).sigmoid()).transpose(1, 2)


class FrameRecurrence(nn.Module):
    """One recurrence from the past and one from the future, of a quarter of the channels each."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.gru_forward = nn.GRU(channels, channels // 4, batch_first=True)
        self.gru_backward = nn.GRU(channels, channels // 4, batch_first=True)
        self.attention = ChannelAttention(channels // 2)

    def forward(self, x_BTD: Tensor) -> Tensor:
        """(B, T, channels) → (B, T, channels / 2)."""
        past_BTD, _ = self.gru_forward(x_BTD)
        future_BTD, _ = self.gru_backward(x_BTD.flip(1))
        return self.attention(past_BTD, future_BTD.flip(1))


class SpeakerModel(nn.Module):
    """Both encoders, their fusion and the detector: the checkpoint's names after ``model.``."""

    def __init__(self) -> None:
        super().__init__()
        self.visualEncoder = PictureEncoder()
        self.audioEncoder = SoundEncoder()
        self.fusion = ChannelAttention(256)
        self.detector = FrameRecurrence(256)


class TwoClasses(nn.Module):
    """The logits of "silent" and "speaks"."""

    def __init__(self) -> None:
        super().__init__()
        self.FC = nn.Linear(128, 2)


class SpeakerNetwork(nn.Module):
    """The published network under the names of its checkpoint.

    ``lossV`` is the head that training puts onto the picture alone; nothing here asks it.
    """

    def __init__(self) -> None:
        super().__init__()
        self.model = SpeakerModel()
        self.lossAV = TwoClasses()
        self.lossV = TwoClasses()

    def forward(self, crops_BTHW: Tensor, cepstra_BSF: Tensor) -> Tensor:
        """Crops (B, T, 112, 112) and cepstra (B, 4 T, 13) → logits (B, T, 2)."""
        faces_BTD = self.model.visualEncoder(crops_BTHW)
        return self.judge(self.model.audioEncoder(cepstra_BSF), faces_BTD)

    def judge(self, sounds_BTD: Tensor, faces_BTD: Tensor) -> Tensor:
        """What both encoders give, (B, T, 128) each → logits (B, T, 2) of silent and speaks."""
        return self.lossAV.FC(self.model.detector(self.model.fusion(sounds_BTD, faces_BTD)))


def encode_faces(blocks: FoldedBlocks, crops_THW: Tensor) -> Tensor:
    """What ``PictureEncoder`` gives (T, 128), by convolutions of two dimensions.

    ``blocks`` are its convolutions as ``folded_blocks`` has them. Space is convolved a few frames
    at a time and time a few pixels at a time, which stay in a core's cache: on one core it takes
    less than half of the time, and differs by rounding alone.
    """
    x_TCHW = _normal(crops_THW)[:, None]
    for place, (first, second, third, fourth) in enumerate(blocks):
        frames = [
            _in_space(_in_space(part, first), second) for part in x_TCHW.split(_FRAMES_AT_ONCE)
        ]
        x_CTP = torch.cat(frames).flatten(2).transpose(0, 1)
        pixels = [
            _in_time(_in_time(part, third), fourth) for part in x_CTP.split(_PIXELS_AT_ONCE, 2)
        ]
        x_TCHW = torch.cat(pixels, 2).transpose(0, 1).unflatten(2, frames[0].shape[2:])
        if place < len(blocks) - 1:
            x_TCHW = F.max_pool2d(x_TCHW, 3, 2, 1)
    return x_TCHW.amax(dim=(2, 3))


def _normal(levels: Tensor) -> Tensor:
    """Grey levels 0–255 as the network was trained on them."""
    return (levels.float() / 255 - GREY_MEAN) / GREY_DEVIATION


def _in_space(x_TCHW: Tensor, layer: nn.Conv3d) -> Tensor:
    weight = layer.weight[:, :, 0]
    step, border = layer.stride[1:], layer.padding[1:]
    return F.conv2d(x_TCHW, weight, layer.bias, stride=step, padding=border).relu_()


def _in_time(x_CTP: Tensor, layer: nn.Conv3d) -> Tensor:
    weight = layer.weight[:, :, :, :, 0]
    return F.conv2d(x_CTP[None], weight, layer.bias, padding=(weight.shape[2] // 2, 0))[0].relu_()


def folded_blocks(encoder: PictureEncoder) -> FoldedBlocks:
    """The convolutions of an encoder in eval mode, four a block, their batch norms folded in."""
    return [_folded(block) for block in (encoder.block1, encoder.block2, encoder.block3)]


def _folded(block: PictureBlock) -> list[nn.Conv3d]:
    """A block's four convolutions, each doing what its batch norm does as well."""
    pairs = (
        (block.s_1, block.s_norm_1),
        (block.s_2, block.s_norm_2),
        (block.t_1, block.t_norm_1),
        (block.t_2, block.t_norm_2),
    )
    return [fuse_conv_bn_eval(layer, norm) for layer, norm in pairs]


def _spatial(channels: int, filters: int, side: int, stride: int = 1) -> nn.Conv3d:
    """A convolution over ``side`` by ``side`` pixels of one frame."""
    reach = side // 2
    return nn.Conv3d(
        channels, filters, (1, side, side), (1, stride, stride), (0, reach, reach), bias=False
    )


def _temporal(filters: int, frames: int) -> nn.Conv3d:
    """A convolution over ``frames`` frames of one pixel."""
    return nn.Conv3d(filters, filters, (frames, 1, 1), padding=(frames // 2, 0, 0), bias=False)
