"""Five points of a face, and a model of them in space, to the crop that Deep3DFaceRecon sees.
The rule is that of its published code (Deng et al., CVPRW 2019); no network runs here.
Shape legend: H height, W width, C channels, 5 points (eyes, nose, corners of the mouth), 3 axes.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image

from talkingface_wild.core.arrays import Floats
from talkingface_wild.core.errors import WeightMissing
from talkingface_wild.core.outcome import ItemRejected

Picture = npt.NDArray[np.uint8]

POINTS_WEIGHT = "deep3d_points"
"""The weight with the model's 68 points, ``similarity_Lm3D_all.mat``."""
CROP_SIZE = 224
"""Side of an aligned crop, in pixels."""
MODEL_SCALE = 102.0
"""Pixels of the crop in one unit of the model of the face."""
MOST_ENLARGED = 8192
"""Longest side, in pixels, of an enlarged picture: a face that asks for more holds no detail."""


@dataclass(frozen=True)
class AlignedFace:
    """A crop and where it came from.

    ``crop_HWC``: (224, 224, 3) uint8, black beyond the picture. ``points_52``: the five points in
    the crop's pixels, y counted down. ``translation_2``: where the model's origin falls in the
    picture, x in pixels from the left, y from the bottom as the published code counts it.
    ``scale``: pixels of the crop in one pixel of the picture.
    """

    crop_HWC: Picture
    points_52: Floats
    translation_2: Floats
    scale: float


def five_of_68(points_68D: npt.NDArray[Any]) -> Floats:
    """Eyes, nose and corners of the mouth (5, D) of the 68 points of the iBUG scheme.

    An eye is the mean of its two corners (37 and 40, 43 and 46, counted from 1), the nose its tip
    (31), the mouth 49 and 55. Raises ValueError for another number of points.
    """
    points = np.asarray(points_68D, dtype=np.float64)
    if points.ndim != 2 or len(points) != 68:
        raise ValueError(f"expected 68 points of a face, found an array of {points.shape}")
    eyes = [(points[36] + points[39]) / 2, (points[42] + points[45]) / 2]
    return np.stack([*eyes, points[30], points[48], points[54]])


def load_model_points(path: Path) -> npt.NDArray[np.float64]:
    """The five points (5, 3) of the model's mean face, from the 68 in a MATLAB file's ``lm``.

    Raises WeightMissing when the file is absent or holds no such table.
    """
    from scipy.io import loadmat

    remedy = f"get {POINTS_WEIGHT} with 'tfw weights fetch' or 'tfw weights import DIR'."
    if not path.is_file():
        raise WeightMissing(f"Expected a MATLAB file at {path}, found no file; {remedy}")
    try:
        table = loadmat(str(path), variable_names=["lm"]).get("lm")
    except Exception as error:
        # A damaged file raises whatever its first wrong byte leads to, from zlib's to TypeError.
        raise WeightMissing(
            f"Expected a MATLAB file at {path}, found a damaged or foreign one; {remedy}"
        ) from error
    if table is None or table.shape != (68, 3):
        raise WeightMissing(
            f"Expected a table 'lm' of 68 x 3 numbers in {path}, found "
            f"{'none' if table is None else ' x '.join(map(str, table.shape))}; {remedy}"
        )
    return five_of_68(table)


def fit_camera(points_52: npt.NDArray[Any], model_53: npt.NDArray[Any]) -> tuple[Floats, float]:
    """Translation (2,) and scale of the scaled orthographic camera that sees the model so.

    Least squares for two rows of rotation times scale and a translation; the scale is the mean
    length of the two rows. ``points_52`` has y counted up. Raises ValueError for other shapes.
    """
    seen = np.asarray(points_52, dtype=np.float64)
    model = np.asarray(model_53, dtype=np.float64)
    if seen.shape != (5, 2) or model.shape != (5, 3):
        raise ValueError(
            f"expected points (5, 2) and a model (5, 3), found {seen.shape} and {model.shape}"
        )
    rows_42 = np.linalg.lstsq(np.column_stack([model, np.ones(5)]), seen, rcond=None)[0]
    scale = float(np.linalg.norm(rows_42[:3], axis=0).mean())
    return np.asarray(rows_42[3], dtype=np.float64), scale


def align_face(
    rgb_HWC: Picture, points_52: npt.NDArray[Any], model_53: npt.NDArray[Any]
) -> Picture:
    """The crop (224, 224, 3) alone; see ``align``."""
    return align(rgb_HWC, points_52, model_53).crop_HWC


def align(rgb_HWC: Picture, points_52: npt.NDArray[Any], model_53: npt.NDArray[Any]) -> AlignedFace:
    """The face of a picture (H, W, 3) uint8, scaled so that its model has the published size.

    ``points_52`` are pixels of ``rgb_HWC``, y counted down, the picture's left before its right.
    The picture is resized by Pillow's bicubic filter and cut, never turned.

    Raises ItemRejected ``small_face`` when the points lie so near to one another that the picture
    would have to be enlarged beyond ``MOST_ENLARGED`` pixels; ValueError for points that are no
    numbers or of another shape.
    """
    height, width = rgb_HWC.shape[:2]
    upward = np.array(points_52, dtype=np.float64)
    if not np.isfinite(upward).all():
        raise ValueError("expected five points of a face, found some that are no numbers")
    upward[:, 1] = height - 1 - upward[:, 1]
    translation, seen = fit_camera(upward, model_53)
    if not MODEL_SCALE * max(height, width) <= MOST_ENLARGED * seen:
        raise ItemRejected(
            "small_face",
            f"expected a face that fills its crop from a picture of at most {MOST_ENLARGED} "
            f"pixels, found one of {seen:.2g} pixels a unit of the model in {width} x {height}",
        )
    scale = MODEL_SCALE / seen
    size = np.array([max(1, int(width * scale)), max(1, int(height * scale))])
    middle = np.array([width / 2, height / 2])
    shift = (translation - middle) * scale * [1, -1]
    left, top = (int(edge) for edge in size / 2 - CROP_SIZE // 2 + shift)
    resized = Image.fromarray(rgb_HWC).resize(
        (int(size[0]), int(size[1])), Image.Resampling.BICUBIC
    )
    crop = np.asarray(resized.crop((left, top, left + CROP_SIZE, top + CROP_SIZE)))
    placed = (upward - translation + middle) * scale - (size - CROP_SIZE) / 2
    placed[:, 1] = CROP_SIZE - 1 - placed[:, 1]
    return AlignedFace(crop, placed, translation, scale)
