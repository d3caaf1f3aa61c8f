"""A talking head, frame by frame: a person out of the photograph, whose mouth, lids and head move.

Coordinates are pixels of the photograph unless a name says otherwise. Knows nothing of files,
languages or sound.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import lru_cache

import cv2
import numpy as np
import numpy.typing as npt

from talkingface_wild.pipelines.demo.face_paint import painted
from talkingface_wild.pipelines.demo.face_shape import shape_map
from talkingface_wild.pipelines.demo.mouth_and_lids import (
    LID_LEVELS,
    MOUTH_LEVELS,
    lid_warp,
    mouth_warp,
)
from talkingface_wild.pipelines.demo.person import Person
from talkingface_wild.pipelines.demo.photograph import (
    ENLARGE,
    EYES,
    FACE,
    HAIR,
    LEFT,
    MOUTH_CENTRE,
    SUIT,
    TOP,
    Grid,
    Picture,
    area,
    positions,
    smooth_step,
    texture,
)


@dataclass(frozen=True)
class Look:
    """How one take differs from the others: who it is, in which suit, before what, how near."""

    suit_hue: int = 8
    """Hue of the suit, 0–179 as in OpenCV; 8 is its own orange."""
    backdrop: tuple[float, float, float] = (1.0, 1.0, 1.0)
    """Gains of red, green and blue around the head."""
    flip: bool = False
    view_width: float = 220.0
    """How much of the photograph the picture's width shows; smaller is closer."""
    shift: float = 0.0
    """The head's place beside the middle."""
    blur_sigma: float = 0.0
    """Gaussian blur of the finished picture, in its pixels."""
    person: Person = field(default_factory=Person)


def frames(
    look: Look, opening_T: npt.NDArray[np.float64], width: int, height: int, seed: int
) -> Iterator[Picture]:
    """One RGB frame (height, width, 3) per value of ``opening_T`` (0 closed … 1 open), 25 a second.

    The head sways and nods slowly, more while it speaks, and blinks every few seconds; all of it
    follows from ``seed`` alone.
    """
    count = len(opening_T)
    lids_T = _blinks(count, seed)
    sway_T3 = _sway(opening_T, seed)
    still = _still_texture(look.person, look.suit_hue, look.backdrop)
    base_x, base_y, weight = _view(look, width, height)
    for opening, lid, (dx, dy, turn) in zip(opening_T, lids_T, sway_T3, strict=True):
        moved = still.copy()
        mouth_warp(round(float(opening) * (MOUTH_LEVELS - 1))).apply(moved)
        level = round(float(lid) * (LID_LEVELS - 1))
        for eye in range(len(EYES) if level else 0):
            lid_warp(eye, level).apply(moved)
        map_x = base_x + weight * (dx + turn * (base_y - 170 * ENLARGE))
        map_y = base_y + weight * (dy - turn * (base_x - (MOUTH_CENTRE - LEFT) * ENLARGE))
        picture = cv2.remap(moved, map_x, map_y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
        if look.blur_sigma:
            picture = cv2.GaussianBlur(picture, (0, 0), look.blur_sigma)
        yield cv2.flip(picture, 1) if look.flip else picture


def side_by_side(left: Iterator[Picture], right: Iterator[Picture]) -> Iterator[Picture]:
    """Two streams of frames of one height as one, for a picture with two faces."""
    for first, second in zip(left, right, strict=True):
        yield np.concatenate([first, second], axis=1)


def pan(photograph: Picture, count: int, width: int, height: int) -> Iterator[Picture]:
    """``count`` frames of a slow pan over a photograph without a person."""
    scale = 1.15 * max(width / photograph.shape[1], height / photograph.shape[0])
    wide = cv2.resize(photograph, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    room_x, room_y = wide.shape[1] - width, wide.shape[0] - height
    for position in np.linspace(0.1, 0.9, count):
        matrix = np.array([[1, 0, position * room_x], [0, 1, position * room_y]], dtype=np.float32)
        flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
        yield cv2.warpAffine(wide, matrix, (width, height), flags=flags)


def _blinks(count: int, seed: int) -> npt.NDArray[np.float64]:
    """How far the lids are down in each frame, 0–1: a blink of six frames every 2–4 s."""
    random = np.random.default_rng(seed)
    lids_T = np.zeros(count)
    start = int(random.integers(20, 60))
    shape = np.array([0.4, 1.0, 1.0, 0.8, 0.5, 0.2])
    while start + len(shape) < count:
        lids_T[start : start + len(shape)] = shape
        start += int(random.integers(50, 100))
    return lids_T


def _sway(opening_T: npt.NDArray[np.float64], seed: int) -> Grid:
    """(T, 3): shift in x and y (texture pixels) and turn (radians) of the head."""
    random = np.random.default_rng(seed + 1)
    seconds = np.arange(len(opening_T)) / 25
    motion = np.zeros((len(opening_T), 3))
    for axis, size in enumerate((3.0, 1.8, 0.022)):
        for hertz in (0.17, 0.31, 0.53):
            speed = hertz * random.uniform(0.8, 1.25)
            phase = random.uniform(0, 2 * np.pi)
            motion[:, axis] += size / 2 * np.sin(2 * np.pi * speed * seconds + phase)
    nod = np.convolve(opening_T, np.hanning(15) / np.hanning(15).sum(), mode="same")
    motion[:, 1] -= 2.5 * nod
    return motion.astype(np.float32)


@lru_cache(maxsize=16)
def _view(look: Look, width: int, height: int) -> tuple[Grid, Grid, Grid]:
    """Texture coordinates of each pixel, and how much it follows the head (face 1, far 0)."""
    scale = look.view_width / width
    columns = (np.arange(width, dtype=np.float32) - width / 2) * scale + MOUTH_CENTRE + look.shift
    rows = (np.arange(height, dtype=np.float32) - height / 2) * scale + max(
        118, height / 2 * scale + 3
    )
    across, down = np.meshgrid((columns - LEFT) * ENLARGE, (rows - TOP) * ENLARGE)
    away_x, away_y = (
        cv2.remap(away, across, down, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
        for away in shape_map(look.person)
    )
    map_x, map_y = across + away_x * ENLARGE, down + away_y * ENLARGE
    x, y = map_x / ENLARGE + LEFT, map_y / ENLARGE + TOP
    distance = np.hypot((x - 226) / 78, (y - 95) / 95)
    weight = smooth_step((1.55 - distance) / 0.6) * smooth_step((220 - y) / 50)
    x_map, y_map, weight_map = (
        np.ascontiguousarray(grid, dtype=np.float32) for grid in (map_x, map_y, weight)
    )
    return x_map, y_map, weight_map


@lru_cache(maxsize=8)
def _still_texture(person: Person, suit_hue: int, backdrop: tuple[float, float, float]) -> Picture:
    """The person's texture with the suit's hue and the backdrop's colour changed."""
    picture = texture()
    _, y = positions()
    hsv = cv2.cvtColor(picture, cv2.COLOR_RGB2HSV)
    plain = ((hsv[..., 1] < 75) & (hsv[..., 2] > 110)).astype(np.float32)
    orange = (hsv[..., 0] < 18) & (hsv[..., 1] > 120) & (y > 192)
    hsv[..., 0] = np.where(orange, (hsv[..., 0].astype(int) + suit_hue - 8) % 180, hsv[..., 0])
    hsv[..., 1] = np.where(orange, hsv[..., 1] * (1.0 if suit_hue == 8 else 0.7), hsv[..., 1])
    suited = cv2.cvtColor(hsv, cv2.COLOR_HSV2RGB)
    plain = cv2.GaussianBlur(cv2.medianBlur(plain, 5), (0, 0), 1.5)
    for outline in (HAIR, FACE, SUIT):
        plain *= 1 - area(outline, 0.8)
    gains = 1 + plain[..., None] * (np.asarray(backdrop, dtype=np.float32) - 1)
    coloured = np.clip(suited * gains, 0, 255).astype(np.uint8)
    return painted(coloured, person)
