"""Studies of finished runs: a blind page for raters, and the scores of what they send back."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from pydantic import Field

from talkingface_wild.core.paths import write_text
from talkingface_wild.core.reporter import Reporter
from talkingface_wild.core.request import ARGUMENT, Request

if TYPE_CHECKING:
    from talkingface_wild.benchmark.study.scores import StudyScores
    from talkingface_wild.pages.study_page import Study


class MakeStudyRequest(Request):
    """Runs to judge, and how many cases of what length."""

    EXAMPLES: ClassVar = (
        "tfw bench study make bench/real bench/still --out study --cases 3",
        "tfw bench study make bench/* --cases 3 --seconds 2 --out study_short --json",
    )

    runs: tuple[Path, ...] = Field(json_schema_extra={ARGUMENT: ""})
    """Folders that `tfw bench` made, one a method."""
    out: Path
    """A new folder for the page and its key."""
    cases: int = Field(10, ge=1, le=200)
    """Clips to judge."""
    seconds: float = Field(10.0, ge=1.0, le=60.0)
    """Most of each clip is shown."""
    seed: int = 0
    """Draws clips and letters."""


def make(request: MakeStudyRequest, reporter: Reporter) -> Study:
    """Write the page and its key. Raises UsageError, InputUnreadable."""
    from talkingface_wild.benchmark.runs import read_run
    from talkingface_wild.pages.study_page import make_study

    def progress(done: int, total: int) -> None:
        reporter.say(f"case {done} of {total}")

    runs = [read_run(run) for run in request.runs]
    study = make_study(runs, request.out, request.cases, request.seed, request.seconds, progress)
    for note in study.notes:
        reporter.warn(note)
    return study


class ScoreStudyRequest(Request):
    """A study and its answers."""

    EXAMPLES: ClassVar = (
        "tfw bench study score study answers/*.csv  # needs raters' answers",
        "tfw bench study score study a.csv --json  # needs raters' answers",
    )

    study: Path = Field(json_schema_extra={ARGUMENT: ""})
    """The folder that `study make` wrote."""
    answers: tuple[Path, ...] = Field(json_schema_extra={ARGUMENT: ""})
    """CSV files that raters saved."""

    @property
    def files(self) -> dict[str, Path]:
        """What is written."""
        return {"scores": self.study / "scores.json", "picture": self.study / "scores.svg"}


def score(request: ScoreStudyRequest, reporter: Reporter) -> StudyScores:
    """Score the answers, and write scores and picture. Raises InputUnreadable."""
    from talkingface_wild.benchmark.study.key import read_key
    from talkingface_wild.benchmark.study.ratings import read_ratings
    from talkingface_wild.benchmark.study.scores import score_study
    from talkingface_wild.pages.study_picture import study_picture

    key = read_key(request.study)
    scores = score_study(read_ratings(request.answers, key), key)
    for warning in scores.warnings:
        reporter.warn(warning)
    text = json.dumps(scores.to_json(), indent=1, ensure_ascii=False, allow_nan=False)
    write_text(request.files["scores"], text + "\n")
    write_text(request.files["picture"], study_picture(scores))
    return scores
