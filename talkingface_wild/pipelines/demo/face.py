"""A talking head out of one photograph (scikit-image's astronaut, by NASA), frame by frame.

Mouth, eyelids and head are moved by smooth local warps. Coordinates are pixels of the photograph
unless a name says otherwise. Knows nothing of files, languages or sound.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

import cv2
import numpy as np
import numpy.typing as npt
import skimage.data

Picture = npt.NDArray[np.uint8]
Grid = npt.NDArray[np.float32]
Floats = npt.NDArray[np.floating]

ENLARGE = 2
"""Texture pixels per pixel of the photograph; the head is small in it."""
LEFT, TOP, RIGHT, BOTTOM = 56, 0, 392, 300
"""The part of the photograph that a view may show."""
MOUTH_CENTRE, MOUTH_HALF = 223.5, 20.5
EYES = ((201.8, 10.5, 96.0, 106.0), (248.4, 11.0, 98.0, 107.2))
"""Centre, half width, upper and lower edge of the two eyes."""
MOUTH_LEVELS, LID_LEVELS = 24, 4
LICENCE = "public domain (NASA photograph of Eileen Collins, as shipped by scikit-image)"


@dataclass(frozen=True)
class Look:
    """How one take differs from the others, though the person is the same."""

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
    still = _backdrop_texture(look.suit_hue, look.backdrop)
    base_x, base_y, weight = _view(look, width, height)
    for opening, lid, (dx, dy, turn) in zip(opening_T, lids_T, sway_T3, strict=True):
        texture = still.copy()
        _mouth_warp(round(float(opening) * (MOUTH_LEVELS - 1))).apply(texture)
        level = round(float(lid) * (LID_LEVELS - 1))
        for eye in range(len(EYES) if level else 0):
            _lid_warp(eye, level).apply(texture)
        map_x = base_x + weight * (dx + turn * (base_y - 170 * ENLARGE))
        map_y = base_y + weight * (dy - turn * (base_x - (MOUTH_CENTRE - LEFT) * ENLARGE))
        picture = cv2.remap(
            texture, map_x, map_y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
        )
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
    x, y = np.meshgrid(columns, rows)
    distance = np.hypot((x - 226) / 78, (y - 95) / 95)
    weight = _smooth_step((1.55 - distance) / 0.6) * _smooth_step((220 - y) / 50)
    grids = ((x - LEFT) * ENLARGE, (y - TOP) * ENLARGE, weight)
    x_map, y_map, weight_map = (np.ascontiguousarray(grid, dtype=np.float32) for grid in grids)
    return x_map, y_map, weight_map


@lru_cache(maxsize=8)
def _backdrop_texture(suit_hue: int, backdrop: tuple[float, float, float]) -> Picture:
    """The enlarged photograph with the suit's hue and the backdrop's colour changed."""
    photograph = skimage.data.astronaut()[TOP:BOTTOM, LEFT:RIGHT]
    size = ((RIGHT - LEFT) * ENLARGE, (BOTTOM - TOP) * ENLARGE)
    picture = cv2.resize(photograph, size, interpolation=cv2.INTER_CUBIC)
    soft = cv2.GaussianBlur(picture, (0, 0), 1.6)
    picture = cv2.addWeighted(picture, 1.8, soft, -0.8, 0)
    y, x = np.mgrid[0 : size[1], 0 : size[0]].astype(np.float32) / ENLARGE
    x, y = x + LEFT, y + TOP
    hsv = cv2.cvtColor(picture, cv2.COLOR_RGB2HSV)
    orange = (hsv[..., 0] < 18) & (hsv[..., 1] > 120) & (y > 192)
    hsv[..., 0] = np.where(orange, (hsv[..., 0].astype(int) + suit_hue - 8) % 180, hsv[..., 0])
    hsv[..., 1] = np.where(orange, hsv[..., 1] * (1.0 if suit_hue == 8 else 0.7), hsv[..., 1])
    picture = cv2.cvtColor(hsv, cv2.COLOR_HSV2RGB)
    plain = ((hsv[..., 1] < 75) & (hsv[..., 2] > 110)).astype(np.float32)
    plain = cv2.GaussianBlur(cv2.medianBlur(plain, 5), (0, 0), 1.5)
    plain *= _smooth_step((np.hypot((x - 224) / 49, (y - 120) / 62) - 1) / 0.1)
    plain *= _smooth_step((np.hypot((x - 227) / 70, (y - 66) / 46) - 1) / 0.1)
    plain *= _smooth_step((np.hypot((x - 212) / 93, (y - 215 - 0.25 * (x - 212)) / 66) - 1) / 0.05)
    gains = 1 + plain[..., None] * (np.asarray(backdrop, dtype=np.float32) - 1)
    coloured: Picture = np.clip(picture * gains, 0, 255).astype(np.uint8)
    return coloured


@dataclass(frozen=True)
class _Warp:
    """A local redrawing of the texture: its place, where its pixels come from, paint over them."""

    rows: slice
    columns: slice
    map_x: Grid
    map_y: Grid
    paint: Grid | None = None
    """Colour × alpha, (rows, columns, 3)."""
    clear: Grid | None = None
    """1 − alpha, (rows, columns, 1)."""

    def apply(self, picture: Picture) -> None:
        """Redraw the area in place."""
        area = picture[self.rows, self.columns]
        moved = cv2.remap(picture, self.map_x, self.map_y, cv2.INTER_LINEAR)
        if self.paint is not None and self.clear is not None:
            moved = (moved * self.clear + self.paint).astype(np.uint8)
        area[:] = moved


@lru_cache(maxsize=MOUTH_LEVELS)
def _mouth_warp(level: int) -> _Warp:
    """Lips and jaw at one level: below 0.35 the teeth are half covered, above it the jaw drops."""
    opening = level / (MOUTH_LEVELS - 1)
    teeth = 0.3 + 0.7 * min(1.0, opening / 0.35)
    gap = 10.0 * max(0.0, opening - 0.3) / 0.7
    columns = np.arange(MOUTH_CENTRE - 46, MOUTH_CENTRE + 46, 1 / ENLARGE)
    rows = np.arange(126.0, 214.0, 1 / ENLARGE)
    arch = np.clip(1 - ((columns - MOUTH_CENTRE) / MOUTH_HALF) ** 2, 0, 1)
    jaw = 0.5 + 0.5 * np.cos(np.pi * np.clip((columns - MOUTH_CENTRE) / 44, -1, 1))
    upper, lower = 140.8 + 3.6 * arch, 140.9 + 9.2 * arch
    covered = (1 - teeth) * (lower - upper)
    lip = upper + 0.3 * covered
    inner_top = lip + teeth * (lower - upper)
    inner_bottom = inner_top + gap * arch
    chin = 177 + jaw * (0.7 * gap - 2.0 * (1 - teeth))
    fixed = np.ones_like(columns)
    source_rows = np.stack([126 * fixed, upper, lower, lower, 177 * fixed, 214 * fixed])
    target_rows = np.stack([126 * fixed, lip, inner_top, inner_bottom, chin, 214 * fixed])
    inside = np.clip((rows[:, None] - inner_top) * 1.2, 0, 1)
    inside = (inside * np.clip((inner_bottom - rows[:, None]) * 1.2, 0, 1))[..., None]
    depth = np.clip((rows[:, None] - inner_top) / np.maximum(gap * arch, 0.5), 0, 1)
    tongue = (_smooth_step((depth - 0.45) / 0.4) * arch)[..., None]
    colour = (1 - tongue) * (46, 14, 16) + tongue * (150, 66, 66)
    return _row_warp(columns, rows, target_rows, source_rows, inside * colour, 1 - inside)


@lru_cache(maxsize=len(EYES) * LID_LEVELS)
def _lid_warp(eye: int, level: int) -> _Warp:
    """The skin above one eye drawn down over it."""
    centre, half, top, bottom = EYES[eye]
    columns = np.arange(centre - half - 2, centre + half + 2, 1 / ENLARGE)
    rows = np.arange(90.0, 114.0, 1 / ENLARGE)
    arch = np.clip(1 - ((columns - centre) / half) ** 2, 0, 1)
    middle = top + 0.65 * (bottom - top)
    upper, lower = middle - (middle - top) * arch, middle + (bottom - middle) * arch + 0.1
    lid = upper + 0.85 * level / (LID_LEVELS - 1) * (lower - upper)
    fixed = np.ones_like(columns)
    source_rows = np.stack([90 * fixed, upper, lower, 114 * fixed])
    target_rows = np.stack([90 * fixed, lid, lower, 114 * fixed])
    return _row_warp(columns, rows, target_rows, source_rows)


def _row_warp(
    columns: Floats,
    rows: Floats,
    target_rows: Floats,
    source_rows: Floats,
    paint: Floats | None = None,
    alpha_left: Floats | None = None,
) -> _Warp:
    """The warp that brings ``source_rows`` (knots, columns) to ``target_rows``."""
    map_y = np.empty((len(rows), len(columns)), dtype=np.float32)
    step = 1e-3 * np.arange(len(source_rows))
    for index in range(len(columns)):
        map_y[:, index] = np.interp(rows, target_rows[:, index] + step, source_rows[:, index])
    left, top = round((columns[0] - LEFT) * ENLARGE), round((rows[0] - TOP) * ENLARGE)
    map_x = np.broadcast_to((columns - LEFT) * ENLARGE, map_y.shape)
    return _Warp(
        slice(top, top + len(rows)),
        slice(left, left + len(columns)),
        map_x.astype(np.float32),
        (map_y - TOP) * ENLARGE,
        None if paint is None else paint.astype(np.float32),
        None if alpha_left is None else alpha_left.astype(np.float32),
    )


def _smooth_step(value: Floats) -> Floats:
    """0 below 0, 1 above 1, and a smooth rise between."""
    ramp = np.clip(value, 0, 1)
    return ramp * ramp * (3 - 2 * ramp)
