"""``tfw doctor``: what this machine has, what is missing or broken, and the line that mends it."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from talkingface_wild.cli.output import JsonOption, Output, examples
from talkingface_wild.core.errors import CheckFailed
from talkingface_wild.jobs.doctor import run_checks

if TYPE_CHECKING:
    from rich.table import Table

app = typer.Typer(add_completion=False)


@app.command(epilog=examples("tfw doctor", "tfw doctor --json"))
def doctor(
    folder: Annotated[
        Path, typer.Option("--out", help="Where data sets will go; its disk is looked at.")
    ] = Path(),
    json: JsonOption = False,
) -> None:
    """Check this machine; exit code 6 when something that is needed is broken."""
    output = Output("doctor", json)
    checks = list(run_checks(folder))
    broken = [check for check in checks if check.status == "broken"]

    def table() -> Table:
        from rich.table import Table
        from rich.text import Text

        drawn = Table(show_edge=False)
        for heading in ("", "what", "found", "what to do"):
            drawn.add_column(heading, overflow="fold")
        for check in checks:
            drawn.add_row(
                *(Text(part) for part in (check.status, check.name, check.found, check.advice))
            )
        return drawn

    for check in broken:
        output.warn(f"{check.name}: {check.found}. {check.advice}")
    data = {"checks": [asdict(check) for check in checks], "broken": len(broken)}
    output.result(data, table, exit_code=CheckFailed.exit_code if broken else 0)
