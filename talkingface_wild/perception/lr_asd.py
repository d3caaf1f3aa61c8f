"""LR-ASD (Liao et al., IJCV 2025): does this face speak, frame by frame, given picture and sound.
Its numbers are scores of one face; who speaks, and whether a clip is kept, is said elsewhere.
Shape legend: B batch, C channels, T frames of the picture, S steps of the sound (four a frame),
F cepstra, H height, W width, D dimensions.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Self

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.nn.utils.fusion import fuse_conv_bn_eval

from talkingface_wild.core.outcome import ItemRejected
from talkingface_wild.functional.mfcc import CEPSTRA, mfcc
from talkingface_wild.perception.state_dict import load_state, load_strict

Scores = npt.NDArray[np.float32]

WEIGHT = "lr_asd"
"""The weight: ``pretrain_AVA.model`` of the authors, trained on AVA-ActiveSpeaker."""
CROP = 112
"""Side of a grey face crop, in pixels: the middle of the published crop of 224."""
FRAMES_PER_SECOND = 25
STEPS_PER_FRAME = 4
"""Steps of the sound's cepstra, 100 a second, for one frame of the picture."""
GREY_MEAN = 0.4161
GREY_DEVIATION = 0.1688
"""Of the training crops, in shares of full white."""
SAMPLES_PER_FRAME = 640
"""Samples of 16 kHz sound in one frame."""
_LAST_STEP_SAMPLES = 240
"""How far the window of a frame's last step reaches beyond the frame: 25 ms begun 10 ms before."""
_REACH_FRAMES = 9
"""Frames on either side that the picture encoder sees: two and one in each of three blocks."""
_PART_FRAMES = 64
_FRAMES_AT_ONCE = 16
_PIXELS_AT_ONCE = 112
_NORM_EPSILON = 1e-3
_LONG, _SHORT = 5, 3
"""Lengths of the two kernels of every block."""


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


class SpeechDetector(nn.Module):
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
        self.detector = SpeechDetector(256)


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


class ActiveSpeaker:
    """Scores a face's crops against the sound: above 0 it speaks, below it does not.

    A score is the logit of "speaks", as published. All frames go through the recurrences at once,
    as in the authors' evaluation on AVA; the windows of 1 to 6 s of their other evaluation cost
    six times as much and tell a clip's own sound from others less well.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._network: SpeakerNetwork | None = None
        self._blocks: list[list[nn.Conv3d]] = []

    def open(self, device: str = "cpu") -> Self:
        """Load the network onto ``device``; WeightMissing when the file is of another layout."""
        network = SpeakerNetwork()
        load_strict(network, load_state(self.path), self.path)
        self._network = network.eval().to(device)
        encoder = network.model.visualEncoder
        self._blocks = [
            _folded(block) for block in (encoder.block1, encoder.block2, encoder.block3)
        ]
        return self

    def scores(
        self, crops_THW: npt.NDArray[np.uint8], samples_int16: npt.NDArray[np.int16]
    ) -> Scores:
        """A score (frames,) of each frame that has picture and sound: min(T, samples // 640).

        ``crops_THW`` are grey face crops (T, 112, 112) uint8 at 25 frames a second: the middle of
        what ``functional.face_track.crop_square`` gives at its published scale of 0.40. They may
        be a ``numpy.memmap``. ``samples_int16`` is mono sound at 16 kHz that begins with them; the
        last frame hears 15 ms of what follows, or silence. The network's own best match of true
        sound lies some 3 frames early (true clips score higher with their sound taken 3 frames
        before); scores are not corrected for it.

        Raises ItemRejected ``too_few_windows`` without one frame of both, ValueError for crops of
        another size or type and for sound that is no vector of int16.
        """
        frames = min(len(crops_THW), len(samples_int16) // SAMPLES_PER_FRAME)
        if not frames:
            raise ItemRejected(
                "too_few_windows",
                f"expected at least one frame of picture and of sound (1/{FRAMES_PER_SECOND} s), "
                f"found {len(crops_THW)} crops and {len(samples_int16)} samples",
            )
        heard = samples_int16[: frames * SAMPLES_PER_FRAME + _LAST_STEP_SAMPLES]
        missing = frames * SAMPLES_PER_FRAME + _LAST_STEP_SAMPLES - len(heard)
        cepstra_SF = mfcc(np.pad(heard, (0, missing)))
        return self.cepstra_scores(crops_THW[:frames], cepstra_SF[: frames * STEPS_PER_FRAME])

    def cepstra_scores(
        self, crops_THW: npt.NDArray[np.uint8], cepstra_SF: npt.NDArray[np.floating]
    ) -> Scores:
        """``scores`` of sound that is at hand as cepstra (S, 13), 100 steps a second.

        There are min(T, S // 4) scores. Raises as ``scores`` does.
        """
        if crops_THW.shape[1:] != (CROP, CROP) or crops_THW.dtype != np.uint8:
            raise ValueError(
                f"Expected grey crops of shape (T, {CROP}, {CROP}) and type uint8, found "
                f"{crops_THW.shape} {crops_THW.dtype}; crop the face and convert it first."
            )
        if cepstra_SF.ndim != 2 or cepstra_SF.shape[1] != CEPSTRA:
            raise ValueError(
                f"Expected cepstra of shape (S, {CEPSTRA}), found {cepstra_SF.shape}; take them "
                "with functional.mfcc."
            )
        frames = min(len(crops_THW), len(cepstra_SF) // STEPS_PER_FRAME)
        if not frames:
            raise ItemRejected(
                "too_few_windows",
                f"expected at least one frame of picture and four steps of sound, found "
                f"{len(crops_THW)} and {len(cepstra_SF)}",
            )
        if self._network is None:
            self.open()
        network = self._network
        device = next(network.parameters()).device
        sound_SF = torch.from_numpy(cepstra_SF[: frames * STEPS_PER_FRAME].astype(np.float32))
        with torch.inference_mode(), torch.backends.cudnn.flags(enabled=True, allow_tf32=False):
            faces_TD = torch.cat(list(self._face_parts(crops_THW[:frames], device)))
            sounds_BTD = network.model.audioEncoder(sound_SF[None].to(device))
            logits_BT2 = network.judge(sounds_BTD, faces_TD[None])
            return logits_BT2[0, :, 1].float().cpu().numpy()

    def _face_parts(
        self, crops_THW: npt.NDArray[np.uint8], device: torch.device
    ) -> Iterator[Tensor]:
        """The picture encoder's (T, 128) in parts, each computed with the frames that it sees."""
        for start in range(0, len(crops_THW), _PART_FRAMES):
            stop = min(start + _PART_FRAMES, len(crops_THW))
            first = max(start - _REACH_FRAMES, 0)
            pixels = np.array(crops_THW[first : stop + _REACH_FRAMES])
            features_TD = encode_faces(self._blocks, torch.from_numpy(pixels).to(device))
            yield features_TD[start - first : stop - first]


def encode_faces(blocks: list[list[nn.Conv3d]], crops_THW: Tensor) -> Tensor:
    """What ``PictureEncoder`` gives (T, 128), by convolutions of two dimensions.

    ``blocks`` hold its convolutions with the batch norms folded in. Space is convolved a few frames
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
    return F.conv2d(x_CTP[None], weight, layer.bias, padding=(layer.padding[0], 0))[0].relu_()


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
