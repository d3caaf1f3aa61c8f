"""The one full-size decode of a surviving clip: what the stages that measure its picture look at.
Kept in the cache until its last reader is through; made again when missing.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from talkingface_wild.core.arrays import Pictures
from talkingface_wild.core.outcome import ItemRejected
from talkingface_wild.core.paths import atomic_path
from talkingface_wild.engine.stage import Cache, Item, Workplace
from talkingface_wild.functional.face_region import Region, region_of_box, region_of_points
from talkingface_wild.functional.face_track import CropPath, crop_path, crop_square, interpolate
from talkingface_wild.media.decode import Frame, frames
from talkingface_wild.media.geometry import Window, crop_padded
from talkingface_wild.perception.arcface import align
from talkingface_wild.pipelines.clip_meshes import ClipMeshes, MeshTrail
from talkingface_wild.pipelines.source_items import media_file, number

RATE = 25.0
CHOSEN = 8
"""Frames spread evenly over the clip, for sharpness, quality and identity."""
CROP = 512
GREY = 128
WHOLE_SIDE = 1024
LIPS = 224
SPEAKER = 112


BARS = ("bar_left", "bar_top", "bar_right", "bar_bottom")
WINDOW = ("crop_left", "crop_top", "crop_side", *BARS)
"""The columns that a crop window is made of."""
TRACK = ("start_seconds", "end_seconds", "face_times", "face_boxes", "face_points")
"""The columns that a face's track is made of."""
CLIP_CROPS = Cache("clip_crops", needs=(*WINDOW, *TRACK))
MESHES = Cache("meshes", needs=CLIP_CROPS.needs)
"""The face's mesh at every frame, which costs a network."""
LIP_CROPS = Cache("lip_crops", needs=CLIP_CROPS.needs)
"""The face at every frame for SyncNet: large, so that it is kept only where a stage reads it."""
SPEAKER_CROPS = Cache("speaker_crops", needs=CLIP_CROPS.needs)
"""The face at every frame in grey, for who speaks: the middle of SyncNet's crop."""


@dataclass(frozen=True)
class ClipCrops:
    """What is kept of a clip. All arrays are uint8; pictures are RGB."""

    crops: Pictures
    """(8, 512, 512, 3): the crop window at the chosen frames."""
    wholes: Pictures
    """(8, H, W, 3): whole frames, at most 1024 px on the longer side."""
    greys: Pictures
    """(T, 128, 128): the crop window in grey, 25 a second."""
    aligned: Pictures
    """(K, 112, 112, 3): faces aligned by their five points; K = 0 without points."""


@dataclass(frozen=True)
class SampledFace:
    """A clip's face at 25 fps: smoothed crops, and points (T, 5, 2) in source pixels or None."""

    path: CropPath
    points: npt.NDArray[np.float64] | None


def ensure_clip_crops(item: Item, place: Workplace) -> ClipCrops:
    """The crops of a clip, decoded if they are not in the cache."""
    path = CLIP_CROPS.folder(item, place) / "crops.npz"
    if not path.exists():
        _decode_once(item, place)
    with np.load(path, allow_pickle=False) as data:
        return ClipCrops(**{name: data[name] for name in data.files})


def ensure_lip_crops(item: Item, place: Workplace) -> Pictures:
    """(T, 224, 224, 3) uint8 in B, G, R order, as SyncNet takes them; a memory map."""
    path = LIP_CROPS.folder(item, place) / "lips.npy"
    if not path.exists():
        _decode_once(item, place, LIP_CROPS)
    lips: Pictures = np.load(path, mmap_mode="r", allow_pickle=False)
    return lips


def ensure_meshes(item: Item, place: Workplace) -> ClipMeshes:
    """The meshes of a clip, decoded if they are not in the cache."""
    path = MESHES.folder(item, place) / "meshes.npz"
    if not path.exists():
        _decode_once(item, place, MESHES)
    with np.load(path, allow_pickle=False) as data:
        return ClipMeshes(**{name: data[name] for name in data.files})


def ensure_speaker_crops(item: Item, place: Workplace) -> Pictures:
    """(T, 112, 112) uint8 grey, 25 a second, as LR-ASD takes them; decoded if not in the cache."""
    path = SPEAKER_CROPS.folder(item, place) / "faces.npy"
    if not path.exists():
        _decode_once(item, place, SPEAKER_CROPS)
    faces: Pictures = np.load(path, allow_pickle=False)
    return faces


def track_of(item: Item, count: int) -> SampledFace:
    """The sampled face track at 25 fps, smoothed as for SyncNet (median of 13, ends held)."""
    times = np.asarray(item.values["face_times"], dtype=float)
    boxes = np.asarray(item.values["face_boxes"], dtype=float).reshape(-1, 4)
    start = number(item, "start_seconds")
    path = crop_path(interpolate(times, boxes, start, count, RATE), ends="edge")
    flat = item.values.get("face_points")
    if not flat:
        return SampledFace(path, None)
    sampled = np.asarray(flat, dtype=float).reshape(len(times), 10)
    times_T = start + np.arange(count) / RATE
    points = np.stack([np.interp(times_T, times, column) for column in sampled.T], axis=1)
    return SampledFace(path, points.reshape(count, 5, 2))


def window_of(item: Item) -> Window:
    """The clip's fixed square crop window, in displayed source pixels, less the source's bars."""
    left, top, right, bottom = (int(item.values.get(name) or 0) for name in BARS)  # type: ignore[arg-type]
    return Window(
        int(number(item, "crop_left")),
        int(number(item, "crop_top")),
        int(number(item, "crop_side")),
        (left, top, right, bottom),
    )


def _decode_once(item: Item, place: Workplace, first: Cache = CLIP_CROPS) -> None:
    """Fill this cache, and those that other stages of the plan read, in one decode."""
    lips, meshes, speaker = (
        cache is first or cache.name in place.caches for cache in (LIP_CROPS, MESHES, SPEAKER_CROPS)
    )
    start, end = number(item, "start_seconds"), number(item, "end_seconds")
    count = max(1, round((end - start) * RATE))
    track, window = track_of(item, count), window_of(item)
    indices = sorted({int((part + 0.5) * count / CHOSEN) for part in range(CHOSEN)})
    kept = _Kept(window, track, frozenset(indices))
    trail = MeshTrail() if meshes else None
    faces_THW: list[Pictures] = []
    pictures = frames(media_file(item, place), start=start, end=end, fps=RATE)
    lips_path = LIP_CROPS.folder(item, place) / "lips.npy"
    with _lips_file(lips_path, count if lips else 0) as lips_NHWC:
        seen = 0
        for index, frame in enumerate(pictures):
            if index >= count:
                break
            kept.take(index, frame)
            if trail is not None:
                trail.take(frame.rgb, _face_region(track, index))
            if lips or speaker:
                crop = _lip_crop(frame, track.path, index)
                if lips_NHWC is not None:
                    lips_NHWC[index] = crop
                if speaker:
                    faces_THW.append(_speaker_crop(crop))
            seen = index + 1
        if seen == 0:
            raise ItemRejected("undecodable", "no picture decodes in the clip's span")
        if lips_NHWC is not None and seen < count:
            lips_NHWC[seen:] = lips_NHWC[seen - 1]
    if speaker:
        with (
            atomic_path(SPEAKER_CROPS.folder(item, place) / "faces.npy") as temporary,
            temporary.open("wb") as stream,
        ):
            np.save(stream, np.stack(faces_THW))
    if trail is not None:
        with atomic_path(MESHES.folder(item, place) / "meshes.npz") as temporary:
            np.savez(temporary, **trail.arrays())
    with atomic_path(CLIP_CROPS.folder(item, place) / "crops.npz") as temporary:
        np.savez(temporary, **kept.arrays())


class _Kept:
    """Collects the crops while the frames stream by."""

    def __init__(self, window: Window, track: SampledFace, indices: frozenset[int]) -> None:
        self.window, self.track, self.chosen = window, track, indices
        self.crops: list[Pictures] = []
        self.wholes: list[Pictures] = []
        self.greys: list[Pictures] = []
        self.aligned: list[Pictures] = []

    def take(self, index: int, frame: Frame) -> None:
        """Keep of one frame what is wanted of it."""
        rgb = frame.rgb
        self.greys.append(cv2.cvtColor(crop_padded(rgb, self.window, GREY), cv2.COLOR_RGB2GRAY))
        if index in self.chosen:
            self.crops.append(crop_padded(rgb, self.window, CROP))
            self.wholes.append(_whole(rgb))
            if self.track.points is not None:
                self.aligned.append(align(rgb, self.track.points[index]))

    def arrays(self) -> dict[str, Any]:
        """The crops as arrays; fewer pictures where the source ended early."""
        empty = np.zeros((0, 112, 112, 3), np.uint8)
        return {
            "crops": np.stack(self.crops) if self.crops else np.zeros((0, CROP, CROP, 3), np.uint8),
            "wholes": np.stack(self.wholes) if self.wholes else np.zeros((0, 1, 1, 3), np.uint8),
            "greys": np.stack(self.greys),
            "aligned": np.stack(self.aligned) if self.aligned else empty,
        }


def _face_region(track: SampledFace, index: int) -> Region:
    """Where the detector has the face at one frame."""
    if track.points is not None:
        return region_of_points(track.points[index])
    path = track.path
    x, y, half = path.x_T[index], path.y_T[index], path.half_T[index]
    return region_of_box(np.array([x - half, y - half, x + half, y + half]))


def _whole(rgb: Pictures) -> Pictures:
    height, width = rgb.shape[:2]
    scale = min(1.0, WHOLE_SIDE / max(height, width))
    if scale == 1.0:
        return rgb
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    return np.asarray(cv2.resize(rgb, size, interpolation=cv2.INTER_AREA))


def _lip_crop(frame: Frame, path: CropPath, index: int) -> Pictures:
    centre = (float(path.x_T[index]), float(path.y_T[index]))
    return crop_square(frame.rgb[:, :, ::-1], centre, max(1.0, float(path.half_T[index])))


def _speaker_crop(lips_bgr_HWC: Pictures) -> Pictures:
    """The middle half of SyncNet's crop, in grey."""
    grey: Pictures = cv2.cvtColor(lips_bgr_HWC, cv2.COLOR_BGR2GRAY)
    edge = (LIPS - SPEAKER) // 2
    return grey[edge : edge + SPEAKER, edge : edge + SPEAKER]


@contextmanager
def _lips_file(path: Path, count: int) -> Iterator[Any]:
    """A writable memory map of ``count`` crops with a temporary name; None when none are wanted."""
    if not count:
        yield None
        return
    with atomic_path(path) as temporary:
        array = np.lib.format.open_memmap(
            temporary, mode="w+", dtype=np.uint8, shape=(count, LIPS, LIPS, 3)
        )
        yield array
        array.flush()
        del array
