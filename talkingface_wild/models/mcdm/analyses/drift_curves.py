"""Figure 5: does a long video stay like its portrait, with and without the archived clip (F_a)?

Shapes: T frames, H W pixels.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from talkingface_wild.core.arrays import Floats, Pictures
from talkingface_wild.functional.drift_curve import FRAMES, slope_per_thousand, values_at
from talkingface_wild.models.mcdm.analyses import drawing
from talkingface_wild.models.mcdm.analyses.speaking_portrait import (
    Draws,
    Subject,
    against,
    compared,
    long_enough,
)
from talkingface_wild.models.mcdm.networks import MCDMParts
from talkingface_wild.models.mcdm.variants import Checkpoint, model_cautions


def binned_curve(values_T: Floats, length: int) -> tuple[Floats, Floats]:
    """Middle frame and mean of consecutive stretches of ``length`` frames, the last one shorter."""
    stretches = np.split(np.arange(len(values_T)), range(length, len(values_T), length))
    means = [values_T[frames].mean() for frames in stretches]
    return np.array([frames.mean() for frames in stretches]), np.array(means)


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
    fixed: bool = False
    """Whether the archive stays the reference."""
    clips: dict[str, Floats] = field(default_factory=dict)
    pictures: dict[int, Pictures] = field(default_factory=dict)

    @property
    def mean(self) -> Floats:
        """The mean over clips, which are all of one length, at each frame."""
        return np.mean(list(self.clips.values()), axis=0)


@dataclass(frozen=True)
class DriftFigure:
    """Both runs, the real frames (or the portrait) beside them, and what must be said."""

    runs: tuple[DriftRun, DriftRun]
    frame_numbers: tuple[int, ...]
    real: dict[int, Pictures]
    portrait_HWC: Pictures
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
            several = {ALL: run.mean} if len(run.clips) > 1 else {}
            for clip, values_T in (run.clips | several).items():
                shared = {"run": run.name, "weights": run.weights, "clip": clip}
                shared["against"] = self.against
                points: list[tuple[str, float, float | None]] = [
                    ("asked", *pair) for pair in values_at(values_T, self.frame_numbers).items()
                ]
                stretches = zip(*binned_curve(values_T, self.stretch), strict=True)
                points += [("clip mean", float(frame), float(mean)) for frame, mean in stretches]
                rows += [shared | {"point": p, "frame": f, "ssim": v} for p, f, v in points]
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
        DriftRun(WITH, "the model"),
        DriftRun(WITHOUT, VARIANT if variant else FIXED, fixed=variant is None),
    )
    for run, networks in zip(runs, (parts, variant or parts), strict=True):
        _roll(run, networks, enough, draws, reached, tell)
    truth = enough[0].truth_THWC
    return DriftFigure(
        runs=runs,
        frame_numbers=reached,
        real={} if truth is None else {f: truth[p] for f, p in _places(reached, len(truth))},
        portrait_HWC=enough[0].portrait_HWC,
        against=against(enough),
        stretch=parts.config.clip.frames,
        left_out=len(subjects) - len(enough),
        cautions=model_cautions(parts, {"w/o F_a": variant.facts if variant else None}),
    )


def _places(frame_numbers: Sequence[int], frames: int) -> list[tuple[int, int]]:
    """Each asked frame that the video reaches, and where it lies; the last stands for the end."""
    return [(frame, min(frame, frames - 1)) for frame in frame_numbers if frame <= frames]


def _roll(
    run: DriftRun,
    parts: MCDMParts,
    subjects: Sequence[Subject],
    draws: Draws,
    frame_numbers: Sequence[int],
    tell: Callable[[str], None],
) -> None:
    """Fill a run: the SSIM of every subject, and the pictures of the first."""
    frames = max(frame_numbers)
    places = _places(frame_numbers, frames)
    for subject in subjects:
        values: list[Floats] = []
        chunks = compared(parts, subject, frames, draws, fixed_archive=run.fixed)
        for start, chunk, ssim_F in chunks:
            values.append(ssim_F)
            end = start + len(chunk)
            if subject is subjects[0]:
                run.pictures |= {f: chunk[p - start] for f, p in places if start <= p < end}
            if end == frames or end % (40 * len(chunk)) == 0:
                tell(f"{run.name}, {subject.name}: {end}/{frames} frames")
        run.clips[subject.name] = np.concatenate(values)


_LONG = 300
"""Frames from which on a slope per 1,000 frames means something."""
_WIDE = 20
"""Frames that lie so many times apart stand on a logarithmic axis."""
_CURVE_INCHES = 2.9
_TITLE = "Drift over a long video, with and without the archived clip (Figure 5)"


def draw_drift(path: Path, result: DriftFigure, source: str = "") -> None:
    """Write the picture; ``source`` says at its foot where the clips come from."""
    rows = [("real", result.real)] if result.real else []
    rows += [(drawing.formula(run.name), run.pictures) for run in result.runs]
    columns = 1 + len(result.frame_numbers)
    cell = min(1.6, (drawing.WIDTH_INCHES - 0.6) / columns)
    strip = len(rows) * cell + 0.3
    height, notes = strip + _CURVE_INCHES, [*_notes(result), source]
    with drawing.plate(path, height, _TITLE, notes, result.cautions) as figure:
        above, below = figure.subfigures(2, 1, height_ratios=[strip, _CURVE_INCHES])
        grid = above.subplots(len(rows), columns, squeeze=False)
        for axes in grid[:, 0]:
            axes.set_axis_off()
        drawing.show_picture(grid[0][0], result.portrait_HWC)
        grid[0][0].set_axis_on()
        grid[0][0].set_title("portrait")
        for line, (name, pictures) in zip(grid, rows, strict=True):
            line[1].set_ylabel(name, fontsize=11)
            for axes, frame in zip(line[1:], result.frame_numbers, strict=True):
                drawing.show_picture(axes, pictures[frame])
        for axes, frame in zip(grid[0][1:], result.frame_numbers, strict=True):
            axes.set_title(f"frame {frame:,}")
        _curve(below.subplots(), result)


def _notes(result: DriftFigure) -> list[str]:
    clips = list(result.runs[0].clips)
    over = f"mean over {len(clips)} clips" if len(clips) > 1 else clips[0]
    notes = [f"{drawing.formula(run.name)}: {run.weights}." for run in result.runs]
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
        colour, line = drawing.COLOURS[place], ("-", "--")[place]
        middles, means = binned_curve(run.mean, result.stretch)
        axes.plot(middles + 1, means, line, color=colour, linewidth=(2.2, 1.2)[place], alpha=0.8)
        at = {f: v for f, v in values_at(run.mean, result.frame_numbers).items() if v is not None}
        marker, face = drawing.MARKERS[place], (colour, "none")[place]
        drawing.dots(axes, list(at), list(at.values()), marker, colour, face, 9, _label(run))
        for x, y in at.items():
            drawing.value(axes, f"{y:.3f}", (x, y), (11, -17)[place], 8, colour)
    if max(result.frame_numbers) >= _WIDE * min(result.frame_numbers):
        axes.set_xscale("log")
        axes.minorticks_off()
    axes.set_xticks(result.frame_numbers, [f"{frame:,}" for frame in result.frame_numbers])
    axes.set_xlabel("frame")
    drawing.finish_similarity(axes, result.against, y=0.2)


def _label(run: DriftRun) -> str:
    slope, name = slope_per_thousand(run.mean), drawing.formula(run.name)
    if slope is None or len(run.mean) < _LONG:
        return name
    return f"{name}: {slope:+.3f} in 1,000 frames"
