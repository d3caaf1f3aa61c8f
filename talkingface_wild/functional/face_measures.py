"""A clip's measures of its face, from sampled detections: who is first, how long, how large, where.
Pure arithmetic on arrays; no bounds, no gates. Shape legend: T samples, N faces of one sample; a
box is x0, y0, x1, y1 in pixels of the source.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from talkingface_wild.functional.face_track import overlap
from talkingface_wild.functional.head_pose import head_angles

Floats = npt.NDArray[np.float64]
Span = tuple[float, float]

LEAST_AREA_RATIO = 0.15
"""Faces below this part of the first face's area are insets or audience: they do not count."""
LEAST_OVERLAP = 0.2
"""Intersection over union with its last place by which the first face is known again."""
WINDOW_FACTOR = 1.6
"""Side of the crop window in longer sides of the boxes' union (TalkVid's factor)."""
COMPLETE_PART = 0.98
"""Part of a complete face's box that lies inside the picture."""


class Faces(Protocol):
    """What a detector gives for one picture: (N, 5) boxes with scores, (N, 5, 2) points or None."""

    @property
    def boxes_N5(self) -> npt.NDArray[Any]:
        """x0, y0, x1, y1, score."""

    @property
    def points_N52(self) -> npt.NDArray[Any] | None:
        """Eyes, nose, corners of the mouth."""


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
    samples: Sequence[Faces],
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
        found = np.asarray(sample.boxes_N5, dtype=np.float64)
        chosen = _first(found, last, least)
        if chosen is None:
            continue
        last = found[chosen, :4]
        sizes = areas(found)
        present_T[index], scores_T[index] = True, found[chosen, 4]
        boxes_T4[index] = last * scale
        ratios_T[index] = np.delete(sizes, chosen).max(initial=0.0) / max(sizes[chosen], 1e-9)
        if sample.points_N52 is not None:
            points_T52[index] = np.asarray(sample.points_N52[chosen], dtype=np.float64) * scale
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


def measures(
    observation: Observation,
    width: int,
    height: int,
    least_area_ratio: float = LEAST_AREA_RATIO,
    window_factor: float = WINDOW_FACTOR,
) -> dict[str, float | int | None]:
    """The clip's measures by the names of their columns; ``width`` × ``height`` source pixels.

    Of all samples: ``face_presence_ratio`` (the first face is seen), ``single_face_ratio`` (it and no
    other of ``least_area_ratio`` of its area), ``second_face_ratio`` (another one as well),
    ``second_face_area_ratio`` (the largest), ``face_gap_seconds`` (longest run of samples without
    it, ends included, each standing for 1 / rate seconds). Of those that show it:
    ``face_confidence`` (median score), ``face_side_px`` (median longer side of its box),
    ``crop_side_px`` (see ``window``), ``face_complete_samples_missing`` (how many have a point
    outside the picture, or less than 98 % of the box inside), ``yaw_p90``, ``yaw_max``,
    ``pitch_p90`` (degrees either way), ``face_motion_union_ratio`` (area of the boxes' union ÷
    their median area), ``face_speed`` (see ``speed``). What cannot be known is None: all of the
    second kind without a face, angles without points.
    """
    track = observation.track
    present = track.present_T
    second = observation.second_ratios_T >= least_area_ratio
    values: dict[str, float | int | None] = {
        "face_presence_ratio": _mean(present),
        "single_face_ratio": _mean(present & ~second),
        "second_face_ratio": _mean(second),
        "face_gap_seconds": longest_run(~present) / observation.rate,
        **dict.fromkeys(_OF_PRESENT),
    }
    if not present.any():
        return values
    boxes = track.boxes_T4[present]
    sides = boxes[:, 2:] - boxes[:, :2]
    union = np.concatenate([boxes[:, :2].min(axis=0), boxes[:, 2:].max(axis=0)])
    values["second_face_area_ratio"] = float(observation.second_ratios_T.max())
    values["face_confidence"] = float(np.median(observation.scores_T[present]))
    values["face_side_px"] = float(np.median(sides.max(axis=1)))
    values["crop_side_px"] = window(boxes, window_factor)[2]
    values["face_complete_samples_missing"] = int((~_complete(track, width, height)).sum())
    values["face_motion_union_ratio"] = float(
        areas(union[None])[0] / max(float(np.median(areas(boxes))), 1e-9)
    )
    values["face_speed"] = speed(track)
    if track.points_T52 is not None:
        angles = np.abs(head_angles(track.points_T52[present]))
        values["yaw_p90"] = float(np.percentile(angles[:, 0], 90))
        values["yaw_max"] = float(angles[:, 0].max())
        values["pitch_p90"] = float(np.percentile(angles[:, 1], 90))
    return values


_OF_PRESENT = (
    "second_face_area_ratio",
    "face_confidence",
    "face_side_px",
    "crop_side_px",
    "face_complete_samples_missing",
    "yaw_p90",
    "yaw_max",
    "pitch_p90",
    "face_motion_union_ratio",
    "face_speed",
)


def window(boxes_T4: Floats, factor: float = WINDOW_FACTOR) -> tuple[int, int, int]:
    """Left, top and side of the fixed square crop window, in whole even source pixels.

    Its side is ``factor`` times the longer side of the boxes' union, rounded up, its centre the
    union's; it may reach beyond the picture. Raises ValueError without boxes.
    """
    if not len(boxes_T4):
        raise ValueError("expected at least one box for a crop window, found none")
    low, high = boxes_T4[:, :2].min(axis=0), boxes_T4[:, 2:].max(axis=0)
    side = max(2, 2 * math.ceil(float((high - low).max()) * factor / 2 - 1e-9))
    left, top = (2 * round(float(middle - side) / 4) for middle in low + high)
    return left, top, side


def speed(track: FaceTrack) -> float | None:
    """How far the face's centre moves within a second, in its median widths: the 95th percentile.

    Each sample that shows it is compared with the one a second later (or the clip's last, when the
    clip is shorter; then scaled to a second). Displacements over a whole second leave nods and
    the detector's jitter aside. None with fewer than two samples.
    """
    present = track.present_T
    times, boxes = track.times_T[present], track.boxes_T4[present]
    if len(times) < 2:
        return None
    centres = (boxes[:, :2] + boxes[:, 2:]) / 2
    width = max(float(np.median(boxes[:, 2] - boxes[:, 0])), 1e-9)
    step = min(1.0, float(times[-1] - times[0]))
    first = np.flatnonzero(times + step <= times[-1] + 1e-6)
    later = np.searchsorted(times, times[first] + step - 1e-6)
    moved = np.linalg.norm(centres[later] - centres[first], axis=1)
    return float(np.percentile(moved / (times[later] - times[first]) / width, 95))


def violations(
    observation: Observation,
    start: float,
    end: float,
    longest_gap: float = 0.6,
    longest_second: float = 0.6,
    least_area_ratio: float = LEAST_AREA_RATIO,
) -> list[Span]:
    """Spans of the clip ``start``–``end`` (seconds) where the face is gone, or a second one there.

    A run of samples counts when it lasts longer than ``longest_gap`` (no first face) or
    ``longest_second`` (another of ``least_area_ratio`` of its area). A span reaches from the
    last good sample before the run to the first one after it, or to the clip's end.
    """
    times, half = observation.track.times_T, 0.5 / observation.rate
    spans = []
    for bad, longest in (
        (~observation.track.present_T, longest_gap),
        (observation.second_ratios_T >= least_area_ratio, longest_second),
    ):
        for first, last in _runs(bad):
            if (last - first + 1) / observation.rate > longest + 1e-9:
                before = float(times[first - 1]) if first else start
                after = float(times[last + 1]) if last + 1 < len(times) else end
                spans.append((max(start, before), min(end, max(after, float(times[last]) + half))))
    return _merged(spans)


def split_at(spans: Iterable[Span], start: float, end: float, least: float) -> list[Span]:
    """What is left of ``start``–``end`` outside ``spans``, in pieces of at least ``least`` seconds."""
    pieces, position = [], start
    for low, high in [*_merged(spans), (end, end)]:
        if min(low, end) - position >= least - 1e-9:
            pieces.append((position, min(low, end)))
        position = max(position, high)
    return pieces


def longest_run(flags_T: npt.NDArray[np.bool_]) -> int:
    """The length of the longest run of true flags."""
    return max((last - first + 1 for first, last in _runs(flags_T)), default=0)


def _runs(flags_T: npt.NDArray[np.bool_]) -> list[tuple[int, int]]:
    """First and last index of every run of true flags."""
    edges = np.diff(np.concatenate([[0], flags_T.astype(np.int8), [0]]))
    starts, stops = np.flatnonzero(edges == 1), np.flatnonzero(edges == -1)
    return [(int(a), int(b) - 1) for a, b in zip(starts, stops, strict=True)]


def _merged(spans: Iterable[Span]) -> list[Span]:
    """``spans`` in order, those that touch made one."""
    merged: list[Span] = []
    for low, high in sorted(spans):
        if merged and low <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(merged[-1][1], high))
        else:
            merged.append((low, high))
    return merged


def _complete(track: FaceTrack, width: int, height: int) -> npt.NDArray[np.bool_]:
    """For each sample that shows the face: whether the picture holds all of it."""
    boxes = track.boxes_T4[track.present_T]
    inner = np.column_stack(
        [np.clip(boxes[:, [0, 2]], 0, width), np.clip(boxes[:, [1, 3]], 0, height)]
    )[:, [0, 2, 1, 3]]
    inside = areas(inner) >= COMPLETE_PART * areas(boxes)
    if track.points_T52 is None:
        return inside
    points = track.points_T52[track.present_T]
    within = (points >= 0) & (points <= np.array([width, height]))
    return np.asarray(inside & within.all(axis=(1, 2)), dtype=np.bool_)


def _mean(flags_T: npt.NDArray[np.bool_]) -> float | None:
    """The share of true flags; None of none."""
    return float(flags_T.mean()) if len(flags_T) else None
