"""Drift over long videos (the paper's Fig. 5): SSIM, CSIM and sharpness at far apart frames."""

from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt

from talkingface_wild.benchmark.base import Sample, Score
from talkingface_wild.benchmark.extractors.extractor import Extractor
from talkingface_wild.benchmark.extractors.face_features import IdentityFeatures
from talkingface_wild.benchmark.extractors.frame_similarity import FrameSharpness, FrameSimilarity
from talkingface_wild.benchmark.metrics.clip_mean import ClipMean
from talkingface_wild.benchmark.protocol import Protocol
from talkingface_wild.core.arrays import Floats
from talkingface_wild.functional import drift_curve as curves


class Drift(ClipMean):
    """The slope of SSIM per 1,000 frames; ``extra`` holds all curves, slopes and failure frames.

    A clip gives the points that it is long enough for. Clips under 30 frames give none.
    """

    name, title, better = "drift", "SSIM drift/1k", "none"
    cites = ("mcdm",)

    def reset(self) -> None:
        """Forget every clip."""
        super().reset()
        self.points: dict[str, dict[int, list[float]]] = {}
        self.failed: dict[str, int | None] = {}
        self.slopes: dict[str, list[float]] = {}

    @classmethod
    def extractors(cls, protocol: Protocol) -> tuple[Extractor, ...]:
        """Likeness, identity and sharpness of frames."""
        return (
            FrameSimilarity(protocol.similarity),
            IdentityFeatures(protocol.identity),
            FrameSharpness(),
        )

    def choices(self) -> list[Any]:
        """Where the curve is read."""
        return [list(self.protocol.drift.at), self.protocol.drift.around]

    def value(self, sample: Sample) -> float | str:
        """The clip's slope of SSIM."""
        lines = _lines(sample)
        if "ssim" not in lines:
            return sample.refusal("pair", "similarity")
        settings = self.protocol.drift
        for name, line_T in lines.items():
            for at, value in curves.values_at(line_T, settings.at, settings.around).items():
                if value is not None:
                    self.points.setdefault(name, {}).setdefault(at, []).append(value)
            if (steep := curves.slope_per_thousand(line_T)) is not None:
                self.slopes.setdefault(name, []).append(steep)
        if "csim" in lines:
            self.failed[sample.clip] = curves.failure_frame(
                lines["csim"], self.protocol.fps, settings.failure_seconds, settings.failure_ratio
            )
        slope = curves.slope_per_thousand(lines["ssim"])
        if slope is None or len(lines["ssim"]) < min(settings.at):
            return f"shorter than {min(settings.at)} frames"
        return slope

    def merge(self, other: Any) -> None:
        """Take in another's clips."""
        super().merge(other)
        self.failed |= other.failed
        for name, slopes in other.slopes.items():
            self.slopes.setdefault(name, []).extend(slopes)
        for name, points in other.points.items():
            for at, values in points.items():
                self.points.setdefault(name, {}).setdefault(at, []).extend(values)

    def compute(self) -> Score:
        """The mean slope, and the mean curves as far as clips go."""
        frames = sorted({at for points in self.points.values() for at in points})
        curve: dict[str, Any] = {"frames": frames}
        for name, points in self.points.items():
            curve[name] = [float(np.mean(points[at])) if at in points else None for at in frames]
        failures = {clip: frame for clip, frame in sorted(self.failed.items()) if frame is not None}
        slopes = {name: float(np.mean(values)) for name, values in self.slopes.items()}
        extra = {"curve": curve, "slopes": slopes, "failure_frames": failures}
        return replace(super().compute(), extra=extra)


def _lines(sample: Sample) -> dict[str, Floats]:
    """Each curve that this clip has: a value per frame, NaN where it was not looked at."""
    lines: dict[str, Floats] = {}
    if "similarity" in sample.pair:
        arrays = sample.pair["similarity"]
        lines["ssim"] = _dense(arrays["frame"], arrays["ssim"], int(arrays["frames"][0]))
    mine, theirs = sample.generated.get("identity"), sample.reference.get("identity")
    if mine is not None and theirs is not None and len(theirs["portrait"]):
        cosines = mine["identity"] @ theirs["portrait"][0]
        lines["csim"] = _dense(mine["frame"], cosines, int(mine["frames"][0]))
    if "sharpness" in sample.generated:
        arrays = sample.generated["sharpness"]
        lines["sharpness"] = _dense(arrays["frame"], arrays["sharpness"], len(arrays["frame"]) + 1)
    return lines


def _dense(frames_K: npt.NDArray[Any], values_K: npt.NDArray[Any], frames: int) -> Floats:
    """Values by frame number from 0 to the video's end, NaN where there is none."""
    line_T = np.full(frames, np.nan)
    line_T[frames_K] = values_K
    return line_T
