"""A clip's measures of its first face: how long, how large, where, how still; and spans to cut out.
Pure arithmetic; no gates. Shape legend: T samples; a box is x0, y0, x1, y1 in source pixels.
"""

from collections.abc import Iterable

import numpy as np
import numpy.typing as npt

from talkingface_wild.functional.face_samples import LEAST_AREA_RATIO, FaceTrack, Observation, areas
from talkingface_wild.functional.head_pose import head_angles
from talkingface_wild.functional.speech_share import longest_run, runs

Span = tuple[float, float]

COMPLETE_PART = 0.98
"""Part of a complete face's box that lies inside the picture."""


def measures(
    observation: Observation, width: int, height: int, least_area_ratio: float = LEAST_AREA_RATIO
) -> dict[str, float | int | None]:
    """The clip's measures by the names of their columns; ``width`` × ``height`` source pixels.

    Of all samples: ``face_presence_ratio`` (the first face is seen), ``single_face_ratio`` (it and
    no other of ``least_area_ratio`` of its area), ``second_face_ratio`` (another one as well),
    ``face_gap_seconds`` (longest run of samples without it, ends included, each standing for
    1 / rate seconds).
    Of those that show it: ``second_face_area_ratio`` (largest other face ÷ the first),
    ``face_confidence`` (median score), ``face_side_px`` (median longer side of its box),
    ``face_complete_samples_missing`` (how many have a point outside the picture, or less than 98 %
    of the box inside), ``yaw_p90``, ``yaw_max``, ``pitch_p90`` (degrees either way),
    ``face_motion_union_ratio`` (area of the boxes' union ÷ their median area), ``face_speed`` (see
    ``speed``).
    What cannot be known is None: the second kind without a face, angles without points, all
    without samples.
    """
    track = observation.track
    present = track.present_T
    second = observation.second_ratios_T >= least_area_ratio
    values: dict[str, float | int | None] = {
        "face_presence_ratio": _mean(present),
        "single_face_ratio": _mean(present & ~second),
        "second_face_ratio": _mean(second),
        "face_gap_seconds": longest_run(~present) / observation.rate if len(present) else None,
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
    "face_complete_samples_missing",
    "yaw_p90",
    "yaw_max",
    "pitch_p90",
    "face_motion_union_ratio",
    "face_speed",
)


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
        for first, stop in runs(bad):
            if (stop - first) / observation.rate > longest + 1e-9:
                before = float(times[first - 1]) if first else start
                after = float(times[stop]) if stop < len(times) else end
                last = float(times[stop - 1]) + half
                spans.append((max(start, before), min(end, max(after, last))))
    return _merged(spans)


def split_at(spans: Iterable[Span], start: float, end: float, least: float) -> list[Span]:
    """What is left of ``start``–``end`` outside ``spans``: pieces of at least ``least`` seconds."""
    pieces, position = [], start
    for low, high in [*_merged(spans), (end, end)]:
        if min(low, end) - position >= least - 1e-9:
            pieces.append((position, min(low, end)))
        position = max(position, high)
    return pieces


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
