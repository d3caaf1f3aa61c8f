"""Sampled detections of a clip, and the first face followed through them. No measures, no bounds.
Shape legend: T samples, N faces of one sample; a box is x0, y0, x1, y1 in pixels.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from talkingface_wild.core.arrays import Floats
from talkingface_wild.functional.face_track import overlap

LEAST_AREA_RATIO = 0.15
"""Faces below this part of the first face's area are insets or audience: they do not count."""
LEAST_OVERLAP = 0.2
"""Intersection over union with its last place by which the first face is known again."""


@dataclass(frozen=True)
class Detection:
    """The faces of one picture, surest first, in its own pixels; boxes may reach beyond its edges.

    ``boxes_N5`` holds x0, y0, x1, y1 and a score in 0–1; ``points_N52`` the eyes, the nose and the
    corners of the mouth as (x, y), the picture's left before its right, or None where the detector
    gives no points.
    """

    boxes_N5: npt.NDArray[np.float32]
    points_N52: npt.NDArray[np.float32] | None


@dataclass(frozen=True)
class FaceTrack:
    """The first face of a clip, sample by sample; rows where it is not ``present`` hold zeros."""

    times_T: Floats
    """Seconds on the source's clock."""
    boxes_T4: Floats
    points_T52: Floats | None
    """None when the detector gives no points."""
    present_T: npt.NDArray[np.bool_]

    def to_json(self) -> dict[str, Any]:
        """Plain lists, pixels rounded to 0.1 and seconds to 0.001; absent samples are None."""
        points = self.points_T52

        def rows(values: Floats) -> list[Any]:
            plain = np.round(values.reshape(len(values), -1), 1).tolist()
            return [row if seen else None for row, seen in zip(plain, self.present_T, strict=True)]

        return {
            "times": np.round(self.times_T, 3).tolist(),
            "boxes": rows(self.boxes_T4),
            "points": None if points is None else rows(points),
        }

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> FaceTrack:
        """The track that ``to_json`` wrote."""
        present = np.array([row is not None for row in data["boxes"]], dtype=np.bool_)

        def rows(values: list[Any], width: int) -> Floats:
            return np.array([row or [0.0] * width for row in values]).reshape(-1, width)

        points = data["points"]
        return cls(
            np.array(data["times"], dtype=np.float64),
            rows(data["boxes"], 4),
            None if points is None else rows(points, 10).reshape(-1, 5, 2),
            present,
        )


@dataclass(frozen=True)
class Observation:
    """A clip's first face, with its scores and the next largest face beside it."""

    track: FaceTrack
    rate: float
    """Samples a second."""
    scores_T: Floats
    second_ratios_T: Floats
    """Area of the largest other face ÷ the first one's; 0 where there is none."""


def observe(
    samples: Sequence[Detection],
    rate: float,
    start: float = 0.0,
    scale: float = 1.0,
    least_area_ratio: float = LEAST_AREA_RATIO,
) -> Observation:
    """Follow the first face through detections at ``start + k / rate`` seconds.

    ``scale`` is source pixels per pixel of the detector's picture. The first face is the one that
    overlaps its own last place most, else the largest. Faces below ``least_area_ratio`` of the
    usual largest one (the median over the samples) are never first: an inset thumbnail does not
    take the place of a face that is missed for a moment.
    """
    count = len(samples)
    boxes_T4, points_T52 = np.zeros((count, 4)), np.zeros((count, 5, 2))
    scores_T, ratios_T = np.zeros(count), np.zeros(count)
    present_T = np.zeros(count, dtype=np.bool_)
    has_points = any(len(s.boxes_N5) and s.points_N52 is not None for s in samples)
    largest = [areas(sample.boxes_N5).max() for sample in samples if len(sample.boxes_N5)]
    least = least_area_ratio * float(np.median(largest)) if largest else 0.0
    last: Floats | None = None
    for index, sample in enumerate(samples):
        boxes = np.asarray(sample.boxes_N5, dtype=np.float64)
        first = _first(boxes, last, least)
        if first is None:
            continue
        last = boxes[first, :4]
        sizes = areas(boxes)
        present_T[index], scores_T[index] = True, boxes[first, 4]
        boxes_T4[index] = last * scale
        ratios_T[index] = np.delete(sizes, first).max(initial=0.0) / max(sizes[first], 1e-9)
        if sample.points_N52 is not None:
            points_T52[index] = np.asarray(sample.points_N52[first], dtype=np.float64) * scale
    times = start + np.arange(count) / rate
    track = FaceTrack(times, boxes_T4, points_T52 if has_points else None, present_T)
    return Observation(track, rate, scores_T, ratios_T)


def _first(found_N5: Floats, last: Floats | None, least: float) -> int | None:
    """The index of the first face among ``found_N5``, or None."""
    sizes = areas(found_N5)
    candidates = [index for index in range(len(found_N5)) if sizes[index] >= least]
    if not candidates:
        return None
    if last is not None:
        shares = {index: overlap(found_N5[index], last) for index in candidates}
        nearest = max(candidates, key=lambda index: shares[index])
        if shares[nearest] >= LEAST_OVERLAP:
            return nearest
    return max(candidates, key=lambda index: float(sizes[index]))


def areas(boxes: npt.NDArray[Any]) -> Floats:
    """The areas of boxes (N, 4 or more), in square pixels."""
    sides = np.asarray(boxes[:, 2:4] - boxes[:, :2], dtype=np.float64)
    return np.asarray(np.prod(np.maximum(sides, 0.0), axis=1), dtype=np.float64)
