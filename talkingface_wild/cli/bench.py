"""``tfw bench``: score a method on a list, or finished videos against real ones."""

from typing import Any

import typer

from talkingface_wild.benchmark.request import BenchRequest
from talkingface_wild.cli import bench_finished as finished
from talkingface_wild.cli import bench_list, bench_study
from talkingface_wild.cli.board import Board
from talkingface_wild.cli.options import options_of
from talkingface_wild.cli.output import Output, examples, table
from talkingface_wild.cli.typed_command import going_on_by
from talkingface_wild.core.stopping import break_off_on_signals
from talkingface_wild.models import FIRST

app = typer.Typer(add_completion=False)
app.command("table", epilog=finished.TABLE_EPILOG)(finished.table)
app.add_typer(bench_list.app, name="list")
app.command("verify", epilog=finished.VERIFY_EPILOG)(finished.verify)
app.command("selfcheck", epilog=finished.SELFCHECK_EPILOG)(finished.selfcheck)
app.command("grid", epilog=finished.GRID_EPILOG)(finished.grid)
app.add_typer(bench_study.app, name="study")


@app.callback(
    invoke_without_command=True,
    epilog=examples(
        "tfw bench --model groundtruth --dataset demo_out --split all --metrics ssim,psnr "
        "--out bench/real",
        "tfw bench --model static --dataset demo_out --split all --metrics ssim,psnr "
        "--out bench/still",
        "tfw bench table bench/real bench/still --reported",
        f"tfw bench --model {FIRST} --checkpoint runs/tiny --dataset demo_out --skip-missing",
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
    from talkingface_wild.jobs.bench import ablations, run

    with going_on_by(), break_off_on_signals(), Board(output) as board:
        if request.ablations:
            compared = ablations.ablations(request, board)
        else:
            outcome = run.bench(request, board)
    if request.ablations:
        data, text = ablations.data_of(request, compared), ablations.text_of(compared)
        output.result(data, text, compared.exit_code)
    else:
        data = run.data_of(request, outcome)
        output.result(data, lambda: _page(data), exit_code=1 if outcome.failed else 0)


def _page(data: dict[str, Any]) -> Any:
    """The scores as a person reads them."""
    from rich.console import Group
    from rich.text import Text

    from talkingface_wild.benchmark.metrics import METRICS
    from talkingface_wild.core.counting import counted

    arrows = {"lower": "↓", "higher": "↑", "one": "→1", "none": ""}
    rows = []
    for name, score in data["scores"].items():
        bounds = (score["low"], score["high"])
        notes = (score["note"], "UNOFFICIAL WEIGHTS" * bool(score["unofficial"]))
        rows.append(
            (
                f"{METRICS[name].title} {arrows[METRICS[name].better]}".strip(),
                "–" if score["value"] is None else f"{score['value']:.4f}",
                "" if None in bounds else f"{bounds[0]:.4f} – {bounds[1]:.4f}",
                counted(score["n"], score["unit"].removesuffix("s")),
                "; ".join(filter(None, notes)),
            )
        )
    title = f"{data['name']} on {data['list']}, {data['protocol']}"
    headings = ("metric", "value", "95 % interval", "n", "note")
    page = table(title, headings, rows, right=("value", "n"), fold=True)
    lines = [
        f"{data['scored']} of {data['clips']} clips scored",
        f"run     {data['out']}",
        f"page    {data['report']}",
        f"next    tfw bench table {data['out']}",
    ]
    if data["trained_on"]:
        lines.insert(1, f"trained on {data['trained_on']}")
    return Group(page, *map(Text, lines))
