"""Facial landmarks drawn as pictures.

Shapes: T frames, P landmarks, S side of a drawing.
"""

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

Points = npt.NDArray[np.float32]

CONTOUR = tuple(range(17))
"""The jaw's points among the 68 of iBUG 300-W."""
EYES_NOSE = (tuple(range(36, 42)), tuple(range(42, 48)), (30,))
"""Left eye, right eye and the tip of the nose among the 68; five points have them first."""


def chosen_points(points_TP2: Points, kind: str) -> Points:
    """The landmarks drawn (R31): ``eyes_nose`` (3), ``contour`` (jaw, eyes, nose), ``full``.

    Takes five points (eyes, nose, corners of the mouth) or the 68 of iBUG 300-W. Raises ValueError
    for another number, or for a choice that five points cannot give.
    """
    count = points_TP2.shape[1]
    if count == 5:
        if kind == "contour":
            raise ValueError("expected 68 landmarks for the contour, found 5")
        return points_TP2[:, :3] if kind == "eyes_nose" else points_TP2
    if count != 68:
        raise ValueError(f"expected 5 or 68 landmarks, found {count}")
    if kind == "full":
        return points_TP2
    middles = [points_TP2[:, list(group)].mean(axis=1) for group in EYES_NOSE]
    eyes_nose = np.stack(middles, axis=1)
    if kind == "eyes_nose":
        return eyes_nose
    return np.concatenate([points_TP2[:, list(CONTOUR)], eyes_nose], axis=1)


def drawn_landmarks(points_TP2: Points, side: int, kind: str) -> Tensor:
    """Discs in a colour for each landmark on black, (T, 3, S, S) in [0, 1].

    Points are in [0, 1] of the picture; a disc's edge is soft, so a small move changes the drawing.
    """
    points = torch.from_numpy(np.ascontiguousarray(chosen_points(points_TP2, kind))).float()
    radius = side / 64
    grid = (torch.arange(side) + 0.5) / side
    across = (grid - points[..., 0:1]) * side
    down = (grid - points[..., 1:2]) * side
    distance = (down[..., :, None].square() + across[..., None, :].square()).sqrt()
    discs_TPSS = (radius + 0.5 - distance).clamp(0, 1)
    hue = torch.arange(points.shape[1]) / points.shape[1] * 2 * torch.pi
    colours_P3 = 0.5 + 0.5 * torch.stack([hue.cos(), (hue - 2.1).cos(), (hue + 2.1).cos()], dim=1)
    return torch.einsum("tphw,pc->tchw", discs_TPSS, colours_P3).clamp(0, 1)
