"""Draws Figure 5: the frames in rows, and SSIM over the length of the video."""

from pathlib import Path
from typing import Any

from talkingface_wild.functional.drift_curve import values_at
from talkingface_wild.models.mcdm.analyses.curves import binned_curve
from talkingface_wild.models.mcdm.analyses.drawing import (
    COLOURS,
    MARKERS,
    WIDTH_INCHES,
    draw_dots,
    draw_value,
    finish_similarity,
    formula,
    plate,
    show_picture,
)
from talkingface_wild.models.mcdm.analyses.drift_curves import DriftFigure

_LONG = 300
"""Frames from which on a slope per 1,000 frames means something."""
_WIDE = 20
"""Frames that lie so many times apart stand on a logarithmic axis."""
_CURVE_INCHES = 2.9
_TITLE = "Drift over a long video, with and without the archived clip (Figure 5)"


def draw_drift(path: Path, result: DriftFigure, source: str = "") -> None:
    """Write the picture; ``source`` says at its foot where the clips come from."""
    rows = [("real", result.real)] if result.real else []
    rows += [(formula(run.name), run.pictures) for run in result.runs]
    columns = 1 + len(result.frame_numbers)
    cell = min(1.6, (WIDTH_INCHES - 0.6) / columns)
    strip = len(rows) * cell + 0.3
    with plate(
        path, strip + _CURVE_INCHES, _TITLE, [*_notes(result), source], result.cautions
    ) as figure:
        above, below = figure.subfigures(2, 1, height_ratios=[strip, _CURVE_INCHES])
        grid = above.subplots(len(rows), columns, squeeze=False)
        for axes in grid[:, 0]:
            axes.set_axis_off()
        show_picture(grid[0][0], result.portrait_HWC)
        grid[0][0].set_axis_on()
        grid[0][0].set_title("portrait")
        for line, (name, pictures) in zip(grid, rows, strict=True):
            line[1].set_ylabel(name, fontsize=11)
            for axes, frame in zip(line[1:], result.frame_numbers, strict=True):
                show_picture(axes, pictures[frame])
        for axes, frame in zip(grid[0][1:], result.frame_numbers, strict=True):
            axes.set_title(f"frame {frame:,}")
        _curve(below.subplots(), result)


def _notes(result: DriftFigure) -> list[str]:
    clips = list(result.runs[0].clips)
    over = f"mean over {len(clips)} clips" if len(clips) > 1 else clips[0]
    notes = [f"{formula(run.name)}: {run.weights}." for run in result.runs]
    notes.append(
        f"SSIM against {result.against}, {over}: lines are means over clips of {result.stretch} "
        "frames, dots over the 25 frames around them."
    )
    if result.left_out:
        every = len(clips) + result.left_out
        notes.append(
            f"Too short for frame {result.frame_numbers[-1]:,}: {result.left_out} of {every} clips."
        )
    return notes


def _curve(axes: Any, result: DriftFigure) -> None:
    for place, run in enumerate(result.runs):
        colour, line = COLOURS[place], ("-", "--")[place]
        middles, means = binned_curve(run.mean, result.stretch)
        axes.plot(middles + 1, means, line, color=colour, linewidth=(2.2, 1.2)[place], alpha=0.8)
        at = {f: v for f, v in values_at(run.mean, result.frame_numbers).items() if v is not None}
        face, label = (colour, "none")[place], _label(result, place)
        draw_dots(axes, list(at), list(at.values()), MARKERS[place], colour, face, 9, label)
        for frame, value in at.items():
            draw_value(axes, f"{value:.3f}", (frame, value), (11, -17)[place], 8, colour)
    if max(result.frame_numbers) >= _WIDE * min(result.frame_numbers):
        axes.set_xscale("log")
        axes.minorticks_off()
    axes.set_xticks(result.frame_numbers, [f"{frame:,}" for frame in result.frame_numbers])
    axes.set_xlabel("frame")
    finish_similarity(axes, result.against, y=0.2)


def _label(result: DriftFigure, place: int) -> str:
    run = result.runs[place]
    figures = result.figures()[run.name]
    name = formula(run.name)
    slope = figures["slope_per_1000_frames"]
    if slope is None or figures["frames"] < _LONG:
        return name
    return f"{name}: {slope:+.3f} in 1,000 frames"
