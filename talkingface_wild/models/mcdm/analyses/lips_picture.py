"""Draws Figure 6a: generated frames, the heat of the lip tokens on them, its mass in the mouth."""

from pathlib import Path
from typing import Any

import numpy as np

from talkingface_wild.models.mcdm.analyses.drawing import (
    COLOURS,
    WIDTH_INCHES,
    formula,
    plate,
    show_picture,
)
from talkingface_wild.models.mcdm.analyses.lips import LipMaps, Lips

_COLUMNS = 6
_BARS_INCHES = 1.15
_TITLE = "Where the frame reads the lip tokens (Figure 6a)"
_HEAT = "viridis"
"""Even to colour-blind eyes, and in grey."""


def draw_lips(path: Path, result: Lips, source: str = "") -> None:
    """Write the picture; ``source`` says at its foot where the clips come from."""
    cell = (WIDTH_INCHES - 1.5) / _COLUMNS
    first = next(iter(result.mouths))
    strip = 2 * len(result.maps) * cell + 0.3
    bars = _BARS_INCHES + 0.35 * (len(result.maps) - 1)
    # Every map over its own mean: 1 is an even map, whatever the number of tokens.
    relative = [
        maps.heat_TSS / maps.heat_TSS.mean(axis=(1, 2), keepdims=True) for maps in result.maps
    ]
    spread = max(0.05, *(float(np.quantile(np.abs(heat - 1), 0.99)) for heat in relative))
    with plate(path, strip + bars, _TITLE, [*_notes(result), source], result.cautions) as figure:
        above, below = figure.subfigures(2, 1, height_ratios=[strip, bars])
        grid = above.subplots(2 * len(result.maps), _COLUMNS, squeeze=False)
        for place, (maps, heat_TSS) in enumerate(zip(result.maps, relative, strict=True)):
            shown = _rows(
                grid[2 * place : 2 * place + 2], maps, heat_TSS, result.mouths[first], spread
            )
        bar = above.colorbar(shown, ax=grid, shrink=0.8, pad=0.01, extend="both")
        bar.set_label("attention (1: even)", fontsize=9)
        _bars(below.subplots(), result)


def _rows(pair: Any, maps: LipMaps, heat_TSS: Any, mouth_T4: Any, spread: float) -> Any:
    frames = np.linspace(0, len(heat_TSS) - 1, _COLUMNS).round().astype(int)
    side = maps.frames_THWC.shape[1]
    for column, frame in enumerate(frames):
        plain, hot = pair[0][column], pair[1][column]
        show_picture(plain, maps.frames_THWC[frame])
        show_picture(hot, maps.frames_THWC[frame].mean(axis=-1, keepdims=True).repeat(3, -1) / 255)
        shown = hot.imshow(
            heat_TSS[frame], cmap=_HEAT, alpha=0.7, vmin=max(0, 1 - spread), vmax=1 + spread,
            extent=(-0.5, side - 0.5, side - 0.5, -0.5), interpolation="bilinear",
        )  # fmt: skip
        left, top, right, bottom = side * mouth_T4[frame] - 0.5
        hot.plot(
            [left, right, right, left, left], [top, top, bottom, bottom, top], "--", color="white",
            linewidth=1.3,
        )  # fmt: skip
        plain.set_title(f"frame {frame}")
    pair[0][0].set_ylabel(formula(maps.name), fontsize=11)
    pair[1][0].set_ylabel("attention", fontsize=11)
    return shown


def _bars(axes: Any, result: Lips) -> None:
    names = [formula(maps.name) for maps in result.maps]
    shares = [100 * maps.share for maps in result.maps]
    bars = axes.barh(names, shares, color=COLOURS[: len(names)], height=0.6)
    labels = [f"{share:.1f} %" for share in shares]
    axes.bar_label(bars, labels, label_type="center", fontsize=9, color="white", fontweight="bold")
    even = 100 * result.even_share
    axes.axvline(even, color="black", linestyle=":", linewidth=1.6)
    axes.set_ylim(len(names) - 0.5, -0.5)
    axes.set_xlim(0, 1.15 * max(*shares, even))
    axes.grid(axis="y", visible=False)
    axes.set_xlabel(
        "share of the attention that lies in the mouth box, % "
        f"(dotted: an even map's, {even:.1f} %)"
    )


def _notes(result: Lips) -> list[str]:
    clips = list(result.maps[0].mass)
    notes = [f"{formula(maps.name)}: {maps.tokens}." for maps in result.maps]
    if len(result.maps) == 1:
        notes.append(formula("w/o F_pc is not shown: variants/no_present was not trained."))
    notes.append(
        "Probabilities of the present attention, averaged over heads, blocks and steps. The mouth, "
        f"dashed, is {result.mouth_from}. Shares: mean over "
        f"{len(result.maps[0].heat_TSS)} frames of "
        + (f"{len(clips)} clips." if len(clips) > 1 else f"{clips[0]}.")
    )
    return notes
