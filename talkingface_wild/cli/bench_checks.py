"""``tfw bench verify`` and ``tfw bench selfcheck``: do the numbers hold?"""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from talkingface_wild.cli.output import JsonOption, Output, examples
from talkingface_wild.core.errors import CheckFailed

if TYPE_CHECKING:
    from rich.table import Table

VERIFY_EPILOG = examples(
    "tfw bench verify bench/still", "tfw bench verify bench/still --clips 5 --json"
)
SELFCHECK_EPILOG = examples("tfw bench selfcheck", "tfw bench selfcheck --json")


def verify(
    run: Annotated[Path, typer.Argument(help="A run's folder.")],
    clips: Annotated[int, typer.Option(min=1, help="Clips to measure again from their files.")] = 2,
    json: JsonOption = False,
) -> None:
    """Compute a run's scores again, and a sample's features from the videos; exit code 6 if not."""
    output = Output("bench verify", json)
    from talkingface_wild.benchmark.runs import read_run
    from talkingface_wild.benchmark.verify import verify as check

    checks = check(read_run(run), clips, output.say)
    wrong = [found for found in checks if not found.held]
    for found in wrong:
        output.warn(f"{found.what} does not hold: {found.found}.")
    rows = [(("ok" if c.held else "WRONG"), c.what, c.found) for c in checks]
    data = {"run": run, "checks": [asdict(found) for found in checks], "wrong": len(wrong)}
    code = CheckFailed.exit_code if wrong else 0
    output.result(data, lambda: _table(("", "what", "found"), rows), exit_code=code)


def selfcheck(
    syncnet_example: Annotated[
        Path | None, typer.Option(help="data/example.avi of joonson/syncnet_python.")
    ] = None,
    json: JsonOption = False,
) -> None:
    """Run known answers through the maths; exit code 6 when one is wrong."""
    output = Output("bench selfcheck", json)
    from talkingface_wild.benchmark.selfcheck import selfcheck as check

    answers = list(check(syncnet_example))
    wrong = [answer for answer in answers if answer.state == "wrong"]
    for answer in wrong:
        output.warn(f"{answer.name}: expected {answer.expected}, found {answer.found}.")
    rows = [(a.state, a.name, a.expected, a.found) for a in answers]
    data = {"answers": [asdict(answer) for answer in answers], "wrong": len(wrong)}
    code = CheckFailed.exit_code if wrong else 0
    output.result(data, lambda: _table(("", "what", "expected", "found"), rows), exit_code=code)


def _table(headings: tuple[str, ...], rows: list[Any]) -> Table:
    from rich.table import Table
    from rich.text import Text

    drawn = Table(show_edge=False)
    for heading in headings:
        drawn.add_column(heading, overflow="fold")
    for row in rows:
        drawn.add_row(*map(Text, row))
    return drawn
