"""A small network that learns from a user's own clips which sound goes with which lips.

No label and no foreign weight is needed: within a clip, the sound of a frame is the right one and
that of other frames is not. It is a measure of its own, never Sync-C or Sync-D.
Shape legend: T frames, B frames of a training step.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from talkingface_wild.functional.lips_shape import LIPS_WIDTH, SOUND_WIDTH

Rows = npt.NDArray[np.float32]

HIDDEN, WIDTH = 128, 64
DROPOUT = 0.2


@dataclass(frozen=True)
class LipsClip:
    """One clip's windows: lips (T, 800), NaN where there is no face, and sound (T, 260)."""

    lips: Rows
    sound: Rows


@dataclass(frozen=True)
class LipsTraining:
    """How it is trained. Every step takes ``frames`` of one clip, drawn by the clips' lengths."""

    steps: int = 1500
    frames: int = 48
    apart: int = 2
    """Frames nearer than this to the right one are neither right nor wrong."""
    learning_rate: float = 1e-3
    weight_decay: float = 1e-2


class LipsNetwork(nn.Module):
    """Two perceptrons whose unit vectors lie near one another where lips and sound belong together.

    Contrastive, after van den Oord et al. 2018 (InfoNCE), within one clip, so that neither the
    speaker nor the room tells frames apart. 152,448 weights and a temperature.
    """

    lips_mean: Tensor
    lips_deviation: Tensor
    sound_mean: Tensor
    sound_deviation: Tensor

    def __init__(self) -> None:
        super().__init__()
        self.lips = _perceptron(LIPS_WIDTH)
        self.sound = _perceptron(SOUND_WIDTH)
        self.log_scale = nn.Parameter(torch.tensor(2.3))
        for name, width in (("lips", LIPS_WIDTH), ("sound", SOUND_WIDTH)):
            self.register_buffer(f"{name}_mean", torch.zeros(width))
            self.register_buffer(f"{name}_deviation", torch.ones(width))

    def forward(self, lips_BL: Tensor, sound_BS: Tensor) -> tuple[Tensor, Tensor]:
        """Unit vectors (B, 64) of lips and of sound."""
        lips = (lips_BL - self.lips_mean) / self.lips_deviation
        sound = (sound_BS - self.sound_mean) / self.sound_deviation
        normal = nn.functional.normalize
        return normal(self.lips(lips), dim=1), normal(self.sound(sound), dim=1)

    @torch.no_grad()
    def embed(self, clip: LipsClip) -> tuple[Rows, Rows]:
        """Unit vectors of every frame, (T, 64) twice; NaN where the lips are."""
        lips, sound = self(torch.from_numpy(clip.lips), torch.from_numpy(clip.sound))
        return lips.numpy(), sound.numpy()

    @classmethod
    def train_on(
        cls, clips: Sequence[LipsClip], seed: int, training: LipsTraining = LipsTraining()
    ) -> Self:
        """A network trained on these clips: the same one for the same clips and seed.

        Raises ValueError where no clip has two frames with a face.
        """
        tensors = [_judged(clip) for clip in clips]
        tensors = [pair for pair in tensors if len(pair[0]) > 1]
        if not tensors:
            raise ValueError("expected clips with faces to train on, found none")
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            network = cls()
            network._standardise(tensors)
            network._fit(tensors, np.random.default_rng(seed), training)
        return network.eval()

    def _standardise(self, clips: Sequence[tuple[Tensor, Tensor, Tensor]]) -> None:
        for name, place in (("lips", 0), ("sound", 1)):
            rows = torch.cat([clip[place] for clip in clips])
            getattr(self, f"{name}_mean").copy_(rows.mean(0))
            getattr(self, f"{name}_deviation").copy_(rows.std(0) + 1e-6)

    def _fit(
        self,
        clips: Sequence[tuple[Tensor, Tensor, Tensor]],
        draws: np.random.Generator,
        training: LipsTraining,
    ) -> None:
        lengths = np.array([len(lips) for lips, _, _ in clips], dtype=np.float64)
        optimizer = torch.optim.AdamW(
            self.parameters(), training.learning_rate, weight_decay=training.weight_decay
        )
        schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, training.steps)
        self.train()
        for _ in range(training.steps):
            lips, sound, times = clips[draws.choice(len(clips), p=lengths / lengths.sum())]
            rows = draws.choice(len(lips), min(training.frames, len(lips)), replace=False)
            batch = torch.from_numpy(np.sort(rows))
            loss = self._loss(lips[batch], sound[batch], times[batch], training.apart)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            schedule.step()

    def _loss(self, lips_BL: Tensor, sound_BS: Tensor, times_B: Tensor, apart: int) -> Tensor:
        """Which sound is each frame's, and which frame each sound's: cross entropy both ways."""
        lips, sound = self(lips_BL, sound_BS)
        scores_BB = lips @ sound.T * self.log_scale.exp()
        gaps_BB = (times_B[:, None] - times_B[None]).abs()
        scores_BB = scores_BB.masked_fill((gaps_BB > 0) & (gaps_BB <= apart), -torch.inf)
        right_B = torch.arange(len(lips))
        entropy = nn.functional.cross_entropy
        return entropy(scores_BB, right_B) + entropy(scores_BB.T, right_B)


def _perceptron(inputs: int) -> nn.Sequential:
    return nn.Sequential(
        nn.Linear(inputs, HIDDEN), nn.ReLU(), nn.Dropout(DROPOUT), nn.Linear(HIDDEN, WIDTH)
    )


def _judged(clip: LipsClip) -> tuple[Tensor, Tensor, Tensor]:
    """The frames with a face: their lips, their sound, their numbers."""
    rows = np.flatnonzero(~np.isnan(clip.lips).any(axis=1))
    parts = (clip.lips[rows], clip.sound[rows], rows)
    lips, sound, times = (torch.from_numpy(part) for part in parts)
    return lips, sound, times
