"""Opens the model that ``tfw model`` looks into, and writes what an analysis found."""

from __future__ import annotations

import contextlib
import dataclasses
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from talkingface_wild.cli.output import Output
from talkingface_wild.core.errors import UsageError, nearest

if TYPE_CHECKING:
    from talkingface_wild.models.mcdm.analyses.checkpoint import Checkpoint
    from talkingface_wild.models.mcdm.analyses.rolling import Draws
    from talkingface_wild.models.mcdm.analyses.subjects import Subject
    from talkingface_wild.models.mcdm.networks import MCDMParts

DEVICES = ("auto", "cpu", "cuda")
_ADVICE = "ask for fewer frames or clips, or add --device cpu"


@dataclass(frozen=True)
class Asked:
    """Where subjects come from, as the command line has it."""

    image: Path | None = None
    audio: Path | None = None
    dataset: Path | None = None
    split: str | None = None
    limit: int | None = None
    detector: str = "auto"
    whole: bool = False
    device: str = "cpu"
    labels: Path | None = None
    column: str | None = None

    def check(self, labels: bool = False) -> None:
        """Raise UsageError unless it names one kind of subjects; ``labels`` for labelled ones."""
        second = "--labels" if labels else "--audio"
        named = {
            "--image": self.image,
            second: self.labels if labels else self.audio,
            "--dataset": self.dataset,
        }
        given = [name for name, value in named.items() if value is not None]
        pair = given == ["--image", second]
        if pair or given == ["--dataset"] or (labels and "--dataset" in given):
            return
        raise UsageError(
            f"Expected either --image with {second} or --dataset, found "
            f"{' and '.join(given) or 'neither'}."
        )


@dataclass(frozen=True)
class Opened:
    """A model on its device, and what it is asked to show."""

    checkpoint: Checkpoint
    parts: MCDMParts
    draws: Draws
    asked: Asked


@contextlib.contextmanager
def opened(
    asked: Asked, folder: Path, device: str, steps: int | None, seed: int
) -> Iterator[Opened]:
    """The model, to be used inside the block, where memory that runs out is told in a sentence.

    Raises ExtraMissing, InputUnreadable, UsageError.
    """
    from talkingface_wild.cli.bench_generators import need_models

    need_models()
    where = _device(device)
    from talkingface_wild.models.mcdm.analyses.checkpoint import Checkpoint
    from talkingface_wild.models.mcdm.analyses.drawing import need_drawing
    from talkingface_wild.models.mcdm.analyses.rolling import Draws
    from talkingface_wild.models.out_of_memory import memory_told

    need_drawing()
    found = Checkpoint.find(folder)
    with memory_told(where, _ADVICE):
        parts = found.load(where)
        yield Opened(found, parts, Draws(seed, steps), dataclasses.replace(asked, device=where))


def _device(name: str) -> str:
    import torch

    if name not in DEVICES:
        raise UsageError(
            f"--device expects {', '.join(DEVICES)}, found {name!r}{nearest(name, DEVICES)}."
        )
    if name == "cuda" and not torch.cuda.is_available():
        raise UsageError("Expected a CUDA GPU for --device cuda, found none; add --device cpu.")
    return name if name != "auto" else "cuda" if torch.cuda.is_available() else "cpu"


def frames_of(text: str) -> tuple[int, ...]:
    """Whole numbers with commas. Raises UsageError."""
    words = [word.strip() for word in text.split(",")]
    if not all(word.isascii() and word.isdigit() and 0 < int(word) < 10**8 for word in words):
        raise UsageError(
            f"Expected --frames as whole numbers from 1 with commas, such as 30,300, found "
            f"{text!r}."
        )
    return tuple(sorted({int(word) for word in words}))


def box_of(text: str | None) -> tuple[float, float, float, float] | None:
    """Left, top, right, bottom in [0, 1]. Raises UsageError."""
    if text is None:
        return None
    with contextlib.suppress(ValueError):
        left, top, right, bottom = (float(word) for word in text.split(","))
        if 0 <= left < right <= 1 and 0 <= top < bottom <= 1:
            return left, top, right, bottom
    raise UsageError(
        f"Expected --mouth as left,top,right,bottom in [0, 1], such as 0.28,0.59,0.72,0.94, found "
        f"{text!r}."
    )


def at_most(asked: int | None, default: int, subjects: Sequence[Subject], fps: int) -> int:
    """Frames of each clip: those asked for, else what the longest has, ``default`` at most."""
    longest = max((subject.frames(fps) for subject in subjects), default=0)
    return asked or max(1, min(default, longest))


def write(
    output: Output,
    out: Path,
    name: str,
    found: Any,
    source: str,
    draw: Callable[[Path, Any, str], None],
    page: Callable[[Any], list[str]],
) -> None:
    """Draw the picture, write the table beside it, and give the result."""
    from talkingface_wild.models.mcdm.analyses.tables import write_table

    picture, table = out / f"{name}.png", out / f"{name}.csv"
    draw(picture, found, source)
    write_table(table, found.rows())
    for sentence in found.cautions:
        output.warn(sentence)
    data = {"picture": picture, "table": table, "source": source, **found.figures()}
    lines = [*page(found), f"picture  {picture}", f"table    {table}"]
    output.result(data, "\n".join(lines))


def drift_page(found: Any) -> list[str]:
    """SSIM at each frame asked for."""
    lines = [f"SSIM against {found.against}"]
    for name, run in found.figures().items():
        values = "  ".join(f"{f}: {v:.4f}" for f, v in run["ssim"].items() if v is not None)
        lines.append(f"{name:9}{values}  ({run['weights']})")
    return lines


def lips_page(found: Any) -> list[str]:
    """The mouth's share of the attention."""
    figures = found.figures()
    lines = [
        f"{name:9}{100 * model['mass']:.1f} % of the attention to {model['tokens']} in the mouth"
        for name, model in figures["models"].items()
    ]
    return [*lines, f"{'even':9}{100 * figures['even']:.1f} %"]


def expressions_page(found: Any) -> list[str]:
    """Purity and silhouette of each space."""
    figures = found.figures()
    lines = [
        f"{name:9}purity {_shown(space['purity'])}, silhouette {_shown(space['silhouette'])}  "
        f"({space['space']})"
        for name, space in figures["spaces"].items()
    ]
    return [*lines, f"{'chance':9}purity {_shown(figures['purity_by_chance'])}"]


def alpha_page(found: Any) -> list[str]:
    """SSIM at each alpha."""
    figures = found.figures()
    lines = [
        f"alpha {alpha:5}{point['ssim']:.4f}  ({point['weights']})"
        for alpha, point in figures["alpha"].items()
    ]
    without = figures["without_mta"]
    return lines if without is None else [*lines, f"{'w/o MTA':11}{without:.4f}"]


def _shown(value: float | None) -> str:
    return "none" if value is None else f"{value:.3f}"
