"""Figures of a trained model: it is opened and people something; a picture and a table each."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from talkingface_wild.core.errors import UsageError, nearest
from talkingface_wild.core.reporter import Reporter
from talkingface_wild.jobs.figures.labels import labelled
from talkingface_wild.jobs.figures.request import (
    ALPHA_FRAMES,
    LIPS_FRAMES,
    AlphaRequest,
    DriftRequest,
    ExpressionsRequest,
    FigureRequest,
    LipsRequest,
)
from talkingface_wild.jobs.figures.subjects import subjects
from talkingface_wild.models import need_packages

if TYPE_CHECKING:
    from talkingface_wild.models.mcdm.analyses.speaking_portrait import Draws, Subject
    from talkingface_wild.models.mcdm.networks import MCDMParts
    from talkingface_wild.models.mcdm.variants import Checkpoint

DEVICES = ("auto", "cpu", "cuda")
_ADVICE = "ask for fewer frames or clips, or add --device cpu"


@dataclass(frozen=True)
class Figure:
    """What was written, and its numbers."""

    picture: Path
    table: Path
    source: str
    """Where the subjects are from, in a sentence."""
    figures: Mapping[str, Any]
    against: str = ""
    """What frames are compared with."""


@dataclass(frozen=True)
class _Opened:
    """A model on its device."""

    checkpoint: Checkpoint
    parts: MCDMParts
    draws: Draws
    device: str


def drift(request: DriftRequest, reporter: Reporter) -> Figure:
    """Figure 5: SSIM at some frames of a long video, with and without the archived clip."""
    numbers = request.numbers
    request.check()
    with _opened(request) as model:
        from talkingface_wild.models.mcdm.analyses.drift_curves import draw_drift
        from talkingface_wild.models.mcdm.analyses.drift_curves import drift as measure

        picture = model.parts.config.picture
        people, source = subjects(request, model.device, picture, numbers[-1], reporter.warn)
        curves = measure(model.checkpoint, model.parts, people, model.draws, numbers, reporter.say)
    return _write(request, "drift", curves, source, draw_drift, reporter)


def lips(request: LipsRequest, reporter: Reporter) -> Figure:
    """Figure 6a: where in the frame the present attention reads the lip tokens."""
    box = request.box
    request.check()
    with _opened(request) as model:
        from talkingface_wild.models.mcdm.analyses.lips import draw_lips
        from talkingface_wild.models.mcdm.analyses.lips import lips as measure

        picture, most = model.parts.config.picture, request.frames or LIPS_FRAMES
        people, source = subjects(request, model.device, picture, most, reporter.warn)
        count = _at_most(request.frames, LIPS_FRAMES, people, picture.fps)
        attention = measure(
            model.checkpoint, model.parts, people, model.draws, count, box, reporter.say
        )
    return _write(request, "lips", attention, source, draw_lips, reporter)


def expressions(request: ExpressionsRequest, reporter: Reporter) -> Figure:
    """Figure 6b: t-SNE of predicted expression tokens, with purity and silhouette."""
    request.check()
    with _opened(request) as model:
        from talkingface_wild.models.mcdm.analyses.expressions import draw_expressions
        from talkingface_wild.models.mcdm.analyses.expressions import expressions as measure

        picture = model.parts.config.picture
        people, by, source = labelled(request, model.device, picture, reporter.warn)
        spaces = measure(
            model.checkpoint,
            model.parts,
            people,
            by,
            model.draws,
            request.points,
            request.neighbours,
            reporter.say,
        )
    return _write(request, "expressions", spaces, source, draw_expressions, reporter)


def alpha(request: AlphaRequest, reporter: Reporter) -> Figure:
    """Figure 7: SSIM over alpha, the weight of the past in the motion memory."""
    request.check()
    with _opened(request) as model:
        from talkingface_wild.models.mcdm.analyses.alpha import alpha_curve, draw_alpha

        picture, most = model.parts.config.picture, request.frames or ALPHA_FRAMES
        people, source = subjects(request, model.device, picture, most, reporter.warn)
        count = _at_most(request.frames, ALPHA_FRAMES, people, picture.fps)
        curve = alpha_curve(model.checkpoint, model.parts, people, model.draws, count, reporter.say)
    return _write(request, "alpha", curve, source, draw_alpha, reporter)


@contextlib.contextmanager
def _opened(request: FigureRequest) -> Iterator[_Opened]:
    """The model, to be used inside the block, where memory that runs out is told in a sentence.

    Raises ExtraMissing, InputUnreadable, UsageError.
    """
    need_packages("diffusers", "transformers")
    device = _device(request.device)
    from talkingface_wild.models.mcdm.analyses.drawing import need_drawing
    from talkingface_wild.models.mcdm.analyses.speaking_portrait import Draws
    from talkingface_wild.models.mcdm.variants import Checkpoint
    from talkingface_wild.models.out_of_memory import memory_told

    need_drawing()
    checkpoint = Checkpoint.find(request.checkpoint)
    with memory_told(device, _ADVICE):
        draws = Draws(request.seed, request.steps)
        yield _Opened(checkpoint, checkpoint.load(device), draws, device)


def _device(name: str) -> str:
    import torch

    if name not in DEVICES:
        raise UsageError(
            f"--device expects {', '.join(DEVICES)}, found {name!r}{nearest(name, DEVICES)}."
        )
    if name == "cuda" and not torch.cuda.is_available():
        raise UsageError("Expected a CUDA GPU for --device cuda, found none; add --device cpu.")
    return name if name != "auto" else "cuda" if torch.cuda.is_available() else "cpu"


def _at_most(frames: int | None, default: int, people: Sequence[Subject], fps: int) -> int:
    """Frames of each clip: those asked for, else what the longest has, ``default`` at most."""
    longest = max((subject.frames(fps) for subject in people), default=0)
    return frames or max(1, min(default, longest))


def _write(
    request: FigureRequest,
    name: str,
    analysis: Any,
    source: str,
    draw: Callable[[Path, Any, str], None],
    reporter: Reporter,
) -> Figure:
    """Draw the picture, and write the table beside it."""
    from talkingface_wild.models.mcdm.analyses.drawing import write_table

    picture, table = request.out / f"{name}.png", request.out / f"{name}.csv"
    draw(picture, analysis, source)
    write_table(table, analysis.rows())
    for sentence in analysis.cautions:
        reporter.warn(sentence)
    against = getattr(analysis, "against", "")
    return Figure(picture, table, source, analysis.figures(), against)
