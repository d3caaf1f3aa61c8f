"""``tfw model``: look into a trained generator; ``analyse`` draws the paper's Figures 5 to 7."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import typer

from talkingface_wild.cli.board import Board
from talkingface_wild.cli.options import options_of
from talkingface_wild.cli.output import Output, examples
from talkingface_wild.jobs.figures.request import (
    AlphaRequest,
    DriftRequest,
    ExpressionsRequest,
    LipsRequest,
)

if TYPE_CHECKING:
    from talkingface_wild.jobs.figures.run import Figure

app = typer.Typer(add_completion=False, no_args_is_help=True)
_MODEL = "--checkpoint runs/tiny"
_TALK = "demo_out/corpus/es/es_talk.mp4"
_SPANISH = f"--image {_TALK} --audio {_TALK}"
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


@analyse.command(
    epilog=examples(
        f"tfw model analyse drift {_MODEL} {_SPANISH} --out figures",
        "tfw model analyse drift --checkpoint runs/tiny --dataset demo_out --split test "
        "--frames 30,75 --steps 8 --out figures",
    )
)
@options_of(DriftRequest)
def drift(request: DriftRequest, output: Output) -> None:
    """Figure 5: SSIM over a long video, with and without the archived clip (F_a).

    Against a data set's real frames, else against the portrait. Without F_a is variants/no_archive
    where it was trained, else the same weights with the reference as their archive.
    """
    from talkingface_wild.jobs.figures.run import drift as run

    _give(output, run(request, Board(output)), _drift_lines)


@analyse.command(
    epilog=examples(
        f"tfw model analyse lips {_MODEL} {_SPANISH} --out figures",
        "tfw model analyse lips --checkpoint runs/tiny --dataset demo_out --frames 24 "
        "--mouth 0.28,0.59,0.72,0.94 --out figures",
    )
)
@options_of(LipsRequest)
def lips(request: LipsRequest, output: Output) -> None:
    """Figure 6a: where in the frame the present attention reads the lip tokens.

    Without the prior (variants/no_present, where it was trained) it is the sound token that looks
    most at the mouth.
    """
    from talkingface_wild.jobs.figures.run import lips as run

    _give(output, run(request, Board(output)), _lips_lines)


@analyse.command(
    epilog=examples(
        "tfw model analyse expressions --checkpoint runs/tiny --dataset demo_out --out figures",
        "tfw model analyse expressions --checkpoint runs/tiny --image face.jpg "
        "--labels emotions.csv --out figures  # needs your own files",
    )
)
@options_of(ExpressionsRequest)
def expressions(request: ExpressionsRequest, output: Output) -> None:
    """Figure 6b: t-SNE of predicted expression tokens, with purity and silhouette in their space.

    Beside them the sound: the tokens of variants/no_present where it was trained, else features.
    """
    from talkingface_wild.jobs.figures.run import expressions as run

    _give(output, run(request, Board(output)), _expressions_lines)


@analyse.command(
    epilog=examples(
        "tfw model analyse alpha --checkpoint runs/tiny --dataset demo_out --split test "
        "--out figures",
        f"tfw model analyse alpha {_MODEL} {_SPANISH} --frames 48 --steps 8 --out figures",
    )
)
@options_of(AlphaRequest)
def alpha(request: AlphaRequest, output: Output) -> None:
    """Figure 7: SSIM over alpha, the weight of the past in the motion memory.

    Each alpha by the variant trained at it (variants/alpha_0 to alpha_9), else by the model's own
    weights, which the picture tells apart; a line for w/o MTA where variants/no_mta was trained.
    """
    from talkingface_wild.jobs.figures.run import alpha as run

    _give(output, run(request, Board(output)), _alpha_lines)


def _give(output: Output, figure: Figure, lines: Callable[[Figure], list[str]]) -> None:
    data = {
        "picture": figure.picture,
        "table": figure.table,
        "source": figure.source,
        **figure.figures,
    }
    text = [*lines(figure), f"picture  {figure.picture}", f"table    {figure.table}"]
    output.result(data, "\n".join(text))


def _drift_lines(figure: Figure) -> list[str]:
    """SSIM at each frame asked for."""
    lines = [f"SSIM against {figure.against}"]
    for name, run in figure.figures.items():
        values = "  ".join(f"{f}: {v:.4f}" for f, v in run["ssim"].items() if v is not None)
        lines.append(f"{name:9}{values}  ({run['weights']})")
    return lines


def _lips_lines(figure: Figure) -> list[str]:
    """The mouth's share of the attention."""
    figures = figure.figures
    lines = [
        f"{name:9}{100 * model['mass']:.1f} % of the attention to {model['tokens']} in the mouth"
        for name, model in figures["models"].items()
    ]
    return [*lines, f"{'even':9}{100 * figures['even']:.1f} %"]


def _expressions_lines(figure: Figure) -> list[str]:
    """Purity and silhouette of each space."""
    figures = figure.figures
    lines = [
        f"{name:9}purity {_shown(space['purity'])}, silhouette {_shown(space['silhouette'])}  "
        f"({space['space']})"
        for name, space in figures["spaces"].items()
    ]
    return [*lines, f"{'chance':9}purity {_shown(figures['purity_by_chance'])}"]


def _alpha_lines(figure: Figure) -> list[str]:
    """SSIM at each alpha."""
    figures = figure.figures
    lines = [
        f"alpha {alpha:5}{point['ssim']:.4f}  ({point['weights']})"
        for alpha, point in figures["alpha"].items()
    ]
    without = figures["without_mta"]
    return lines if without is None else [*lines, f"{'w/o MTA':11}{without:.4f}"]


def _shown(value: float | None) -> str:
    return "none" if value is None else f"{value:.3f}"
