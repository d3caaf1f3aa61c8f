"""``tfw bench table``: finished runs side by side, only what may be compared."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from talkingface_wild.cli.output import JsonOption, Output, examples

if TYPE_CHECKING:
    from talkingface_wild.benchmark.base import Score
    from talkingface_wild.benchmark.runs import BenchRun
    from talkingface_wild.benchmark.tables.table import Table

EPILOG = examples(
    "tfw bench table bench/real bench/still",
    "tfw bench table bench/* --reported --format latex --output table.tex",
    "tfw bench table bench/real bench/still --by language --json",
)


def table(
    runs: Annotated[list[Path], typer.Argument(help="Folders that `tfw bench` made, one a row.")],
    reported: Annotated[
        bool, typer.Option("--reported", help="Add the paper's printed figures, in tables apart.")
    ] = False,
    format: Annotated[
        Literal["markdown", "latex", "json"], typer.Option(help="How the tables are written.")
    ] = "markdown",
    output_file: Annotated[
        Path | None, typer.Option("--output", help="A file for them; stdout without it.")
    ] = None,
    fragment: Annotated[
        bool, typer.Option("--fragment", help="LaTeX: the table environments alone, for a paper.")
    ] = False,
    allow_mixed: Annotated[
        bool, typer.Option("--allow-mixed", help="Mark cells of other signatures; do not refuse.")
    ] = False,
    force: Annotated[
        bool, typer.Option("--force", help="Exit 0 although weights are not the published ones.")
    ] = False,
    by: Annotated[
        Literal["method", "language"], typer.Option(help="One block, or one per language.")
    ] = "method",
    json: JsonOption = False,
) -> None:
    """Print one table of runs that scored the same clips under one protocol.

    Bold is the best where the difference is proven, underlined the second. Runs whose signatures
    differ are refused, and the table exits 6 where weights are not the published ones.
    """
    output = Output("bench table", json)
    from talkingface_wild.benchmark.runs import read_run
    from talkingface_wild.benchmark.tables.leaderboard import build_table, reported_tables
    from talkingface_wild.core.errors import CheckFailed
    from talkingface_wild.core.paths import write_text

    read = [read_run(folder) for folder in runs]
    built = build_table(read, allow_mixed, by, _rescore)
    tables = [built]
    if reported:
        tables += reported_tables([run.list_name for run in read])
    text, data = _text(tables, format, fragment)
    if output_file is not None:
        write_text(output_file, text)
    exit_code = CheckFailed.exit_code if built.unofficial and not force else 0
    if exit_code:
        output.warn(
            "Expected published weights behind every number, found others: "
            f"{', '.join(built.unofficial)}; see `tfw weights verify`, or give --force to exit 0."
        )
    shown = str(output_file) if output_file is not None else text.rstrip("\n")
    output.result(data | {"output": output_file}, shown, exit_code)


def _text(tables: list[Table], format: str, fragment: bool) -> tuple[str, dict[str, Any]]:
    """The tables in one format, and as plain data."""
    import json

    from talkingface_wild.benchmark.tables.latex import latex
    from talkingface_wild.benchmark.tables.text import markdown, plain

    data = plain(tables)
    if format == "latex":
        return latex(tables, document=not fragment), data
    if format == "json":
        return json.dumps(data, ensure_ascii=False, allow_nan=False, indent=1) + "\n", data
    return "\n".join(markdown(table) for table in tables), data


def _rescore(run: BenchRun, clips: set[str]) -> Mapping[str, Score]:
    from talkingface_wild.benchmark.scoring import rescore

    return rescore(run, clips)
