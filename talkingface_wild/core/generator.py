"""What a generator is: a portrait and a drive in, frames out, all that it carries in one State.

Shapes: T frames, H W pixels (uint8 RGB), S side of a square; sound is mono int16 at 16 kHz.
"""

from __future__ import annotations

import dataclasses
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from talkingface_wild.core.errors import UsageError

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    Pictures = npt.NDArray[np.uint8]
    Samples = npt.NDArray[np.int16]
    Floats = npt.NDArray[np.float32]


SOUND_RATE = 16_000


def frame_count(samples: int, fps: int) -> int:
    """Frames that a sound of ``SOUND_RATE`` fills, the last one perhaps in part."""
    return -(-samples * fps // SOUND_RATE)


@dataclass(frozen=True)
class Poses:
    """A face's way through a driving video, in [0, 1] of the square that holds all of it."""

    boxes_T4: Floats
    """x0, y0, x1, y1 of the face in each frame."""
    points_T52: Floats | None
    """Eyes, nose and corners of the mouth, where the detector gives them."""
    pictures: Callable[[int], Iterator[Pictures]]
    """Chunks (n, S, S, 3) of the square, of the side that is asked for."""


@dataclass(frozen=True)
class Drive:
    """What moves a face, for ``frames`` frames: sound, poses or both."""

    frames: int
    sound: Samples | None = None
    poses: Poses | None = None
    encoded: Any = None
    """What ``Generator.encode`` gave for it: the generator's own."""


@dataclass(frozen=True)
class State:
    """All that the next frames depend on. ``tensors`` and ``scalars`` are saved.

    ``drive`` and ``options`` are not: who loads a state puts those it was begun with back.
    """

    position: int
    """Frames drawn so far."""
    tensors: Mapping[str, Any]
    """Arrays of numpy or torch by name; they do not grow with the video's length."""
    scalars: Mapping[str, int | float | str] = field(default_factory=dict)
    """``retries``, where it is there, counts chunks that were drawn again."""
    drive: Drive = Drive(0)
    options: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Facts:
    """What a checkpoint says of itself; read without its weights."""

    side: int
    """Pixels of its frames' side."""
    fps: int = 25
    folder: Path | None = None
    """The one with the networks."""
    preset: str = ""
    config: Mapping[str, Any] = field(default_factory=dict)
    config_sha256: str = ""
    """Of what shapes frames, sampling left out."""
    trained: Mapping[str, Any] = field(default_factory=dict)
    """All that it says of its training: ``trained_on``, ``stages`` and more."""
    cautions: tuple[str, ...] = ()
    """Sentences that must stand beside whatever it draws."""


class Generator(ABC):
    """A talking-face generator with its weights loaded. One class, one line of registry.

    With the same inputs, options, seed and ``fingerprint`` it gives the same frames.
    """

    name: ClassVar[str]
    stochastic: ClassVar[bool] = True
    """Whether the seed changes the frames; then a protocol asks for several."""
    drives: ClassVar[tuple[str, ...]] = ("sound",)
    """Of ``sound`` and ``poses``, what it takes."""
    options: ClassVar[tuple[str, ...]] = ()
    """Names of the options that ``start`` takes: ``steps``, ``guidance`` and the like."""
    needs_checkpoint: ClassVar[bool] = True

    facts: Facts
    weights_sha256: str = ""
    device: str = "cpu"
    precision: str = ""
    machine: str = ""
    """Device and libraries, as far as they may move last bits."""

    @classmethod
    @abstractmethod
    def open(
        cls,
        checkpoint: Path | None,
        device: str = "auto",
        precision: str = "auto",
        compiled: bool = False,
    ) -> Generator:
        """With its weights on a device. Raises TfwError for what cannot be opened."""

    @classmethod
    @abstractmethod
    def read_facts(cls, checkpoint: Path | None, label: str = "The model") -> Facts:
        """What a checkpoint says, cheaply; ``label`` is what its cautions call the model."""

    @classmethod
    def variants(cls, checkpoint: Path) -> tuple[Path, dict[str, Path]]:
        """The training's folder, and by name the variants' checkpoints in it."""
        return checkpoint, {}

    @classmethod
    def variant_config(cls, config: Mapping[str, Any], name: str) -> Mapping[str, Any]:
        """The configuration that a variant of a model with ``config`` should have."""
        raise UsageError(f"Expected a model with variants such as {name}, found {cls.name}.")

    @classmethod
    def trainer(cls) -> Any:
        """What trains it (``jobs.train.trainer.Trainer``). Raises UsageError where nothing does."""
        raise UsageError(
            f"Expected a model that can be trained here, found {cls.name}; see its own page."
        )

    def settings(self, options: Mapping[str, Any]) -> dict[str, Any]:
        """How it samples with these options, as plain data. Raises RecipeError."""
        return {"sampling": dict(options)}

    @abstractmethod
    def fingerprint(self, options: Mapping[str, Any]) -> str:
        """Names configuration, weights and sampling: outputs are kept by it."""

    def encode(self, drive: Drive) -> Drive:
        """The drive with what is computed of it once a video; poses become its own terms."""
        return drive

    @abstractmethod
    def start(
        self, portrait_HWC: Pictures, drive: Drive, options: Mapping[str, Any], seed: int
    ) -> State:
        """The state before the first frame; ``drive`` is as ``encode`` gives it."""

    @abstractmethod
    def step(self, state: State) -> tuple[Pictures, State]:
        """The next frames (T, H, W, 3) of the portrait's own size, and the state after them.

        Never more than ``state.drive.frames`` in all. ``state`` itself stays as it is.
        """

    def frames(
        self, portrait_HWC: Pictures, drive: Drive, options: Mapping[str, Any], seed: int
    ) -> Iterator[Pictures]:
        """All frames, chunk by chunk, as they are drawn."""
        state = self.start(portrait_HWC, self.encode(drive), options, seed)
        while state.position < drive.frames:
            frames_THWC, state = self.step(state)
            yield frames_THWC


def continued(state: State, drive: Drive, options: Mapping[str, Any]) -> State:
    """A loaded state with the drive and options that it was begun with."""
    return dataclasses.replace(state, drive=drive, options=options)
