"""``tfw bench``: score a method on a list, or finished videos against real ones."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import typer

from talkingface_wild.benchmark.request import BenchRequest
from talkingface_wild.cli import bench_checks, bench_grid, bench_list, bench_study, bench_table
from talkingface_wild.cli.board import Board
from talkingface_wild.cli.options import options_of
from talkingface_wild.cli.output import Output, examples
from talkingface_wild.cli.typed_command import going_on_by
from talkingface_wild.core.errors import CheckFailed
from talkingface_wild.core.stopping import break_off_on_signals

if TYPE_CHECKING:
    from talkingface_wild.benchmark.suite import BenchOutcome
    from talkingface_wild.jobs.bench.ablations import Ablations

app = typer.Typer(add_completion=False)
app.command("table", epilog=bench_table.EPILOG)(bench_table.table)
app.add_typer(bench_list.app, name="list")
app.command("verify", epilog=bench_checks.VERIFY_EPILOG)(bench_checks.verify)
app.command("selfcheck", epilog=bench_checks.SELFCHECK_EPILOG)(bench_checks.selfcheck)
app.command("grid", epilog=bench_grid.EPILOG)(bench_grid.grid)
app.add_typer(bench_study.app, name="study")


@app.callback(
    invoke_without_command=True,
    epilog=examples(
        "tfw bench --model groundtruth --dataset demo_out --split all --metrics ssim,psnr "
        "--out bench/real",
        "tfw bench --model static --dataset demo_out --split all --metrics ssim,psnr "
        "--out bench/still",
        "tfw bench table bench/real bench/still --reported",
        "tfw bench --model mcdm --checkpoint runs/tiny --dataset demo_out --skip-missing",
        "tfw bench selfcheck",
    ),
)
@options_of(BenchRequest)
def bench(ctx: typer.Context, request: BenchRequest, json: bool) -> None:
    """Score talking-face videos: FID, FVD, Sync-C, Sync-D, SSIM, E-FID and more, one protocol.

    Either --model with --dataset, or --outputs with --reference. Goes on where it was stopped.
    """
    if ctx.invoked_subcommand is not None:
        return
    output = Output("bench", json)
    from talkingface_wild.jobs.bench.ablations import ablations as run_ablations
    from talkingface_wild.jobs.bench.run import bench as run

    with going_on_by(), break_off_on_signals(), Board(output) as board:
        if request.ablations:
            result = run_ablations(request, board)
        else:
            outcome = run(request, board)
    if request.ablations:
        _ablations(output, request, result)
    else:
        data = _data(request, outcome)
        output.result(data, lambda: _page(data), exit_code=1 if outcome.failed else 0)


def _ablations(output: Output, request: BenchRequest, result: Ablations) -> None:
    from talkingface_wild.benchmark.tables.text import markdown, plain
    from talkingface_wild.jobs.bench.run import page_of, scores_of

    data = {
        "out": str(request.out),
        "variants": {
            name: {
                "name": outcome.run.name,
                "out": str(outcome.run.folder),
                "trained_on": outcome.run.facts.get("trained_on"),
                "scores": scores_of(outcome),
                "report": str(page_of(outcome)),
            }
            for name, outcome in result.outcomes.items()
        },
        "lacking": dict(result.lacking),
        "written": {"markdown": str(result.markdown), "latex": str(result.latex)},
        **plain(result.tables),
    }
    failed = any(outcome.failed for outcome in result.outcomes.values())
    exit_code = CheckFailed.exit_code if result.tables[0].unofficial else int(failed)
    text = "\n".join(markdown(table) for table in result.tables)
    output.result(data, f"{text.rstrip()}\n\ntable   {result.markdown}", exit_code)


def _data(request: BenchRequest, outcome: BenchOutcome) -> dict[str, Any]:
    """The data of ``--json``."""
    from talkingface_wild.jobs.bench.run import page_of, scores_of, unofficial_of

    run = outcome.run
    return {
        "out": str(request.out),
        "name": run.name,
        "model": run.model,
        "protocol": run.protocol,
        "list": f"{run.list_name}:{run.list_sha8}",
        "clips": run.listed,
        "scored": int(
            run.listed and len(run.clips().query("state != 'unscored'")["clip"].unique())
        ),
        "unscored": outcome.unscored,
        "failed": outcome.failed,
        "static": run.failures,
        "scores": scores_of(outcome),
        "languages": {
            language: {key: {"value": s.value, "n": s.n} for key, s in scores.items()}
            for language, scores in run.languages.items()
        },
        "left_out": outcome.left_out,
        "unofficial": unofficial_of(outcome),
        "trained_on": run.facts.get("trained_on"),
        "report": str(page_of(outcome)),
    }


def _page(data: dict[str, Any]) -> Any:
    """The scores as a person reads them."""
    from rich.console import Group
    from rich.table import Table
    from rich.text import Text

    from talkingface_wild.benchmark.metrics import METRICS
    from talkingface_wild.core.counting import counted

    arrows = {"lower": "↓", "higher": "↑", "one": "→1", "none": ""}
    table = Table(
        title=f"{data['name']} on {data['list']}, {data['protocol']}", title_justify="left"
    )
    for heading in ("metric", "value", "95 % interval", "n", "note"):
        right = heading in ("value", "n")
        table.add_column(heading, justify="right" if right else "left", overflow="fold")
    for name, score in data["scores"].items():
        metric = METRICS[name]
        value = "–" if score["value"] is None else f"{score['value']:.4f}"
        bounds = (score["low"], score["high"])
        interval = "" if None in bounds else f"{bounds[0]:.4f} – {bounds[1]:.4f}"
        note = "; ".join(
            part
            for part in (score["note"], "UNOFFICIAL WEIGHTS" * bool(score["unofficial"]))
            if part
        )
        label = f"{metric.title} {arrows[metric.better]}".strip()
        table.add_row(
            *map(
                Text,
                (
                    label,
                    value,
                    interval,
                    counted(score["n"], score["unit"].removesuffix("s")),
                    note,
                ),
            )
        )
    lines = [
        f"{data['scored']} of {data['clips']} clips scored",
        f"run     {data['out']}",
        f"page    {data['report']}",
        f"next    tfw bench table {data['out']}",
    ]
    if data["trained_on"]:
        lines.insert(1, f"trained on {data['trained_on']}")
    return Group(table, *(Text(line) for line in lines))
