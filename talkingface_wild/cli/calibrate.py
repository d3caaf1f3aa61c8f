"""``tfw calibrate``: measures that a data set trains for itself."""

import typer

from talkingface_wild.cli.options import command
from talkingface_wild.cli.output import Output
from talkingface_wild.jobs.calibrate import CalibrateRequest, calibrate_sync
from talkingface_wild.pages.terminal.calibration import calibration_page

app = typer.Typer(add_completion=False, no_args_is_help=True)


@app.callback()
def _calibrate() -> None:
    """Train on a data set what then judges it."""


@command(app, CalibrateRequest)
def sync(request: CalibrateRequest, output: Output) -> None:
    """Learn lip sync from a set's clips, judge each by a network that never saw its source.

    Needs each clip's mesh ('tfw weights fetch --open' before 'tfw curate'), and no label.
    """
    output.result(data := calibrate_sync(request, output), lambda: calibration_page(data))
