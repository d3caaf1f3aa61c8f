"""``tfw bench``: score a method on a list, or finished videos against real ones."""

import typer

from talkingface_wild.benchmark.request import BenchRequest
from talkingface_wild.cli import bench_finished as finished
from talkingface_wild.cli import bench_list, bench_study
from talkingface_wild.cli.board import Board
from talkingface_wild.cli.options import command, options_of
from talkingface_wild.cli.output import Output, examples
from talkingface_wild.cli.typed_command import going_on_by
from talkingface_wild.core.stopping import break_off_on_signals

app = typer.Typer(add_completion=False)
for _verb, _request in finished.VERBS.items():
    command(app, _request)(_verb)
app.add_typer(bench_list.app, name="list")
app.add_typer(bench_study.app, name="study")


@app.callback(invoke_without_command=True, epilog=examples(*BenchRequest.EXAMPLES))
@options_of(BenchRequest)
def bench(ctx: typer.Context, request: BenchRequest, json: bool) -> None:
    """Score talking-face videos: FID, FVD, Sync-C, Sync-D, SSIM, E-FID and more, one protocol.

    Either --model with --dataset, or --outputs with --reference. Goes on where it was stopped.
    """
    if ctx.invoked_subcommand is not None:
        return
    output = Output("bench", json)
    from talkingface_wild.jobs.bench import ablations, run
    from talkingface_wild.pages.terminal.score_page import scores_page

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
        output.result(data, lambda: scores_page(data), exit_code=1 if outcome.failed else 0)
