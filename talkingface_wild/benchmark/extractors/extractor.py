"""The contract of an extractor: one video (or two) in, named arrays out. Knows no metric."""

import abc
import dataclasses
from collections.abc import Sequence
from pathlib import Path
from typing import Any, ClassVar

from talkingface_wild import weights as weight_files
from talkingface_wild.benchmark.base import Features
from talkingface_wild.benchmark.decoded_video import DecodedVideo
from talkingface_wild.core.fingerprint import digest
from talkingface_wild.core.outcome import ItemRejected


class Extractor(abc.ABC):
    """Measures one video (``VideoExtractor``), or one beside its reference (``PairExtractor``).

    Pure given (pixels, sound, settings, weights); its ``fingerprint`` names all of these but the
    pixels and the sound, which the store adds. What cannot be measured raises ItemRejected.
    """

    name: ClassVar[str]
    version: ClassVar[int] = 1
    pair: ClassVar[bool] = False
    portrait_will_do: ClassVar[bool] = False
    """Whether an open-set clip's portrait can stand for the real video that it has not."""
    hears: ClassVar[bool] = False
    """Whether the sound counts as well as the pictures."""

    def __init__(self, settings: Any = None, autocast: bool = False) -> None:
        self.settings = settings
        self.autocast = autocast

    def weights(self) -> tuple[str, ...]:
        """Names in the weights manifest that it loads."""
        return ()

    def fingerprint(self) -> str:
        """Name, version, settings and the hashes of its weights, in 16 hex digits."""
        hashes = {name: weight_files.sha256(name) for name in self.weights()}
        return digest([*self.identity(), hashes])

    def identity(self) -> list[Any]:
        """All that names it but the bytes of its weights."""
        plain = dataclasses.asdict(self.settings) if self.settings is not None else None
        return [self.name, self.version, plain, list(self.weights()), self.autocast]

    def open(self, device: str, threads: int) -> None:
        """Load the networks, once per worker."""
        return

    def path(self, name: str) -> Path:
        """A verified weight's file."""
        return weight_files.path(name)


class VideoExtractor(Extractor):
    """Measures one video."""

    @abc.abstractmethod
    def extract(self, video: DecodedVideo) -> Features:
        """Named arrays of one video."""

    def indices(self, frames: int) -> Sequence[int]:
        """The protocol's frames of a video of so many. Raises ItemRejected without any."""
        indices: Sequence[int] = self.settings.indices(frames)
        if not indices:
            raise ItemRejected("too_short", f"no frame of the protocol in {frames} frames")
        return indices

    def face_detector(self, device: str, threads: int) -> Any:
        """The settings' face detector, opened."""
        from talkingface_wild.perception.face_detector import make_detector

        name = self.settings.detector
        return make_detector(name, self.path(name), threads=threads).open(device)


class PairExtractor(Extractor):
    """Measures a generated video against its reference, frame by frame."""

    pair = True

    @abc.abstractmethod
    def compare(self, generated: DecodedVideo, reference: DecodedVideo) -> Features:
        """Named arrays of one pair; frames beyond the shorter one are left out."""
