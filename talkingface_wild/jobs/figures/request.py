"""What ``tfw model analyse`` is asked for: a trained model, subjects, and where figures go.

A field's place in the help is that of its class: ``Subjects``, then the figure's own, ``Drawing``.
"""

import contextlib
from pathlib import Path
from typing import ClassVar

from pydantic import Field

from talkingface_wild.core.errors import UsageError
from talkingface_wild.core.request import Request

_MODEL = "--checkpoint runs/tiny"
_TALK = "demo_out/corpus/es/es_talk.mp4"
_SPANISH = f"--image {_TALK} --audio {_TALK}"
Box = tuple[float, float, float, float]
LIPS_FRAMES, ALPHA_FRAMES = 48, 75
"""Most frames of a clip where the request does not say."""


class Place(Request):
    """The model, and the folder of what is drawn."""

    checkpoint: Path
    """The --out of `tfw train`, or a model's folder."""
    out: Path
    """Folder of the picture and the table."""


class Subjects(Place):
    """A portrait with its speech, or clips of a data set."""

    image: Path | None = None
    """A picture of one face, with --audio."""
    audio: Path | None = None
    """Its speech: sound, or video with sound."""
    dataset: Path | None = None
    """Clips of a curated data set instead; real frames to compare."""
    split: str | None = None
    """train, val or test. Default: test, where there is one."""
    limit: int = Field(4, ge=1)
    """The first so many clips."""

    def check(self) -> None:
        """Raise UsageError unless it names one kind of subjects."""
        paths = {"--image": self.image, "--audio": self.audio, "--dataset": self.dataset}
        present = [name for name, path in paths.items() if path is not None]
        if present not in (["--image", "--audio"], ["--dataset"]):
            raise _neither("--audio", present)


class LabelledSubjects(Place):
    """Clips or sounds with a label each."""

    image: Path | None = None
    """One portrait for all sounds, so that only sound tells them apart."""
    dataset: Path | None = None
    """A curated data set; else --image with --labels."""
    split: str | None = None
    """train, val or test. Default: test, where there is one."""
    limit: int = Field(200, ge=1)
    """The first so many clips."""
    labels: Path | None = None
    """CSV with label and clip_id (of --dataset) or audio (beside the file)."""
    label: str | None = None
    """Column of the data set that labels clips. Default: given_emotion or emotion, else identity or
    language, and the picture says so."""

    def check(self) -> None:
        """Raise UsageError unless it names one kind of subjects."""
        paths = {"--image": self.image, "--labels": self.labels, "--dataset": self.dataset}
        present = [name for name, path in paths.items() if path is not None]
        if present != ["--image", "--labels"] and "--dataset" not in present:
            raise _neither("--labels", present)


class Drawing(Request):
    """How the model samples, and how faces are looked for."""

    steps: int | None = Field(None, ge=1, le=1000)
    """Denoising steps. Default: the model's."""
    seed: int = Field(0, ge=0)
    """Another seed draws other noise."""
    detector: str = "auto"
    """Face detector: auto, haar, centerface, scrfd_10g, scrfd_2.5g, scrfd_500m."""
    whole: bool = False
    """Take the picture as it is; look for no face."""
    device: str = "auto"
    """auto, cpu or cuda."""


class _DriftFrames(Request):
    frames: str = "30,300,1800,3600,7200"
    """Frames to look at; those that the sound reaches are taken."""

    @property
    def numbers(self) -> tuple[int, ...]:
        """``frames`` as whole numbers. Raises UsageError."""
        words = [word.strip() for word in self.frames.split(",")]
        if not all(word.isascii() and word.isdigit() and 0 < int(word) < 10**8 for word in words):
            raise UsageError(
                f"Expected --frames as whole numbers from 1 with commas, such as 30,300, found "
                f"{self.frames!r}."
            )
        return tuple(sorted({int(word) for word in words}))


class _LipsFrames(Request):
    frames: int | None = Field(None, ge=1)
    """Frames of each clip; 48 at most."""
    mouth: str | None = None
    """The mouth's left, top, right and bottom in [0, 1] of the frame. Default: from the faces'
    boxes, or where portraits have it."""

    @property
    def box(self) -> Box | None:
        """``mouth`` as numbers. Raises UsageError."""
        if self.mouth is None:
            return None
        with contextlib.suppress(ValueError):
            left, top, right, bottom = (float(word) for word in self.mouth.split(","))
            if 0 <= left < right <= 1 and 0 <= top < bottom <= 1:
                return left, top, right, bottom
        raise UsageError(
            f"Expected --mouth as left,top,right,bottom in [0, 1], such as 0.28,0.59,0.72,0.94, "
            f"found {self.mouth!r}."
        )


class _Neighbours(Request):
    points: int = Field(20, ge=1)
    """Most points of a clip."""
    neighbours: int = Field(5, ge=1)
    """Neighbours for the purity."""


class _AlphaFrames(Request):
    frames: int | None = Field(None, ge=1)
    """Frames of each clip; 75 at most."""


class DriftRequest(Drawing, _DriftFrames, Subjects):
    """Figure 5."""

    EXAMPLES: ClassVar = (
        f"tfw model analyse drift {_MODEL} {_SPANISH} --out figures",
        "tfw model analyse drift --checkpoint runs/tiny --dataset demo_out --split test "
        "--frames 30,75 --steps 8 --out figures",
    )


class LipsRequest(Drawing, _LipsFrames, Subjects):
    """Figure 6a."""

    EXAMPLES: ClassVar = (
        f"tfw model analyse lips {_MODEL} {_SPANISH} --out figures",
        "tfw model analyse lips --checkpoint runs/tiny --dataset demo_out --frames 24 "
        "--mouth 0.28,0.59,0.72,0.94 --out figures",
    )


class ExpressionsRequest(Drawing, _Neighbours, LabelledSubjects):
    """Figure 6b."""

    EXAMPLES: ClassVar = (
        "tfw model analyse expressions --checkpoint runs/tiny --dataset demo_out --out figures",
        "tfw model analyse expressions --checkpoint runs/tiny --image face.jpg "
        "--labels emotions.csv --out figures  # needs your own files",
    )


class AlphaRequest(Drawing, _AlphaFrames, Subjects):
    """Figure 7."""

    EXAMPLES: ClassVar = (
        "tfw model analyse alpha --checkpoint runs/tiny --dataset demo_out --split test "
        "--out figures",
        f"tfw model analyse alpha {_MODEL} {_SPANISH} --frames 48 --steps 8 --out figures",
    )


Unlabelled = DriftRequest | LipsRequest | AlphaRequest
FigureRequest = Unlabelled | ExpressionsRequest


def _neither(second: str, present: list[str]) -> UsageError:
    return UsageError(
        f"Expected either --image with {second} or --dataset, found "
        f"{' and '.join(present) or 'neither'}."
    )
