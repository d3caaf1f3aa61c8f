"""Where in the photograph a person's face takes its pixels from: a thin-plate spline (Bookstein,
1989) through landmarks that the person's proportions move.
"""

from functools import lru_cache

import cv2
import numpy as np
from scipy.interpolate import RBFInterpolator

from talkingface_wild.pipelines.demo.person import Person
from talkingface_wild.pipelines.demo.photograph import (
    BOTTOM,
    ENLARGE,
    LANDMARKS,
    LEFT,
    RIGHT,
    TOP,
    Floats,
    Grid,
)

MIDDLE = 224.0
"""x of the face's middle, in pixels of the photograph."""
_STEP = 8
"""Pixels of the photograph between two points at which the spline is taken."""


def landmarks_of(person: Person) -> dict[str, tuple[float, float]]:
    """Where the person's landmarks lie, in pixels of the photograph."""
    moved: dict[str, tuple[float, float]] = {}
    for name, (x, y) in LANDMARKS.items():
        across, down = x - MIDDLE, y
        if name.startswith(("cheek", "temple")):
            across *= person.face_width
        elif name.startswith(("jaw", "chin")):
            across *= person.face_width * person.jaw_width
            down += person.chin * (1.0 if name.startswith("chin") else 0.5)
        elif name.startswith("eye"):
            across *= person.eye_distance
        elif name.startswith("brow"):
            across *= person.eye_distance
            down -= person.brow
        elif name.startswith("wing"):
            across *= person.nose_width
            down += person.nose_length
        elif name == "nose":
            down += person.nose_length
        elif name.startswith(("mouth", "lip")):
            across *= person.mouth_width
            down += person.mouth_drop
        elif name.startswith("crown"):
            across *= person.face_width * person.hair_volume
            down = 60 + (down - 60) * person.hair_volume
        elif name.startswith("hair_"):
            across *= person.face_width * person.hair_volume
            down += person.hair_length if "end" in name else person.hair_length / 3
        moved[name] = (MIDDLE + across, down)
    return moved


def eye_points(person: Person) -> tuple[Floats, Floats]:
    """Corners and lids of both eyes in the photograph, and on the person, (8, 2) each."""
    source, target = [], []
    landmarks = landmarks_of(person)
    for name in ("eye_left", "eye_right"):
        for across, down in ((-11.0, 0.5), (11.0, 0.5), (0.0, -5.0), (0.0, 5.0)):
            source.append((LANDMARKS[name][0] + across, LANDMARKS[name][1] + down))
            target.append(
                (
                    landmarks[name][0] + across * person.eye_size,
                    landmarks[name][1] + down * person.eye_size,
                )
            )
    return np.array(source), np.array(target)


@lru_cache(maxsize=16)
def shape_map(person: Person) -> tuple[Grid, Grid]:
    """For each texture pixel of the person: how far right and down of it the photograph has it."""
    names = [name for name in LANDMARKS if not name.startswith("eye")]
    landmarks = landmarks_of(person)
    eyes_there, eyes_here = eye_points(person)
    frame = [(x, y) for x in (LEFT - 60, MIDDLE, RIGHT + 60) for y in (-80, BOTTOM + 40)]
    frame += [(x, y) for x in (LEFT, 110, 330, RIGHT) for y in (0, 110, 200, 250)]
    frame += [(170, 215), (224, 225), (280, 215)]
    there = np.concatenate([[LANDMARKS[name] for name in names], eyes_there, frame])
    here = np.concatenate([[landmarks[name] for name in names], eyes_here, frame])
    spline = RBFInterpolator(here, there, kernel="thin_plate_spline", smoothing=0.5)
    columns, rows = np.arange(LEFT, RIGHT + 1, _STEP), np.arange(TOP, BOTTOM + 1, _STEP)
    grid = np.stack(np.meshgrid(columns, rows), axis=-1).reshape(-1, 2).astype(float)
    away = spline(grid) - grid
    coarse = away.reshape(len(rows), len(columns), 2).astype(np.float32)
    x = (np.arange((RIGHT - LEFT) * ENLARGE, dtype=np.float32) / ENLARGE) / _STEP
    y = (np.arange((BOTTOM - TOP) * ENLARGE, dtype=np.float32) / ENLARGE) / _STEP
    across, down = np.meshgrid(x, y)
    fine = cv2.remap(coarse, across, down, cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE)
    return np.ascontiguousarray(fine[..., 0]), np.ascontiguousarray(fine[..., 1])
