"""The analyses' pictures (one style, colours for colour-blind eyes, cautions) and CSV tables.

Shapes: H W pixels.
"""

import csv
import io
import math
import textwrap
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from talkingface_wild.core.errors import ExtraMissing
from talkingface_wild.core.paths import atomic_path, write_text

WIDTH_INCHES, DPI = 8.0, 150
"""1,200 pixels wide."""
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#7A5195", "#000000")
"""Okabe and Ito's, the yellow, which white paper swallows, replaced."""
MARKERS = ("o", "s", "^", "D", "v", "P", "X", "*")
CAUTION = "#B22222"
PAPER = {"facecolor": "white", "edgecolor": "none", "alpha": 0.75, "pad": 0.8}
"""What lies under a number that may cross a line."""
_LETTERS_A_LINE, _BOLD_LETTERS = 116, 100
_STYLE = {
    "font.size": 10,
    "axes.titlesize": 10,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "grid.color": "#E4E4E4",
    "grid.linewidth": 0.7,
    "axes.axisbelow": True,
    "axes.edgecolor": "#666666",
    "legend.frameon": False,
    "legend.fontsize": 9,
}


def need_drawing() -> None:
    """Raise ExtraMissing where nothing can be drawn: to be known before the work, not after it."""
    try:
        import matplotlib  # noqa: F401
    except ImportError as error:
        raise ExtraMissing(
            "Expected the extra 'models', found matplotlib missing; run "
            "pip install -c constraints.txt 'talkingface-wild[models]'."
        ) from error


@contextmanager
def plate(
    path: Path, height_inches: float, title: str, notes: Sequence[str], cautions: Sequence[str]
) -> Iterator[Any]:
    """A subfigure to draw in, between the title, cautions in red under it and notes at the foot.

    The file at ``path`` is written when the block ends well. Raises ExtraMissing.
    """
    need_drawing()
    import matplotlib as mpl
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    head_lines = _wrapped([f"Caution: {sentence}" for sentence in cautions], _BOLD_LETTERS)
    foot_lines = _wrapped(notes, _LETTERS_A_LINE)
    line = 0.19
    head = 0.38 + line * len(head_lines)
    foot = 0.12 + line * len(foot_lines)
    with mpl.rc_context(_STYLE):
        figure: Any = Figure(
            (WIDTH_INCHES, head + height_inches + foot), dpi=DPI, layout="constrained"
        )
        FigureCanvasAgg(figure)
        top, middle, bottom = figure.subfigures(3, 1, height_ratios=[head, height_inches, foot])
        top.text(0.012, 1 - 0.08 / head, title, va="top", fontsize=12, fontweight="bold")
        top.text(
            0.012, 1 - 0.34 / head, "\n".join(head_lines), va="top", fontsize=9, color=CAUTION,
            fontweight="bold",
        )  # fmt: skip
        bottom.text(0.012, 0.9, "\n".join(foot_lines), va="top", fontsize=8.5, color="#444444")
        yield middle
        description = " ".join([title, *cautions, "Faces in this picture are generated."])
        with atomic_path(path) as temporary:
            figure.savefig(temporary, metadata={"Description": description})


def _wrapped(sentences: Sequence[str], letters: int) -> list[str]:
    return [line for text in sentences for line in textwrap.wrap(text, letters)]


def show_picture(axes: Any, picture_HWC: Any) -> None:
    """Pixels without axes; small frames stay crisp."""
    smooth = "nearest" if picture_HWC.shape[0] < 256 else "antialiased"
    axes.imshow(picture_HWC, interpolation=smooth)
    axes.set(xticks=[], yticks=[])
    axes.grid(False)
    axes.spines[:].set_visible(False)


def dots(
    axes: Any, xs: Any, ys: Any, marker: str, edge: str, face: str, size: float, label: str
) -> None:
    """Dots with a coloured edge, filled or hollow."""
    axes.plot(
        xs, ys, marker, color=edge, markerfacecolor=face, markersize=size, markeredgewidth=1.8,
        label=label,
    )  # fmt: skip


def value(
    axes: Any, text: str, at: tuple[float, float], up: float, size: float, colour: str = "black"
) -> None:
    """A number above its dot, or below it where ``up`` (points) is negative."""
    axes.annotate(
        text, at, xytext=(0, up), textcoords="offset points", ha="center", fontsize=size,
        color=colour, bbox=PAPER,
    )  # fmt: skip


def finish_similarity(axes: Any, against: str, **margins: float) -> None:
    """The vertical axis of an SSIM, and the legend."""
    axes.set_ylabel(f"SSIM against {against}")
    axes.margins(**margins)
    widen(axes)
    axes.legend(loc="best")


def widen(axes: Any, least: float = 0.04) -> None:
    """A vertical axis that spans at least so much: no hair's breadth fills the picture."""
    low, high = axes.get_ylim()
    more = max(0.0, least - (high - low)) / 2
    axes.set_ylim(low - more, high + more)


def formula(text: str) -> str:
    """The paper's symbols as they are set there."""
    return text.replace("F_a", "$F_a$").replace("F_pc", "$F_{pc}$")


def write_table(path: Path, rows: Sequence[Mapping[str, Any]]) -> None:
    """One line a row, in one step; numbers in six digits."""
    columns = list(dict.fromkeys(name for row in rows for name in row))
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows([_shown(row.get(name)) for name in columns] for row in rows)
    write_text(path, stream.getvalue())


def _shown(value: Any) -> str:
    if value is None or (isinstance(value, float) and not math.isfinite(value)):
        return ""
    return f"{value:.6g}" if isinstance(value, float) else str(value)
