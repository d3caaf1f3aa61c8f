"""Figure 5: does a long video stay like its portrait, with and without the archived clip (F_a)?

Shapes: T frames, H W pixels.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from talkingface_wild.functional.drift_curve import FRAMES, slope_per_thousand, values_at
from talkingface_wild.models.mcdm.analyses.curves import Floats, binned_curve
from talkingface_wild.models.mcdm.analyses.rolling import Draws, compared
from talkingface_wild.models.mcdm.analyses.speaking_portrait import (
    Picture,
    Subject,
    against,
    long_enough,
)
from talkingface_wild.models.mcdm.analyses.trained_variants import Checkpoint, model_cautions
from talkingface_wild.models.mcdm.networks import MCDMParts

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
