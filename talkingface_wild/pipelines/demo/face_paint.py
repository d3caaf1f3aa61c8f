"""The photograph in a person's colours: skin, hair, brows, beard and glasses. Moves nothing."""

import cv2
import numpy as np

from talkingface_wild.pipelines.demo.face_shape import landmarks_of, shape_map
from talkingface_wild.pipelines.demo.person import Person
from talkingface_wild.pipelines.demo.photograph import (
    ENLARGE,
    FACE,
    HAIR,
    LEFT,
    TOP,
    Grid,
    Picture,
    Point,
    area,
    smooth_step,
)

BEARD: tuple[Point, ...] = (
    (180, 118), (187, 126), (192, 138), (200, 146), (206, 152), (216, 158), (231, 158), (241, 152),
    (247, 146), (254, 138), (260, 126), (268, 118), (266, 140), (262, 160), (252, 174), (240, 182),
    (223, 184), (206, 181), (194, 172), (186, 158), (182, 138),
)  # fmt: skip
MOUSTACHE: tuple[Point, ...] = (
    (201, 141), (204, 136), (212, 131), (223.5, 130), (235, 131), (243, 136), (246, 141),
    (236, 139.5), (223.5, 138.5), (211, 139.5),
)  # fmt: skip
BROWS: tuple[tuple[Point, ...], ...] = (
    ((189, 95), (193, 89.5), (201, 87), (213, 89.5), (213, 92.5), (201, 91), (194, 93)),
    ((262, 97.5), (258, 92), (250, 89.5), (237, 91), (237, 94), (250, 93.5), (257, 95.5)),
)

_FINE = 2
"""Pixels of the mask in which glasses are drawn, to one of the texture."""


def painted(picture: Picture, person: Person) -> Picture:
    """The texture in the person's colours."""
    colours = picture.astype(np.float32)
    hair, skin = area(HAIR, 1.5), area(FACE, 1.5)
    skin = skin * (1 - hair) * _skin_like(picture)
    colours = _tinted(colours, skin, person.skin, 0.0)
    colours = _tinted(colours, hair * (1 - skin), person.hair, person.hair_grey)
    grain = cv2.GaussianBlur(
        np.random.default_rng(11).normal(0, 1, picture.shape[:2]).astype(np.float32), (0, 0), 1.0
    )
    dark = np.array((52.0, 40.0, 34.0)) * np.array(person.hair) * (1 - 0.3 * person.hair_grey)
    dark = dark + 110 * person.hair_grey * max(0.0, person.hair[0] - 1)
    for outline, strength, softness in (
        (BEARD, person.beard, 2.5),
        (MOUSTACHE, person.moustache, 1.2),
        *((brow, person.brows, 0.8) for brow in BROWS),
    ):
        if strength:
            cover = (area(outline, softness) * strength * (0.85 + 0.6 * grain))[..., None]
            cover = np.clip(cover, 0, 1)
            colours = colours * (1 - cover) + dark.astype(np.float32) * cover
    if person.glasses:
        cover = (_rims(person) * person.glasses)[..., None]
        colours = colours * (1 - cover) + np.float32(28) * cover
    whole: Picture = np.clip(colours, 0, 255).astype(np.uint8)
    return whole


def _tinted(colours: Grid, mask: Grid, gains: tuple[float, float, float], grey: float) -> Grid:
    """Colours under a mask, first drained to grey, then multiplied."""
    drained = colours + grey * (colours.mean(axis=2, keepdims=True) - colours)
    change = drained * np.array(gains, dtype=np.float32) - colours
    return np.asarray(colours + mask[..., None] * change, dtype=np.float32)


def _skin_like(picture: Picture) -> Grid:
    """1 where a pixel is neither eye nor tooth: reddish rather than grey."""
    red, blue = picture[..., 0].astype(np.float32), picture[..., 2].astype(np.float32)
    like = smooth_step((red - blue - 8) / 18).astype(np.float32)
    return np.asarray(cv2.GaussianBlur(like, (0, 0), 1.5), dtype=np.float32)


def _rims(person: Person) -> Grid:
    """Where in the photograph rims, bridge and bows lie that the person wears as circles, 0–1."""
    away_x, away_y = shape_map(person)
    rows, columns = away_x.shape
    mask = np.zeros((rows * _FINE, columns * _FINE), dtype=np.uint8)
    landmarks = landmarks_of(person)
    left, right = (np.add(landmarks[name], (0, 1.5)) for name in ("eye_left", "eye_right"))
    turn = np.linspace(0, 2 * np.pi, 73)
    circle = np.stack([17 * np.cos(turn), 13.5 * np.sin(turn)], axis=1)
    ends = (
        (np.add(left, (17, -1)), np.add(right, (-17, -1))),
        (np.add(left, (-17, -3)), np.add(left, (-27, -5))),
        (np.add(right, (17, -3)), np.add(right, (27, -5))),
    )
    lines = [left + circle, right + circle, *(np.linspace(*pair, 12) for pair in ends)]
    for line in lines:
        at = ((line - (LEFT, TOP)) * ENLARGE).astype(np.float32)
        away = [
            cv2.remap(grid, at[:, :1], at[:, 1:], cv2.INTER_LINEAR) for grid in (away_x, away_y)
        ]
        there = (line + np.hstack(away) - (LEFT, TOP)) * ENLARGE * _FINE
        cv2.polylines(mask, [np.round(there).astype(np.int32)], False, 255, 3 * _FINE, cv2.LINE_AA)
    small = cv2.resize(mask, (columns, rows), interpolation=cv2.INTER_AREA)
    return np.asarray(small / 255, dtype=np.float32)
