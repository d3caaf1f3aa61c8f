"""LR-ASD (Liao et al., IJCV 2025): does this face speak, frame by frame, given picture and sound.
Its numbers are scores of one face; who speaks, and whether a clip is kept, is said elsewhere.
Shape legend: B batch, T frames of the picture, S steps of the sound (four a frame), H height,
W width, D dimensions.
"""

from pathlib import Path
from typing import Any, Self

import numpy as np
import numpy.typing as npt
import torch

from talkingface_wild.core.outcome import ItemRejected
from talkingface_wild.functional.mfcc import CEPSTRA, mfcc
from talkingface_wild.perception.lr_asd_network import (
    REACH_FRAMES,
    FoldedBlocks,
    SpeakerNetwork,
    encode_faces,
    folded_blocks,
)
from talkingface_wild.perception.state_dict import load_state, load_strict

Scores = npt.NDArray[np.float32]

WEIGHT = "lr_asd"
"""The weight: ``pretrain_AVA.model`` of the authors, trained on AVA-ActiveSpeaker."""
CROP = 112
"""Side of a grey face crop, in pixels: the middle of the published crop of 224."""
FRAMES_PER_SECOND = 25
FEATURES = 128
"""Numbers that the network makes of one frame of a face."""
STEPS_PER_FRAME = 4
"""Steps of the sound's cepstra, 100 a second, for one frame of the picture."""
SAMPLES_PER_FRAME = 640
"""Samples of 16 kHz sound in one frame."""
_LAST_STEP_SAMPLES = 240
"""How far the window of a frame's last step reaches beyond the frame: 25 ms begun 10 ms before."""
_PART_FRAMES = 64


class ActiveSpeaker:
    """Scores a face's crops against the sound: above 0 it speaks, below it does not.

    A score is the logit of "speaks", as published. All frames go through the recurrences at once,
    as in the authors' evaluation on AVA; windows of 1 to 6 s, as in their other evaluation, tell a
    clip's own sound from others less well. What is compared should be of one length.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._network: Any = None
        self._blocks: FoldedBlocks = []

    def open(self, device: str = "cpu") -> Self:
        """Load the network onto ``device``; WeightMissing when the file is of another layout."""
        network = SpeakerNetwork()
        load_strict(network, load_state(self.path), self.path)
        self._network = network.eval().to(device)
        self.device = torch.device(device)
        self._blocks = folded_blocks(network.model.visualEncoder)
        return self

    def scores(
        self, crops_THW: npt.NDArray[np.uint8], samples_int16: npt.NDArray[np.int16]
    ) -> Scores:
        """A score (frames,) of each frame that has picture and sound: min(T, samples // 640).

        ``crops_THW`` are grey face crops (T, 112, 112) uint8 at 25 frames a second: the middle of
        what ``functional.face_track.crop_square`` gives at its published scale of 0.40. They may
        be a ``numpy.memmap``. ``samples_int16`` is mono sound at 16 kHz that begins with them; the
        last frame hears 15 ms of what follows, or silence. On clips in step a frame scores highest
        with the sound of some 0 to 3 frames before; scores are not corrected for that.

        Raises ItemRejected ``too_few_windows`` without one frame of both, ValueError for crops of
        another size or type and for sound that is no vector of int16.
        """
        frames = min(len(crops_THW), len(samples_int16) // SAMPLES_PER_FRAME)
        return self.judge(self.features(crops_THW[:frames]), cepstra(samples_int16, frames))

    def features(self, crops_THW: npt.NDArray[np.uint8]) -> npt.NDArray[np.float32]:
        """What the network sees of a face's crops: (T, 128), for ``judge``; nearly all its cost.

        Raises ValueError for crops of another size or type.
        """
        if crops_THW.shape[1:] != (CROP, CROP) or crops_THW.dtype != np.uint8:
            raise ValueError(
                f"Expected grey crops of shape (T, {CROP}, {CROP}) and type uint8, found "
                f"{crops_THW.shape} {crops_THW.dtype}; crop the face and convert it first."
            )
        if self._network is None:
            self.open()
        parts = [np.zeros((0, FEATURES), dtype=np.float32)]
        with torch.inference_mode(), torch.backends.cudnn.flags(enabled=True, allow_tf32=False):
            for start in range(0, len(crops_THW), _PART_FRAMES):
                stop = min(start + _PART_FRAMES, len(crops_THW))
                first = max(start - REACH_FRAMES, 0)
                pixels = torch.from_numpy(np.array(crops_THW[first : stop + REACH_FRAMES]))
                seen_TD = encode_faces(self._blocks, pixels.to(self.device))
                parts.append(seen_TD[start - first : stop - first].float().cpu().numpy())
        return np.concatenate(parts)

    def judge(
        self, features_TD: npt.NDArray[np.float32], cepstra_SF: npt.NDArray[np.floating]
    ) -> Scores:
        """The scores of ``features`` with a sound as cepstra (S, 13), 100 a second.

        There are min(T, S // 4). A face may be judged with many sounds: the share of other sounds
        that score lower says more than the score itself, whose level differs from face to face.

        Raises ItemRejected ``too_few_windows`` without one frame of both, ValueError for another
        shape of cepstra.
        """
        if cepstra_SF.ndim != 2 or cepstra_SF.shape[1] != CEPSTRA:
            raise ValueError(
                f"Expected cepstra of shape (S, {CEPSTRA}), found {cepstra_SF.shape}; take them "
                "with functional.mfcc."
            )
        frames = min(len(features_TD), len(cepstra_SF) // STEPS_PER_FRAME)
        if not frames:
            raise ItemRejected(
                "too_few_windows",
                f"expected at least one frame (1/{FRAMES_PER_SECOND} s) of picture and sound, "
                f"found {len(features_TD)} frames and {len(cepstra_SF)} steps of 10 ms",
            )
        if self._network is None:
            self.open()
        sound_SF = cepstra_SF[: frames * STEPS_PER_FRAME].astype(np.float32)
        with torch.inference_mode(), torch.backends.cudnn.flags(enabled=True, allow_tf32=False):
            faces_BTD = torch.from_numpy(features_TD[:frames])[None].to(self.device)
            sound_BSF = torch.from_numpy(sound_SF)[None].to(self.device)
            sounds_BTD = self._network.model.audioEncoder(sound_BSF)
            logits_BT2 = self._network.judge(sounds_BTD, faces_BTD)
            return logits_BT2[0, :, 1].float().cpu().numpy()


def cepstra(samples_int16: npt.NDArray[np.int16], frames: int) -> npt.NDArray[np.float64]:
    """The cepstra (4 × frames, 13) of the first ``frames`` frames of a sound, as the network hears.

    Silence follows a sound that ends too soon. Raises ValueError for sound that is no vector of
    int16.
    """
    if not frames:
        return np.zeros((0, CEPSTRA))
    reach = frames * SAMPLES_PER_FRAME + _LAST_STEP_SAMPLES
    heard = np.asarray(samples_int16)[:reach]
    if heard.ndim == 1:
        heard = np.pad(heard, (0, reach - len(heard)))
    return mfcc(heard)[: frames * STEPS_PER_FRAME]
