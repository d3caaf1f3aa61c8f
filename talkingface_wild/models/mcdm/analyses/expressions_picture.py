"""Draws Figure 6b: the t-SNE planes of both spaces, a colour and a mark for each label."""

import itertools
from pathlib import Path
from typing import Any

import numpy as np

from talkingface_wild.models.mcdm.analyses.drawing import COLOURS, MARKERS, formula, plate
from talkingface_wild.models.mcdm.analyses.expressions import Cloud, Expressions

_PLANE_INCHES = 3.9
_LONGEST_LABEL = 24
_LEGEND_LETTERS, _MARK_LETTERS = 104, 9
_MOST_LABELS = 24
_TITLE = "Expression tokens by {labels} (Figure 6b)"


def draw_expressions(path: Path, result: Expressions, source: str = "") -> None:
    """Write the picture; ``source`` says at its foot where the clips come from."""
    labels = sorted(set(result.labels))
    looks = dict(zip(labels, itertools.cycle(_looks()), strict=False))
    named = [
        label if len(label) <= _LONGEST_LABEL else f"{label[: _LONGEST_LABEL - 1]}…"
        for label in labels[:_MOST_LABELS]
    ]
    columns = max(1, _LEGEND_LETTERS // (max(map(len, named)) + _MARK_LETTERS))
    legend = 0.24 * (-(-len(named) // columns)) + 0.1
    title = _TITLE.format(labels=result.labelled_by)
    height = _PLANE_INCHES + legend
    with plate(path, height, title, [*_notes(result), source], result.cautions) as figure:
        above, below = figure.subfigures(2, 1, height_ratios=[_PLANE_INCHES, legend])
        for axes, cloud in zip(above.subplots(1, 2), result.clouds, strict=True):
            _cloud(axes, cloud, result, looks)
        handles, _ = above.axes[0].get_legend_handles_labels()
        below.legend(handles[: len(named)], named, loc="upper center", ncols=columns)


def _looks() -> list[tuple[str, str]]:
    """Colour and mark: first eight of each together, then other pairs of them."""
    return [
        (COLOURS[place], MARKERS[(place + turn) % len(MARKERS)])
        for turn in range(len(MARKERS))
        for place in range(len(COLOURS))
    ]


def _cloud(axes: Any, cloud: Cloud, result: Expressions, looks: dict[str, tuple[str, str]]) -> None:
    mine = np.asarray(result.labels)
    for label, (colour, marker) in looks.items():
        x, y = cloud.plane_P2[mine == label].T
        axes.scatter(
            x, y, s=26, c=colour, marker=marker, alpha=0.8, linewidths=0.4, edgecolors="white",
            label=label,
        )  # fmt: skip
    axes.set_title(
        f"{formula(cloud.name)}: {cloud.space}\n"
        f"purity {_shown(cloud.purity)} (chance {_shown(result.chance)}), "
        f"silhouette {_shown(cloud.silhouette)}",
        fontsize=9,
    )
    axes.set_xlabel("t-SNE 1")
    axes.set_ylabel("t-SNE 2")
    axes.set_xticks([])
    axes.set_yticks([])
    axes.margins(0.08)


def _shown(value: float | None) -> str:
    return "none" if value is None else f"{value:.2f}".replace("-", "−")


def _notes(result: Expressions) -> list[str]:
    clips, labels = len(set(result.clips)), len(set(result.labels))
    notes = []
    if labels > _MOST_LABELS:
        notes.append(f"Of the {labels} labels the first {_MOST_LABELS} are named.")
    if result.labelled_by in ("identity", "language"):
        notes.append(
            f"No emotions are known of these clips: colours tell their {result.labelled_by}."
        )
    notes.append(
        f"{len(result.labels)} points of {clips} clips, {labels} labels. Purity: share of the "
        f"{result.neighbours} nearest points of other clips that have the label; silhouette: of "
        "the clips' means. Both in the space itself, each dimension at unit spread, not in this "
        "plane."
    )
    notes.append(
        "One portrait speaks in all clips, so only the sound tells them apart."
        if result.portraits == 1
        else "Each clip has its own portrait, which the prior sees beside the sound."
    )
    return notes
