"""The Python door: each verb's job as a function, with a bar at a terminal or in a notebook."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from talkingface_wild.core.durations import clock
from talkingface_wild.core.reporter import Look, Quiet, Reporter

if TYPE_CHECKING:
    from talkingface_wild.benchmark.suite import BenchOutcome
    from talkingface_wild.jobs.curate.run import Outcome
    from talkingface_wild.jobs.generate.run import GenerateResult


def curate(*, quiet: bool = False, **request: Any) -> Outcome:
    """Make a data set, or go on with one; takes what ``jobs.curate.request.CurateRequest`` takes.

    ``outcome = talkingface_wild.curate(out="my_set", sources=["videos"], recipe="embedded")``; the
    clips are then ``talkingface_wild.load("my_set")``. Raises TfwError as the command line ends.
    """
    from talkingface_wild.jobs.curate.request import CurateRequest
    from talkingface_wild.jobs.curate.run import curate as job

    checked = CurateRequest(**request)
    with reporter(quiet) as bar:
        return job(checked, bar)


def score(*, quiet: bool = False, **request: Any) -> BenchOutcome:
    """Score talking-face videos; takes what ``benchmark.request.BenchRequest`` takes.

    ``run = talkingface_wild.score(model="static", dataset="my_set", metrics="ssim").run``; then
    ``run.scores["ssim"].value``, with its interval and signature.
    """
    from talkingface_wild.benchmark.request import BenchRequest
    from talkingface_wild.jobs.bench.run import bench as job

    checked = BenchRequest(**request)
    with reporter(quiet) as bar:
        return job(checked, bar)


def generate(*, quiet: bool = False, **request: Any) -> GenerateResult:
    """Make a talking-face video; takes what ``jobs.generate.request.GenerateRequest`` takes.

    ``talkingface_wild.generate(checkpoint="runs/tiny", image="face.jpg", audio="speech.wav",
    out="v.mp4")`` writes the video, marked as generated, and the file beside it that says how.
    """
    from talkingface_wild.jobs.generate.request import GenerateRequest
    from talkingface_wild.jobs.generate.run import generate as job

    checked = GenerateRequest(**request)
    with reporter(quiet) as bar:
        return job(checked, bar)


@contextlib.contextmanager
def reporter(quiet: bool) -> Iterator[Reporter]:
    """A bar where somebody looks on: a terminal, a notebook; elsewhere, and ``quiet``, silence."""
    if quiet or not (sys.stderr.isatty() or "ipykernel" in sys.modules):
        yield Quiet()
        return
    bar = Bar()
    with bar.shown:
        yield bar


class Bar:
    """One bar for a whole job, with the parts that are at work and the time left."""

    def __init__(self) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, Progress, TextColumn

        self.shown = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            TextColumn("{task.fields[left]}"),
            console=Console(stderr=True),
            transient=True,
        )
        self._task = self.shown.add_task("starting", total=1.0, left="")

    def say(self, text: str) -> None:
        """A line above the bar."""
        self.shown.console.print(text, markup=False, highlight=False)

    def warn(self, text: str) -> None:
        """The same, marked."""
        self.say(f"Warning: {text}")

    def progress(self, look: Look) -> None:
        """The share of the time that is over, where the rest is known."""
        snapshot = look()
        left = snapshot.seconds_left
        working = [row for row in snapshot.rows if not row.skipped and row.done and row.share < 1]
        names = ", ".join(f"{row.name} {row.count}" for row in working) or snapshot.title
        whole = snapshot.seconds + (left or 0.0)
        self.shown.update(
            self._task,
            description=names,
            completed=snapshot.seconds / whole if left is not None and whole else 0.0,
            left="" if left is None else f"about {clock(left)} to go",
        )
