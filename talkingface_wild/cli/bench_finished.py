"""``tfw bench table``, ``grid``, ``verify`` and ``selfcheck``, and ``tfw cite``: finished runs."""

from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path

from talkingface_wild.cli.output import Output
from talkingface_wild.core.errors import CheckFailed
from talkingface_wild.core.request import Request
from talkingface_wild.jobs.bench import finished
from talkingface_wild.jobs.bench.finished import (
    CiteRequest,
    GridRequest,
    SelfcheckRequest,
    TableRequest,
    VerifyRequest,
)
from talkingface_wild.pages.terminal.rich_table import table as drawn_table


def table(request: TableRequest, output: Output) -> None:
    """Print one table of runs that scored the same clips under one protocol.

    Bold is the best where the difference is proven, underlined the second. Runs whose signatures
    differ are refused, and the table exits 6 where weights are not the published ones.
    """
    tables = finished.table(request, output)
    data = tables.data | {"output": request.output_file}
    exit_code = CheckFailed.exit_code if tables.failed else 0
    output.result(data, _file_or(request.output_file, tables.text), exit_code)


def grid(request: GridRequest, output: Output) -> None:
    """Draw methods × frames of one clip, the real video at the top.

    The picture shows people; share it as you would share the clips.
    """
    drawn = finished.grid(request)
    path, rows, frames = request.output_file, drawn.rows, drawn.frames
    data = {"output": path, "clip": drawn.clip, "rows": rows, "frames": frames}
    output.result(data, f"{path}: {len(rows)} rows × {len(frames)} frames of {drawn.clip}")


def cite(request: CiteRequest, output: Output) -> None:
    """Print BibTeX for the metrics, networks, protocol, list and intervals of finished runs."""
    data = finished.cite(request)
    output.result(data, _file_or(request.output_file, data["bibtex"]))


def verify(request: VerifyRequest, output: Output) -> None:
    """Compute a run's scores again, and a sample's features from the videos; exit code 6 if not."""
    checks = finished.verify(request, output)
    rows = [("ok" if check.held else "WRONG", check.what, check.found) for check in checks]
    wrong = sum(not check.held for check in checks)
    data = {"run": request.run, "checks": [asdict(check) for check in checks], "wrong": wrong}
    _check_result(output, data, ("", "what", "found"), rows)


def selfcheck(request: SelfcheckRequest, output: Output) -> None:
    """Run known answers through the maths; exit code 6 when one is wrong."""
    answers = finished.selfcheck(request, output)
    rows = [(answer.state, answer.name, answer.expected, answer.found) for answer in answers]
    wrong = sum(answer.state == "wrong" for answer in answers)
    data = {"answers": [asdict(answer) for answer in answers], "wrong": wrong}
    _check_result(output, data, ("", "what", "expected", "found"), rows)


def _check_result(
    output: Output, data: dict[str, object], headings: Sequence[str], rows: Sequence[Sequence[str]]
) -> None:
    code = CheckFailed.exit_code if data["wrong"] else 0
    page = drawn_table(None, headings, rows, fold=True, show_edge=False)
    output.result(data, page, exit_code=code)


def _file_or(file: Path | None, text: str) -> str:
    return text.rstrip("\n") if file is None else str(file)


VERBS: dict[Callable[..., None], type[Request]] = {
    table: TableRequest,
    verify: VerifyRequest,
    selfcheck: SelfcheckRequest,
    grid: GridRequest,
}
"""Those of ``tfw bench``, with their requests."""
