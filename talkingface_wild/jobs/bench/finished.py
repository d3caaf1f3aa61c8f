"""What is done with finished runs: a table, a picture of frames, BibTeX, and checks of numbers."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from pydantic import Field

from talkingface_wild.core.errors import UsageError
from talkingface_wild.core.paths import atomic_path, write_text
from talkingface_wild.core.reporter import Reporter
from talkingface_wild.core.request import ARGUMENT, CHOICES, OPTION, Request

if TYPE_CHECKING:
    from talkingface_wild.benchmark.selfcheck import Answer
    from talkingface_wild.benchmark.tables.table import Table
    from talkingface_wild.benchmark.verify import Checked
    from talkingface_wild.pages.frame_grid import Grid

PICTURES = (".png", ".jpg", ".jpeg")


class TableRequest(Request):
    """Runs side by side, and how they are written."""

    EXAMPLES: ClassVar = (
        "tfw bench table bench/real bench/still",
        "tfw bench table bench/* --reported --format latex --output table.tex",
        "tfw bench table bench/real bench/still --by language --json",
    )

    runs: tuple[Path, ...] = Field(json_schema_extra={ARGUMENT: ""})
    """Folders that `tfw bench` made, one a row."""
    reported: bool = False
    """Add the paper's printed figures, in tables apart."""
    format: Literal["markdown", "latex", "json"] = Field(
        "markdown", json_schema_extra={CHOICES: True}
    )
    """How the tables are written."""
    output_file: Path | None = Field(None, json_schema_extra={OPTION: "--output"})
    """A file for them; stdout without it."""
    fragment: bool = False
    """LaTeX: the table environments alone, for a paper."""
    allow_mixed: bool = False
    """Mark cells of other signatures; do not refuse."""
    force: bool = False
    """Exit 0 although weights are not the published ones."""
    by: Literal["method", "language"] = Field("method", json_schema_extra={CHOICES: True})
    """One block, or one per language."""


@dataclass(frozen=True)
class WrittenTables:
    """The tables as text and as plain data, and whether unofficial weights are refused."""

    text: str
    data: dict[str, Any]
    failed: bool


def table(request: TableRequest, reporter: Reporter) -> WrittenTables:
    """The runs' table, written to a file where one is named. Raises UsageError."""
    from talkingface_wild.benchmark.runs import read_run
    from talkingface_wild.benchmark.scoring import rescore
    from talkingface_wild.benchmark.tables.leaderboard import build_table, reported_tables
    from talkingface_wild.benchmark.tables.text import plain

    runs = [read_run(folder) for folder in request.runs]
    tables = [build_table(runs, request.allow_mixed, request.by, rescore)]
    unofficial = tables[0].unofficial
    if request.reported:
        tables += reported_tables([run.list_name for run in runs])
    data, failed = plain(tables), bool(unofficial) and not request.force
    text = _text(tables, request, data)
    if request.output_file is not None:
        write_text(request.output_file, text)
    if failed:
        reporter.warn(
            "Expected published weights behind every number, found others: "
            f"{', '.join(unofficial)}; see `tfw weights verify`, or give --force to exit 0."
        )
    return WrittenTables(text, data, failed)


def _text(tables: list[Table], request: TableRequest, data: dict[str, Any]) -> str:
    from talkingface_wild.benchmark.tables.latex import latex
    from talkingface_wild.benchmark.tables.text import markdown

    if request.format == "latex":
        return latex(tables, document=not request.fragment)
    if request.format == "json":
        return json.dumps(data, ensure_ascii=False, allow_nan=False, indent=1) + "\n"
    return "\n".join(markdown(table) for table in tables)


class GridRequest(Request):
    """Runs, and which frames of which clip are shown of each."""

    EXAMPLES: ClassVar = (
        "tfw bench grid bench/real bench/still",
        "tfw bench grid bench/real bench/still --frames 0,30,60 --output grid.png",
    )

    runs: tuple[Path, ...] = Field(json_schema_extra={ARGUMENT: ""})
    """Folders that `tfw bench` made, one a row."""
    clip: str | None = None
    """The clip; else the first that all runs have."""
    frames: str | None = None
    """Frames at 25 a second, such as 0,30,120; six without it."""
    side: int = Field(192, ge=16, le=1024)
    """Pixels of a cell."""
    output_file: Path = Field(Path("grid.png"), json_schema_extra={OPTION: "--output"})
    """The picture (PNG or JPEG by its name)."""

    @property
    def numbers(self) -> list[int] | None:
        """``frames`` as whole numbers. Raises UsageError."""
        if self.frames is None:
            return None
        words = [word.strip() for word in self.frames.split(",")]
        if not all(word.isascii() and word.isdigit() and len(word) < 10 for word in words):
            raise UsageError(
                "Expected --frames as whole numbers with commas, such as 0,30,120, found "
                f"{self.frames!r}."
            )
        return [int(word) for word in words]


def grid(request: GridRequest) -> Grid:
    """Draw methods × frames of one clip and save the picture. Raises UsageError."""
    from talkingface_wild.benchmark.runs import read_run
    from talkingface_wild.pages.frame_grid import make_grid

    if request.output_file.suffix.lower() not in PICTURES:
        raise UsageError(
            "Expected --output with a name ending in .png or .jpg, found "
            f"{str(request.output_file)!r}."
        )
    runs = [read_run(run) for run in request.runs]
    drawn = make_grid(runs, request.clip, request.numbers, request.side)
    with atomic_path(request.output_file) as temporary:
        drawn.picture.save(temporary)
    return drawn


class CiteRequest(Request):
    """Runs whose numbers are cited."""

    EXAMPLES: ClassVar = (
        "tfw cite bench/real",
        "tfw cite bench/real bench/still --output used.bib",
    )

    runs: tuple[Path, ...] = Field(json_schema_extra={ARGUMENT: ""})
    """Folders that `tfw bench` made."""
    output_file: Path | None = Field(None, json_schema_extra={OPTION: "--output"})
    """A file for the entries; stdout without it."""


def cite(request: CiteRequest) -> dict[str, Any]:
    """BibTeX for what made the runs' numbers, and the keys of each run."""
    from talkingface_wild.benchmark.cite import bibtex, keys_of
    from talkingface_wild.benchmark.runs import read_run

    runs = [read_run(folder) for folder in request.runs]
    text = bibtex(runs)
    if request.output_file is not None:
        write_text(request.output_file, text)
    keys = [{"folder": run.folder, "name": run.name, "keys": keys_of(run)} for run in runs]
    return {"runs": keys, "bibtex": text, "output": request.output_file}


class VerifyRequest(Request):
    """A run to be computed again."""

    EXAMPLES: ClassVar = (
        "tfw bench verify bench/still",
        "tfw bench verify bench/still --clips 5 --json",
    )

    run: Path = Field(json_schema_extra={ARGUMENT: ""})
    """A run's folder."""
    clips: int = Field(2, ge=1)
    """Clips to measure again from their files."""


def verify(request: VerifyRequest, reporter: Reporter) -> list[Checked]:
    """Compute scores again, and a sample's features from the videos; what fails is warned of."""
    from talkingface_wild.benchmark.runs import read_run
    from talkingface_wild.benchmark.verify import verify as checks_of

    checks = checks_of(read_run(request.run), request.clips, reporter.say)
    for check in checks:
        if not check.held:
            reporter.warn(f"{check.what} does not hold: {check.found}.")
    return checks


class SelfcheckRequest(Request):
    """Known answers to run through the maths."""

    EXAMPLES: ClassVar = ("tfw bench selfcheck", "tfw bench selfcheck --json")

    syncnet_example: Path | None = None
    """data/example.avi of joonson/syncnet_python."""


def selfcheck(request: SelfcheckRequest, reporter: Reporter) -> list[Answer]:
    """What the maths answers; what is wrong is warned of."""
    from talkingface_wild.benchmark.selfcheck import selfcheck as answers_of

    answers = list(answers_of(request.syncnet_example))
    for answer in answers:
        if answer.state == "wrong":
            reporter.warn(f"{answer.name}: expected {answer.expected}, found {answer.found}.")
    return answers
