"""``tfw export``: a data set in the layout of a trainer."""

import typer

from talkingface_wild.cli.board import Board
from talkingface_wild.cli.options import command
from talkingface_wild.cli.output import Output
from talkingface_wild.core.stopping import break_off_on_signals
from talkingface_wild.jobs.export.request import ExportRequest
from talkingface_wild.pages.terminal.export import export_page

app = typer.Typer(add_completion=False)


@command(app, ExportRequest)
def export(request: ExportRequest, output: Output) -> None:
    """Write the kept clips as the loader of a trainer reads them, and say what comes next.

    Frames, masks of face and lips, sound, lists: docs/export.md has each layout. The same command
    goes on after a stop.
    """
    from talkingface_wild.jobs.export.run import export as run

    with Board(output) as board, break_off_on_signals():
        data = run(request, board)
    output.result(data, lambda: export_page(data))
