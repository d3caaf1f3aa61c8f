"""The one photograph of a face that all drawn persons come from, and where its parts lie.

scikit-image's astronaut, by NASA. Coordinates are pixels of the photograph.
"""

from functools import lru_cache

import cv2
import numpy as np
import numpy.typing as npt
import skimage.data

Picture = npt.NDArray[np.uint8]
Grid = npt.NDArray[np.float32]
Floats = npt.NDArray[np.floating]
Point = tuple[float, float]

ENLARGE = 2
"""Texture pixels per pixel of the photograph; the head is small in it."""
LEFT, TOP, RIGHT, BOTTOM = 56, 0, 392, 300
"""The part of the photograph that a view may show."""
MOUTH_CENTRE, MOUTH_HALF = 223.5, 20.5
EYES = ((201.8, 10.5, 96.0, 106.0), (248.4, 11.0, 98.0, 107.2))
"""Centre, half width, upper and lower edge of the two eyes."""
LICENCE = "public domain (NASA photograph of Eileen Collins, as shipped by scikit-image)"

LANDMARKS: dict[str, Point] = {
    "eye_left": (201.8, 101.0),
    "eye_right": (248.4, 102.6),
    "brow_left": (200.0, 90.0),
    "brow_right": (251.0, 92.5),
    "bridge": (225.0, 98.0),
    "nose": (224.0, 127.0),
    "wing_left": (212.0, 125.0),
    "wing_right": (236.0, 125.5),
    "mouth_left": (203.0, 140.8),
    "mouth_right": (244.0, 140.8),
    "lip": (223.5, 154.0),
    "chin": (223.0, 178.0),
    "chin_left": (205.0, 173.0),
    "chin_right": (241.0, 173.0),
    "jaw_left": (188.0, 152.0),
    "jaw_right": (259.5, 152.0),
    "cheek_left": (180.0, 122.0),
    "cheek_right": (267.0, 122.0),
    "temple_left": (184.0, 92.0),
    "temple_right": (265.0, 94.0),
    "hairline": (224.0, 79.0),
    "crown": (230.0, 15.0),
    "crown_left": (185.0, 37.0),
    "crown_right": (279.0, 34.0),
    "hair_left": (154.0, 72.0),
    "hair_right": (300.0, 76.0),
    "hair_end_left": (163.0, 112.0),
    "hair_end_right": (288.0, 116.0),
}
"""Points that a person's face moves."""
HAIR: tuple[Point, ...] = (
    (174, 122), (165, 113), (158, 101), (153, 82), (154, 64), (161, 52), (174, 42), (187, 36),
    (192, 28), (205, 20), (222, 14), (240, 14), (256, 19), (273, 28), (286, 38), (295, 52),
    (300, 68), (302, 84), (298, 99), (291, 112), (281, 125), (271, 129), (268, 118), (268, 104),
    (264, 91), (258, 86), (248, 81), (236, 80), (224, 79), (210, 78), (196, 76), (188, 72),
    (185, 80), (183, 92), (180, 106), (179, 118),
)  # fmt: skip
"""Outline of the hair."""
FACE: tuple[Point, ...] = (
    (184, 90), (186, 78), (196, 77), (224, 80), (248, 82), (260, 88), (267, 100), (268, 118),
    (272, 130), (268, 136), (262, 137), (260, 155), (256, 170), (254, 182), (240, 190), (222, 188),
    (205, 184), (190, 176), (186, 158), (183, 134), (176, 126), (176, 118), (181, 110),
)  # fmt: skip
"""Outline of face and neck."""
SUIT: tuple[Point, ...] = (
    (40, 310), (40, 258), (74, 234), (95, 222), (114, 208), (112, 188), (122, 184), (126, 172),
    (140, 159), (158, 150), (172, 147), (186, 149), (190, 176), (222, 186), (254, 180), (256, 171),
    (269, 176), (285, 192), (298, 213), (306, 236), (330, 250), (346, 268), (357, 310),
)  # fmt: skip
"""Outline of what the body wears."""


def positions() -> tuple[Grid, Grid]:
    """Columns and rows in the photograph of each texture pixel."""
    rows, columns = (BOTTOM - TOP) * ENLARGE, (RIGHT - LEFT) * ENLARGE
    y, x = np.mgrid[0:rows, 0:columns].astype(np.float32) / ENLARGE
    return x + LEFT, y + TOP


def area(outline: tuple[Point, ...], softness: float) -> Grid:
    """1 inside an outline and 0 outside, in texture pixels; ``softness`` is the blur's sigma."""
    corners = (np.array(outline) - (LEFT, TOP)) * ENLARGE
    mask = np.zeros(((BOTTOM - TOP) * ENLARGE, (RIGHT - LEFT) * ENLARGE), dtype=np.float32)
    cv2.fillPoly(mask, [np.round(corners).astype(np.int32)], 1.0)
    return np.asarray(cv2.GaussianBlur(mask, (0, 0), softness * ENLARGE), dtype=np.float32)


@lru_cache(maxsize=1)
def texture() -> Picture:
    """The part of the photograph that a view may show, enlarged and sharpened; read only."""
    photograph = skimage.data.astronaut()[TOP:BOTTOM, LEFT:RIGHT]
    size = ((RIGHT - LEFT) * ENLARGE, (BOTTOM - TOP) * ENLARGE)
    picture = cv2.resize(photograph, size, interpolation=cv2.INTER_CUBIC)
    soft = cv2.GaussianBlur(picture, (0, 0), 1.6)
    sharp: Picture = cv2.addWeighted(picture, 1.8, soft, -0.8, 0)
    sharp.setflags(write=False)
    return sharp


def smooth_step(value: Floats) -> Floats:
    """0 below 0, 1 above 1, and a smooth rise between."""
    ramp = np.clip(value, 0, 1)
    return ramp * ramp * (3 - 2 * ramp)
