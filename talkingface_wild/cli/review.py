"""``tfw review``: give a sample to reviewers, take their words into a new commit."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from talkingface_wild.cli.output import JsonOption, Output, examples

if TYPE_CHECKING:
    from rich.table import Table

    from talkingface_wild.dataset.answers import Defects

app = typer.Typer(add_completion=False, no_args_is_help=True)

_DEFAULT_OUT = Path("talkingface_wild_data")


@app.callback()
def _review() -> None:
    """Give a sample to reviewers and take their words.

    Answers go into the columns decision (accept or reject), reason and words of the manifest.
    """


@app.command(
    epilog=examples("tfw review export demo_out", "tfw review export demo_out --no-sheets")
)
def export(
    out: Annotated[Path, typer.Argument(help="The data set's folder.")] = _DEFAULT_OUT,
    per_language: Annotated[
        int, typer.Option("--per-language", min=0, help="Random kept clips of each language.")
    ] = 203,
    per_gate: Annotated[
        int, typer.Option("--per-gate", min=0, help="Clips on each side of each gate.")
    ] = 30,
    seed: Annotated[int, typer.Option("--seed", help="Draws another sample.")] = 0,
    sheets: Annotated[
        bool, typer.Option("--sheets/--no-sheets", help="Draw contact sheets, too.")
    ] = True,
    json: JsonOption = False,
) -> None:
    """Write review/manifest.parquet, manifest.csv and contact sheets.

    The sample is that many random kept clips a language, and the clips nearest to each gate.
    """
    output = Output("review export", json)
    from talkingface_wild.dataset.review import (
        RANDOM,
        check_no_answers_are_lost,
        draw_sample,
        manifest,
        write_manifest,
    )
    from talkingface_wild.dataset.snapshot import read_recorded

    recorded = read_recorded(out)
    check_no_answers_are_lost(recorded.layout)
    sample = draw_sample(recorded, per_language, per_gate, seed)
    pages: list[str] = []
    if sheets:
        from talkingface_wild.pages.sheets import write_sheets

        with _counting(len(sample)) as progress:
            pages = write_sheets(recorded, sample, progress)
    parquet, text = write_manifest(recorded.layout, manifest(recorded, sample))
    random = sum(RANDOM in drawn.strata for drawn in sample)
    data = {
        "manifest": parquet,
        "csv": text,
        "clips": len(sample),
        "random": random,
        "sheets": [out / page for page in pages],
    }
    words = (
        f"{len(sample)} clips to review, {random} of them drawn at random: {text}\n"
        f"{len(pages)} contact sheets in {out / 'review' / 'sheets'}\n"
        f"Fill in decision, reason, words and reviewer, then: tfw review import {text} --out {out}"
    )
    output.result(data, words)


@app.command(
    "import", epilog=examples("tfw review import demo_out/review/manifest.csv --out demo_out")
)
def import_command(
    file: Annotated[Path, typer.Argument(help="The manifest with answers, CSV or Parquet.")],
    out: Annotated[
        Path | None,
        typer.Option(
            "--out", help="The data set; the one that FILE lies in, else ./talkingface_wild_data."
        ),
    ] = None,
    json: JsonOption = False,
) -> None:
    """Take reviewers' answers in: rejected clips leave clips/ in a new commit.

    No measure is edited. One wrong line, and nothing is imported.
    """
    output = Output("review import", json)
    from talkingface_wild.dataset.answers import overall_rate, read_answers
    from talkingface_wild.dataset.decisions import save_decisions
    from talkingface_wild.dataset.snapshot import read_recorded
    from talkingface_wild.jobs.recut import recommit

    folder = out or _folder_of(file)
    recorded = read_recorded(folder)
    clips = recorded.items.index[recorded.items["level"] == "clip"]
    decisions, empty = read_answers(file, [str(clip) for clip in clips])
    if not decisions:
        output.warn(f"{file} holds no answers; write accept or reject into its column decision.")
    save_decisions(recorded.layout, decisions)
    commit = recommit(folder)
    rates = _rates(folder, output)
    overall = overall_rate(rates)
    rejected = sum(not decision.accepted for decision in decisions)
    data = {
        "commit": commit.number,
        "new": commit.new,
        "accepted": len(decisions) - rejected,
        "rejected": rejected,
        "empty": empty,
        "defects": [dataclasses.asdict(row) for row in rates],
        "defect_rate": overall,
    }
    counts = f"rejected {rejected}, accepted {len(decisions) - rejected}, left empty {empty}"
    title = f"Commit {commit.number}: {counts}"
    output.result(data, human=lambda: _table(title, rates, overall))


def _folder_of(file: Path) -> Path:
    """The data set whose folder review/ holds the file, else the default one."""
    beside = file.absolute().parent
    inside = beside.name == "review" and (beside.parent / "dataset").exists()
    return file.parent.parent if inside else _DEFAULT_OUT


def _rates(folder: Path, output: Output) -> list[Defects]:
    import pandas as pd

    from talkingface_wild.dataset.answers import defect_rates
    from talkingface_wild.dataset.decisions import load_decisions
    from talkingface_wild.dataset.layout import Layout

    layout = Layout(folder)
    path = layout.review / "manifest.parquet"
    if not path.is_file():
        output.warn(
            f"{path} is not there, so which clips were drawn at random is unknown, "
            "and no defect rate can be told."
        )
        return []
    return defect_rates(pd.read_parquet(path), load_decisions(layout))


def _table(title: str, rates: list[Defects], overall: float | None) -> Table:
    from rich.table import Table

    caption = "Random clips alone; exact 95 % interval."
    if overall is not None:
        caption += f" All languages, weighted by their kept clips: {overall:.1%}."
    table = Table(title=title, title_justify="left", caption=caption, caption_justify="left")
    for name in ("language", "kept", "drawn", "answered", "defects", "defect rate", "at most"):
        table.add_column(name)
    for row in rates:
        rate = "—" if row.rate is None else f"{row.rate:.1%}"
        high = "—" if row.high is None else f"{row.high:.1%}"
        counts = (row.kept, row.drawn, row.answered, row.defects)
        table.add_row(row.language, *map(str, counts), rate, high)
    return table


@contextmanager
def _counting(total: int) -> Iterator[Callable[[int], None] | None]:
    """A bar on stderr where it is a terminal."""
    import sys

    if not sys.stderr.isatty():
        yield None
        return
    from rich.console import Console
    from rich.progress import MofNCompleteColumn, Progress

    columns = (*Progress.get_default_columns(), MofNCompleteColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("contact sheets", total=total)
        yield lambda done: bar.update(task, completed=done)
