"""From boxes of a face to the pictures SyncNet looks at: tracks, boxes at 25 fps, smoothing, crops.
The steps and constants are those of SyncNet's published pipeline (Chung and Zisserman, 2016); pure
arithmetic on arrays. Shape legend: T samples or frames, N frames of a crop, H height, W width,
C channels; a box is x0, y0, x1, y1 in pixels.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from talkingface_wild.core.arrays import Floats
from talkingface_wild.core.outcome import ItemRejected

Picture = npt.NDArray[np.uint8]
Ends = Literal["zero", "edge"]
"""How a median filter sees beyond its ends: zeros, as the reference, or the end value repeated."""

FPS = 25.0
"""Frames a second that SyncNet was trained on."""
CROP_SIZE = 224
"""Side of a crop, in pixels."""
BORDER = 110
"""Grey level of what lies beyond the picture."""
MOST_MISSED = 25
"""A track ends when its face was not seen for more frames than this."""
LEAST_OVERLAP = 0.5
"""Intersection over union above which two boxes are one face."""


@dataclass(frozen=True)
class Track:
    """One face over frames: ``frames_T`` (rising) say when it was detected, ``boxes_T4`` where."""

    frames_T: npt.NDArray[np.int64]
    boxes_T4: Floats

    @property
    def side(self) -> float:
        """The larger of mean width and mean height, in pixels."""
        return float((self.boxes_T4[:, 2:] - self.boxes_T4[:, :2]).mean(axis=0).max())

    def filled(self) -> Track:
        """The track with a box in every frame from its first to its last, linear in between."""
        frames_T = np.arange(self.frames_T[0], self.frames_T[-1] + 1)
        columns = [np.interp(frames_T, self.frames_T, column) for column in self.boxes_T4.T]
        return Track(frames_T, np.stack(columns, axis=1))


@dataclass(frozen=True)
class CropRule:
    """Which faces of a clip are cropped for SyncNet, and how; the values are the published ones."""

    least_track: int = 100
    """A track has more detections than this."""
    least_side: float = 100.0
    """Pixels that a track's mean width or mean height exceeds."""
    keep: Literal["all", "longest"] = "all"
    """Whether every track counts, or the one over the most frames, the earlier of two equal."""
    scale: float = 0.40
    """Margin around a box, in half sides: left, right, and twice as much below."""
    kernel: int = 13
    """Frames of the median filter, about half a second."""
    ends: Ends = "zero"


PUBLISHED = CropRule()


@dataclass(frozen=True)
class CropPath:
    """How a crop follows its face: centres ``x_T``, ``y_T``, half sides ``half_T``, in pixels."""

    x_T: Floats
    y_T: Floats
    half_T: Floats


def overlap(first: Sequence[float] | Floats, second: Sequence[float] | Floats) -> float:
    """Intersection over union of two boxes; 0 when both are empty."""
    width = min(first[2], second[2]) - max(first[0], second[0])
    height = min(first[3], second[3]) - max(first[1], second[1])
    shared = max(0.0, float(width)) * max(0.0, float(height))
    areas = [float((box[2] - box[0]) * (box[3] - box[1])) for box in (first, second)]
    union = sum(areas) - shared
    return shared / union if union > 0 else 0.0


def greedy_tracks(detections: Sequence[Sequence[Sequence[float]]]) -> list[Track]:
    """The tracks of one scene; ``detections`` holds each frame's boxes, in the detector's order.

    A track starts at the first box that no track has, and takes every next box that overlaps its
    last one. As in the reference, the box that follows a taken one in its frame is passed over
    in that round. Every box ends in one track; see ``long_tracks`` for which count.
    """
    pool = [[np.asarray(box, dtype=np.float64) for box in boxes] for boxes in detections]
    tracks = []
    while any(pool):
        frames: list[int] = []
        track: list[Floats] = []
        for frame, boxes in enumerate(pool):
            if frames and frame - frames[-1] > MOST_MISSED:
                break
            place = 0
            while place < len(boxes):
                if not track or overlap(boxes[place], track[-1]) > LEAST_OVERLAP:
                    frames.append(frame)
                    track.append(boxes.pop(place))
                place += 1
        tracks.append(Track(np.array(frames, dtype=np.int64), np.stack(track)))
    return tracks


def long_tracks(tracks: Sequence[Track], rule: CropRule = PUBLISHED) -> list[Track]:
    """The tracks that are long and large enough by a rule, filled."""
    filled = [track.filled() for track in tracks if len(track.frames_T) > rule.least_track]
    return [track for track in filled if track.side > rule.least_side]


def published_tracks(
    detections: Sequence[Sequence[Sequence[float]] | npt.NDArray[Any]],
    rule: CropRule = PUBLISHED,
    scenes: Sequence[tuple[int, int]] | None = None,
) -> list[Track]:
    """The tracks that the published pipeline crops, filled, in the order of their scenes.

    ``detections`` holds each frame's boxes (K, 4 or more), in the detector's order. Scenes, given
    as first frame and the one after the last, are tracked apart, and one of fewer frames than a
    track needs detections is left out; None is one scene.
    """
    tracks: list[Track] = []
    for start, stop in [(0, len(detections))] if scenes is None else scenes:
        if stop - start >= rule.least_track:
            boxes = [[box[:4] for box in frame] for frame in detections[start:stop]]
            scene = long_tracks(greedy_tracks(boxes), rule)
            tracks += [Track(track.frames_T + start, track.boxes_T4) for track in scene]
    if rule.keep == "longest" and tracks:
        return [max(tracks, key=lambda track: len(track.frames_T))]
    return tracks


def interpolate(
    times: Sequence[float] | Floats, boxes_T4: Floats, start: float, count: int, fps: float = FPS
) -> Floats:
    """Boxes (count, 4) at ``start + k / fps`` seconds, linear between those at rising ``times``.

    Before the first and after the last time the nearest box holds. Raises ValueError without boxes.
    """
    times_T = np.asarray(times, dtype=np.float64)
    boxes = np.asarray(boxes_T4, dtype=np.float64).reshape(-1, 4)
    if not len(times_T) or len(times_T) != len(boxes):
        raise ValueError(f"expected a box for each time, found {len(boxes)} for {len(times_T)}")
    instants = start + np.arange(count) / fps
    return np.stack([np.interp(instants, times_T, column) for column in boxes.T], axis=1)


def smooth(
    values_T: npt.NDArray[Any], kernel: int = PUBLISHED.kernel, ends: Ends = "zero"
) -> Floats:
    """Running median over an odd number of values.

    ``zero``, the default and the benchmark's choice, shrinks the first and last values as the
    reference does; curation asks for ``edge``, which leaves a face at rest where it is.
    """
    values = np.asarray(values_T, dtype=np.float64)
    if not len(values):
        return values
    reach = kernel // 2
    padded = np.pad(values, reach, mode="edge" if ends == "edge" else "constant")
    from scipy.signal import medfilt  # Most of a second to import: only where it is used.

    return np.asarray(medfilt(padded, kernel)[reach : reach + len(values)], dtype=np.float64)


def crop_path(boxes_T4: Floats, ends: Ends = "zero", kernel: int = PUBLISHED.kernel) -> CropPath:
    """Smoothed centres and half sides of one box a frame; the longer side of a box counts."""
    boxes = np.asarray(boxes_T4, dtype=np.float64)
    x_T = (boxes[:, 0] + boxes[:, 2]) / 2
    y_T = (boxes[:, 1] + boxes[:, 3]) / 2
    half_T = np.maximum(boxes[:, 3] - boxes[:, 1], boxes[:, 2] - boxes[:, 0]) / 2
    return CropPath(*(smooth(row, kernel, ends) for row in (x_T, y_T, half_T)))


def crop_square(
    frame_HWC: Picture, centre: tuple[float, float], half: float, scale: float = PUBLISHED.scale
) -> Picture:
    """The face and its margin as (224, 224, 3), in the channel order of ``frame_HWC``.

    ``centre`` is (x, y). Rows reach from y − half to y + half (1 + 2 scale), columns half
    (1 + scale) to either side, each rounded toward zero in the picture bordered by
    int(half (1 + 2 scale)) grey pixels; then bilinear to the final size. What lies further
    out is grey as well. Raises ValueError for a half side that is not positive.
    """
    import cv2

    if not half > 0:
        raise ValueError(f"expected a positive half side of a face, found {half}")
    border = int(half * (1 + 2 * scale))
    x, y = centre[0] + border, centre[1] + border
    top, bottom = int(y - half) - border, int(y + half * (1 + 2 * scale)) - border
    left, right = int(x - half * (1 + scale)) - border, int(x + half * (1 + scale)) - border
    height, width = frame_HWC.shape[:2]
    face = np.full((max(1, bottom - top), max(1, right - left), 3), BORDER, dtype=np.uint8)
    rows = slice(max(top, 0), max(0, min(bottom, height)))
    columns = slice(max(left, 0), max(0, min(right, width)))
    inner = frame_HWC[rows, columns]
    if inner.size:
        below, beside = rows.start - top, columns.start - left
        face[below : below + inner.shape[0], beside : beside + inner.shape[1]] = inner
    crop: Picture = cv2.resize(face, (CROP_SIZE, CROP_SIZE))
    return crop


def track_crops(
    frames_NHWC: Sequence[Picture] | Picture, track: Track, rule: CropRule = PUBLISHED
) -> Iterator[Picture]:
    """A filled track's crops (224, 224, 3), one a frame, in the frames' order of channels.

    ``frames_NHWC`` are all frames of the clip, (H, W, 3) uint8; only one is in work at a time.
    Raises ItemRejected ``no_face`` when the median filter leaves no box: with ``zero`` ends a
    track needs more frames than half of the filter's.
    """
    path = crop_path(track.boxes_T4, rule.ends, rule.kernel)
    if not (path.half_T > 0).all():
        raise ItemRejected(
            "no_face",
            f"expected a track long enough for a median over {rule.kernel} frames, found one of "
            f"{len(track.frames_T)}",
        )
    for frame, x, y, half in zip(track.frames_T, path.x_T, path.y_T, path.half_T, strict=True):
        yield crop_square(np.asarray(frames_NHWC[int(frame)]), (x, y), half, rule.scale)
