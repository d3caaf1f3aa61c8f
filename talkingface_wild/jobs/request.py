"""What is asked of a data set that is there: the requests of its verbs. Imports nothing heavy."""

from pathlib import Path
from typing import Annotated, Any, ClassVar, Self

from pydantic import BeforeValidator, Field, model_validator

from talkingface_wild.core.errors import UsageError, nearest
from talkingface_wild.core.request import ARGUMENT, OPTION, SHOWN_DEFAULT, DatasetRequest, Request

STATES = ("kept", "rejected", "failed", "pending")


def _names(columns: Any) -> Any:
    """Names of ``a,b,c`` or of a sequence."""
    return [name.strip() for name in columns.split(",")] if isinstance(columns, str) else columns


_DEFAULT_OUT = Path("talkingface_wild_data")

_COUNTS = {
    "list": (0, 0, "no number"),
    "diff": (1, 2, "one or two numbers"),
    "restore": (1, 1, "one number"),
    "prune": (0, 10**9, "numbers"),
}


class LsRequest(DatasetRequest):
    """Which clips of a data set are listed, in which order, and what is shown of each."""

    EXAMPLES: ClassVar = (
        "tfw ls demo_out",
        "tfw ls demo_out --rejected",
        "tfw ls demo_out --reason too_short --language en",
        "tfw ls demo_out --where 'speech_ratio < 0.85' --sort speech_ratio",
        "tfw ls demo_out --all --columns state,sharpness --sort=-sharpness --limit 5",
        "tfw ls demo_out --csv",
    )

    kept: bool = False
    """Kept clips: the default."""
    rejected: bool = False
    """Rejected clips, and sources that gave none."""
    failed: bool = False
    """What failed."""
    pending: bool = False
    """What has work still to come."""
    every: bool = Field(False, json_schema_extra={OPTION: "--all"})
    """All of them."""
    reason: str | None = None
    """Those with this reason."""
    language: tuple[str, ...] = ()
    """Those of this language; may be given often."""
    source: str | None = None
    """Those whose source has this text in its path or address."""
    where: str | None = None
    """A condition, such as 'yaw_p90 > 20 and language == "de"'."""
    columns: Annotated[tuple[str, ...] | None, BeforeValidator(_names)] = Field(
        None, json_schema_extra={SHOWN_DEFAULT: None}
    )
    """Columns to show beside id and name: a,b,c"""
    sort: str | None = None
    """Sort by a column; with - before it, greatest first."""
    limit: int | None = Field(None, ge=1)
    """Show the first so many."""

    @property
    def states(self) -> tuple[str, ...]:
        """The states that flags name; none for those that reason and condition need."""
        flags = zip(STATES, (self.kept, self.rejected, self.failed, self.pending), strict=True)
        return STATES if self.every else tuple(state for state, is_set in flags if is_set)


class WhyRequest(DatasetRequest):
    """Which clip's or source's path is shown."""

    EXAMPLES: ClassVar = (
        "tfw why demo_out en_two_faces",
        "tfw why demo_out demo_out/corpus/de/de_talk.mp4",
        "tfw why demo_out ru/ru_no_audio.mp4 --json",
    )

    clip: str = Field(json_schema_extra={ARGUMENT: ""})
    """What `tfw ls` has first: an id or its beginning; or a source's name, file or address, or a
    finished clip's file."""


class StatusRequest(DatasetRequest):
    """Which data set's state is shown."""

    EXAMPLES: ClassVar = ("tfw status demo_out", "tfw status demo_out --json")


class ReportRequest(DatasetRequest):
    """Which data set the page is on."""

    EXAMPLES: ClassVar = ("tfw report demo_out", "tfw report demo_out --output report.html --json")

    output_file: Path | None = Field(None, json_schema_extra={OPTION: "--output"})
    """The page; OUT/report.html without it."""
    pictures: int = Field(60, ge=0)
    """Most stills of borderline clips."""

    @property
    def page(self) -> Path:
        """Where the page is written."""
        return self.output_file or self.out / "report.html"


class ReviewExportRequest(Request):
    """Which clips reviewers see."""

    EXAMPLES: ClassVar = ("tfw review export demo_out", "tfw review export demo_out --no-sheets")

    out: Path = Field(_DEFAULT_OUT, json_schema_extra={ARGUMENT: ""})
    """The data set's folder."""
    per_language: int = Field(203, ge=0)
    """Random kept clips of each language."""
    per_gate: int = Field(30, ge=0)
    """Clips on each side of each gate."""
    seed: int = 0
    """Draws another sample."""
    sheets: bool = True
    """Draw contact sheets, too."""


class ReviewImportRequest(Request):
    """Whose answers are taken in."""

    EXAMPLES: ClassVar = ("tfw review import demo_out/review/manifest.csv --out demo_out",)

    file: Path = Field(json_schema_extra={ARGUMENT: ""})
    """The manifest with answers, CSV or Parquet."""
    out: Path | None = None
    """The data set; the one that FILE lies in, else ./talkingface_wild_data."""

    @property
    def folder(self) -> Path:
        """The data set's folder: the one whose review/ holds the file where none is named."""
        beside = self.file.absolute().parent
        inside = beside.name == "review" and (beside.parent / "dataset").exists()
        return self.out or (self.file.parent.parent if inside else _DEFAULT_OUT)


class CommitsRequest(Request):
    """What is done with the commits of a data set."""

    EXAMPLES: ClassVar = (
        "tfw commits demo_out",
        "tfw commits demo_out diff 1",
        "tfw commits demo_out restore 1",
        "tfw commits demo_out prune --keep 1 --dry-run",
    )

    out: Path = Field(json_schema_extra={ARGUMENT: "SET"})
    """The data set's folder."""
    action: str = Field("list", json_schema_extra={ARGUMENT: "[list|diff|restore|prune]"})
    """What to do."""
    numbers: tuple[int, ...] = Field((), json_schema_extra={ARGUMENT: ""})
    """diff: one or two (the second is the latest); restore: one; prune: those to go."""
    clips: bool = False
    """diff: name the clips, not only count them."""
    keep: int | None = None
    """prune: keep so many of the latest, and the one in use in any case."""
    dry_run: bool = False
    """prune: say what would be removed, remove nothing."""

    @model_validator(mode="after")
    def _fits(self) -> Self:
        """Raises UsageError for an unknown action and for what an action does not take."""
        action = self.action
        if action not in _COUNTS:
            raise UsageError(
                f"Expected list, diff, restore or prune, found {action!r}"
                f"{nearest(action, _COUNTS)}; see `tfw commits --help`."
            )
        least, most, words = _COUNTS[action]
        if not least <= len(self.numbers) <= most:
            raise UsageError(
                f"tfw commits SET {action} expects {words} of commits, found "
                f"{len(self.numbers)}; `tfw commits SET` lists them."
            )
        options = {"--clips": (self.clips, "diff"), "--keep": (self.keep is not None, "prune")}
        options["--dry-run"] = (self.dry_run, "prune")
        for option, (present, owner) in options.items():
            if present and action != owner:
                raise UsageError(
                    f"{option} belongs to `tfw commits SET {owner}`, found it with {action}; "
                    "leave it out."
                )
        return self


class PurgeRequest(Request):
    """Which data set's unused files are removed."""

    EXAMPLES: ClassVar = ("tfw purge demo_out --dry-run", "tfw purge demo_out")

    out: Path = Field(json_schema_extra={ARGUMENT: "SET"})
    """The data set's folder."""
    dry_run: bool = False
    """Say what would be removed, and remove nothing."""


class RecutRequest(DatasetRequest):
    """Other gates on what a data set measured, or a sweep of one bound."""

    EXAMPLES: ClassVar = (
        "tfw recut demo_out --set gates.speech_ratio.at_least=0.85 --dry-run",
        "tfw recut demo_out --sweep clip_seconds --per-language",
        "tfw recut demo_out --sweep sharpness --from 5 --to 40 --steps 7",
        "tfw recut demo_out --set gates.length=5",
        "tfw recut demo_out --set gates.sharpness=off",
        "tfw recut demo_out --set gates.presence.zh=0.9",
    )

    settings: tuple[str, ...] = Field(default=(), json_schema_extra={OPTION: "--set"})
    """gates.NAME=BOUND, gates.NAME.LANGUAGE=BOUND, gates.NAME=off; NAME is a gate or, as in
    gates.yaw_p90.at_most=20, any measured column (at_least, at_most, above, below, equals)"""
    dry_run: bool = False
    """Say what would change, and write nothing."""
    sweep: str | None = None
    """Show what is kept as the bound of this gate or column moves."""
    steps: int | None = None
    """About so many steps of a sweep; default: 12."""
    least: float | None = Field(default=None, json_schema_extra={OPTION: "--from"})
    """First bound; default: about the 1st percentile."""
    most: float | None = Field(default=None, json_schema_extra={OPTION: "--to"})
    """Last bound; default: about the 99th percentile."""
    at_least: bool = False
    """Sweep a least value, not a greatest one."""
    per_language: bool = False
    """A column of a sweep's table per language."""

    @model_validator(mode="after")
    def _sweeps(self) -> Self:
        bounds = (self.steps, self.least, self.most, self.at_least, self.per_language)
        if self.sweep is None and bounds != (None, None, None, False, False):
            raise UsageError(
                "Expected --sweep COLUMN beside --steps, --from, --to, --at-least or "
                "--per-language, found none; for example "
                f"`tfw recut {self.out} --sweep clip_seconds`."
            )
        return self


class SchemaRequest(Request):
    """Which table's columns are shown."""

    EXAMPLES: ClassVar = (
        "tfw schema",
        "tfw schema --table ledger",
        "tfw schema --table items",
        "tfw schema --markdown",
    )

    table: str = "clips"
    """clips, tracks, sources, ledger or items"""
    recipe: str = "talkingface_wild"
    """The recipe whose stages are meant."""


class ReasonsRequest(Request):
    """Which reasons are shown."""

    EXAMPLES: ClassVar = (
        "tfw reasons",
        "tfw reasons no_face",
        "tfw reasons --recipe embedded --json",
    )

    name: str | None = Field(None, json_schema_extra={ARGUMENT: ""})
    """One reason; all without it."""
    recipe: str = "talkingface_wild"
    """The recipe whose gates and bounds are meant."""
