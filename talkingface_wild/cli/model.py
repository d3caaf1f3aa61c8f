"""``tfw model``: look into a trained generator; ``analyse`` draws the paper's Figures 5 to 7."""

import typer

from talkingface_wild.cli.board import Board
from talkingface_wild.cli.options import command
from talkingface_wild.cli.output import Output
from talkingface_wild.jobs.figures.request import (
    AlphaRequest,
    DriftRequest,
    ExpressionsRequest,
    FigureRequest,
    LipsRequest,
)

app = typer.Typer(add_completion=False, no_args_is_help=True)
analyse = typer.Typer(add_completion=False, no_args_is_help=True)
app.add_typer(analyse, name="analyse")


@app.callback()
def _model() -> None:
    """Look into a trained generator."""


@analyse.callback()
def _analyse() -> None:
    """Draw the paper's Figures 5, 6 and 7 of a trained model: a PNG and a CSV each.

    Pictures of a small or untrained model say so.
    """


@command(analyse, DriftRequest)
def drift(request: DriftRequest, output: Output) -> None:
    """Figure 5: SSIM over a long video, with and without the archived clip (F_a).

    Against a data set's real frames, else against the portrait. Without F_a is variants/no_archive
    where it was trained, else the same weights with the reference as their archive.
    """
    _draw(output, request, "drift")


@command(analyse, LipsRequest)
def lips(request: LipsRequest, output: Output) -> None:
    """Figure 6a: where in the frame the present attention reads the lip tokens.

    Without the prior (variants/no_present, where it was trained) it is the sound token that looks
    most at the mouth.
    """
    _draw(output, request, "lips")


@command(analyse, ExpressionsRequest)
def expressions(request: ExpressionsRequest, output: Output) -> None:
    """Figure 6b: t-SNE of predicted expression tokens, with purity and silhouette in their space.

    Beside them the sound: the tokens of variants/no_present where it was trained, else features.
    """
    _draw(output, request, "expressions")


@command(analyse, AlphaRequest)
def alpha(request: AlphaRequest, output: Output) -> None:
    """Figure 7: SSIM over alpha, the weight of the past in the motion memory.

    Each alpha by the variant trained at it (variants/alpha_0 to alpha_9), else by the model's own
    weights, which the picture tells apart; a line for w/o MTA where variants/no_mta was trained.
    """
    _draw(output, request, "alpha")


def _draw(output: Output, request: FigureRequest, name: str) -> None:
    from talkingface_wild.jobs.figures import run
    from talkingface_wild.pages.terminal.figures import LINES

    figure = getattr(run, name)(request, Board(output))
    files = {"picture": figure.picture, "table": figure.table, "source": figure.source}
    lines = LINES[name](figure.figures, figure.against)
    lines += [f"picture  {figure.picture}", f"table    {figure.table}"]
    output.result(files | figure.figures, "\n".join(lines))
