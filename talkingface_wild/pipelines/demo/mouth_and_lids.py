"""The mouth's opening and the eyelids' fall, as local redrawings of the photograph's texture."""

from dataclasses import dataclass
from functools import lru_cache

import cv2
import numpy as np

from talkingface_wild.pipelines.demo.photograph import (
    ENLARGE,
    EYES,
    LEFT,
    MOUTH_CENTRE,
    MOUTH_HALF,
    TOP,
    Floats,
    Grid,
    Picture,
    smooth_step,
)

MOUTH_LEVELS, LID_LEVELS = 24, 4


@dataclass(frozen=True)
class Warp:
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
def mouth_warp(level: int) -> Warp:
    """Lips and jaw at one level: below 0.35 the teeth are half covered, above it the jaw drops."""
    opening = level / (MOUTH_LEVELS - 1)
    teeth = 0.08 + 0.92 * min(1.0, opening / 0.35)
    gap = 8.0 * max(0.0, opening - 0.3) / 0.7
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
    tongue = (smooth_step((depth - 0.45) / 0.4) * arch)[..., None]
    colour = (1 - tongue) * (46, 14, 16) + tongue * (150, 66, 66)
    return _row_warp(columns, rows, target_rows, source_rows, inside * colour, 1 - inside)


@lru_cache(maxsize=len(EYES) * LID_LEVELS)
def lid_warp(eye: int, level: int) -> Warp:
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
) -> Warp:
    """The warp that brings ``source_rows`` (knots, columns) to ``target_rows``."""
    map_y = np.empty((len(rows), len(columns)), dtype=np.float32)
    step = 1e-3 * np.arange(len(source_rows))
    for index in range(len(columns)):
        map_y[:, index] = np.interp(rows, target_rows[:, index] + step, source_rows[:, index])
    left, top = round((columns[0] - LEFT) * ENLARGE), round((rows[0] - TOP) * ENLARGE)
    map_x = np.broadcast_to((columns - LEFT) * ENLARGE, map_y.shape)
    return Warp(
        slice(top, top + len(rows)),
        slice(left, left + len(columns)),
        map_x.astype(np.float32),
        (map_y - TOP) * ENLARGE,
        None if paint is None else paint.astype(np.float32),
        None if alpha_left is None else alpha_left.astype(np.float32),
    )
