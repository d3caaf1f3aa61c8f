"""Figure 5: does a long video stay like its portrait, with and without the archived clip (F_a)?

Shapes: T frames, H W pixels.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from talkingface_wild.functional.drift_curve import FRAMES, slope_per_thousand, values_at
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
from talkingface_wild.models.mcdm.analyses.speaking_portrait import (
    Draws,
    Picture,
    Subject,
    against,
    compared,
    long_enough,
)
from talkingface_wild.models.mcdm.networks import MCDMParts
from talkingface_wild.models.mcdm.variants import Checkpoint, model_cautions

Floats = npt.NDArray[np.float64]


def binned_curve(values_T: Floats, length: int) -> tuple[Floats, Floats]:
    """Middle frame and mean of consecutive stretches of ``length`` frames, the last one shorter."""
    values = np.asarray(values_T, dtype=np.float64)
    starts = range(0, len(values), length)
    middles = [(start + min(start + length, len(values)) - 1) / 2 for start in starts]
    means = [float(np.mean(values[start : start + length])) for start in starts]
    return np.array(middles), np.array(means)


WITH, WITHOUT = "w/ F_a", "w/o F_a"
FIXED = "same weights, the archive fixed to the reference"
VARIANT = "trained without it (variants/no_archive)"
ALL = "all"
"""The name of the mean over clips in the table."""


@dataclass
class DriftRun:
    """One model over all subjects: SSIM by frame, and the frames asked for of the first."""

    name: str
    weights: str
    clips: dict[str, Floats] = field(default_factory=dict)
    pictures: dict[int, Picture] = field(default_factory=dict)

    @property
    def mean(self) -> Floats:
        """The mean over clips, which are all of one length, at each frame."""
        return np.mean(list(self.clips.values()), axis=0)


@dataclass(frozen=True)
class DriftFigure:
    """Both runs, the real frames (or the portrait) beside them, and what must be said."""

    runs: tuple[DriftRun, DriftRun]
    frame_numbers: tuple[int, ...]
    real: dict[int, Picture]
    portrait_HWC: Picture
    against: str
    stretch: int
    """Frames of a clip, over which curves are averaged."""
    left_out: int
    """Clips that are too short for the last frame: means would jump where they end."""
    cautions: tuple[str, ...]

    def figures(self) -> dict[str, Any]:
        """SSIM at the asked frames and the slope, by run."""
        return {
            run.name: {
                "weights": run.weights,
                "ssim": values_at(run.mean, self.frame_numbers),
                "slope_per_1000_frames": slope_per_thousand(run.mean),
                "frames": len(run.mean),
            }
            for run in self.runs
        }

    def rows(self) -> list[dict[str, Any]]:
        """The table: asked frames (mean of 25 around each) and the drawn curve, by run and clip."""
        rows: list[dict[str, Any]] = []
        for run in self.runs:
            curves = dict(run.clips)
            if len(curves) > 1:
                curves[ALL] = run.mean
            for clip, values_T in curves.items():
                shared = {"run": run.name, "weights": run.weights, "clip": clip}
                shared["against"] = self.against
                frame_numbers = values_at(values_T, self.frame_numbers).items()
                middles, means = binned_curve(values_T, self.stretch)
                rows += [
                    shared | {"point": "asked", "frame": f, "ssim": v} for f, v in frame_numbers
                ]
                rows += [
                    shared | {"point": "clip mean", "frame": float(frame), "ssim": float(value)}
                    for frame, value in zip(middles, means, strict=True)
                ]
        return rows


def drift(
    checkpoint: Checkpoint,
    parts: MCDMParts,
    subjects: Sequence[Subject],
    draws: Draws,
    frame_numbers: Sequence[int] = FRAMES,
    tell: Callable[[str], None] = lambda _: None,
) -> DriftFigure:
    """Roll subjects to the last frame asked for that any of them reaches, with and without F_a.

    Raises InputUnreadable when no subject reaches the first frame asked for.
    """
    fps = parts.config.picture.fps
    longest = max(subject.frames(fps) for subject in long_enough(subjects, fps, min(frame_numbers)))
    reached = tuple(sorted({frame for frame in frame_numbers if frame <= longest}))
    enough = long_enough(subjects, fps, reached[-1])
    variant = checkpoint.variant("no_archive", parts)
    runs = (
        _run(parts, DriftRun(WITH, "the model"), enough, draws, reached, False, tell),
        _run(
            variant or parts,
            DriftRun(WITHOUT, VARIANT if variant else FIXED),
            enough,
            draws,
            reached,
            variant is None,
            tell,
        ),
    )
    first = enough[0]
    truth = first.truth_THWC
    return DriftFigure(
        runs=runs,
        frame_numbers=reached,
        real={} if truth is None else {f: truth[p] for f, p in _places(reached, len(truth))},
        portrait_HWC=first.portrait_HWC,
        against=against(enough),
        stretch=parts.config.clip.frames,
        left_out=len(subjects) - len(enough),
        cautions=model_cautions(parts, {"w/o F_a": variant.facts if variant else None}),
    )


def _places(frame_numbers: Sequence[int], frames: int) -> list[tuple[int, int]]:
    """Each asked frame that the video reaches, and where it lies; the last stands for the end."""
    return [(frame, min(frame, frames - 1)) for frame in frame_numbers if frame <= frames]


def _run(
    parts: MCDMParts,
    run: DriftRun,
    subjects: Sequence[Subject],
    draws: Draws,
    frame_numbers: Sequence[int],
    fixed: bool,
    tell: Callable[[str], None],
) -> DriftRun:
    frames = max(frame_numbers)
    for number, subject in enumerate(subjects):
        values: list[Floats] = []
        for start, chunk, ssim_F in compared(parts, subject, frames, draws, fixed_archive=fixed):
            values.append(ssim_F)
            end = start + len(chunk)
            if number == 0:
                run.pictures |= {
                    frame: chunk[place - start]
                    for frame, place in _places(frame_numbers, frames)
                    if start <= place < end
                }
            if end == frames or end % (40 * len(chunk)) == 0:
                tell(f"{run.name}, {subject.name}: {end}/{frames} frames")
        run.clips[subject.name] = np.concatenate(values)
    return run


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
