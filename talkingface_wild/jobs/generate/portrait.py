"""The portrait that a generator is given: read from any picture, its one face found and cut out.

Shapes: H W pixels (uint8 RGB), N faces, S the side of a square.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from talkingface_wild.core.errors import InputUnreadable, UsageError, nearest
from talkingface_wild.core.outcome import ItemFailed, ItemRejected
from talkingface_wild.media.geometry import Picture, Window, crop_padded, union_window

if TYPE_CHECKING:
    from talkingface_wild.perception.face_detector import Detector

MOST_PIXELS = 8192 * 8192


@dataclass(frozen=True)
class Portrait:
    """A picture and the square of it that holds the face, which may reach beyond the picture."""

    picture_HWC: Picture
    window: Window
    detector: str
    """What found the face; ``none`` where the picture is taken whole."""

    def crop(self, side: int) -> Picture:
        """(S, S, 3), black beyond the picture, as curation cuts clips."""
        return crop_padded(self.picture_HWC, self.window, side)


def find_portrait(
    path: Path, detector: str = "auto", whole: bool = False, device: str = "cpu"
) -> Portrait:
    """Read a picture (or a video's first frame) and find its face.

    The square around the face is 1.6 times the face's longer side, as in curated clips; with
    ``whole`` it is the picture itself. Raises InputUnreadable for what is no picture, and for no
    face or several; UsageError for an unknown detector, WeightMissing.
    """
    picture = read_picture(path)
    height, width = picture.shape[:2]
    if whole:
        side = max(height, width)
        return Portrait(picture, Window((width - side) // 2, (height - side) // 2, side), "none")
    name, finder = face_detector(detector, device)
    boxes = [tuple(map(float, box)) for box in _counted(finder.detect(picture).boxes_N5)]
    if not boxes:
        raise InputUnreadable(
            f"Expected a face in {path}, found none (by {name}, {width} x {height} px); give a "
            "picture of one face seen from before, or --whole to take the picture as it is."
        )
    if len(boxes) > 1:
        raise InputUnreadable(
            f"Expected one face in {path}, found {len(boxes)} (by {name}); cut the picture to the "
            "one that is to speak, or give --whole to take it as it is."
        )
    return Portrait(picture, union_window(boxes), name)  # type: ignore[arg-type]


def check_side(portrait: Portrait, side: int, path: Path, warn: Callable[[str], None]) -> None:
    """Raise InputUnreadable where the face's square is under half the model's side; warn under it.

    A larger square is shrunk, which loses nothing that the model could draw.
    """
    width = portrait.window.side
    if 2 * width < side:
        raise InputUnreadable(
            f"Expected a portrait for a model of {side} px, found a face whose square is only "
            f"{width} px wide in {path}; give a picture where it is {side} px or more."
        )
    if width < side:
        warn(
            f"The face's square is {width} px wide in {path}, less than the model's {side}: it is "
            "enlarged, and the video will be soft."
        )


def face_detector(name: str, device: str = "cpu") -> tuple[str, Detector]:
    """A detector, opened, with its name; ``auto`` is the finest whose weight is at hand.

    Raises UsageError for an unknown name, WeightMissing.
    """
    from talkingface_wild import weights
    from talkingface_wild.perception.face_detector import WEIGHTS, best_detector, make_detector

    if name not in ("auto", *WEIGHTS):
        names = ("auto", *WEIGHTS)
        raise UsageError(
            f"--detector expects {', '.join(names)}, found {name!r}{nearest(name, names)}."
        )
    name = best_detector() if name == "auto" else name
    weight = WEIGHTS[name]
    network = make_detector(name, None if weight is None else weights.path(weight))
    return name, network.open(device)


PICTURES = ("JPEG", "PNG", "WEBP", "BMP", "TIFF", "GIF", "PPM")
"""Formats that are decoded in this process: others, such as EPS, would start programs."""


def read_picture(path: Path) -> Picture:
    """(H, W, 3) of a picture file as it is displayed, or of a video's first frame.

    Raises InputUnreadable.
    """
    from PIL import Image, ImageOps, UnidentifiedImageError

    if not path.is_file():
        raise InputUnreadable(f"Expected a picture at {path}, found no file; give --image FILE.")
    try:
        with Image.open(path, formats=PICTURES) as opened:
            if opened.width * opened.height > MOST_PIXELS:
                raise InputUnreadable(
                    f"Expected a picture of at most {MOST_PIXELS // 10**6} megapixels, found "
                    f"{opened.width} x {opened.height} px in {path}; make it smaller."
                )
            return np.asarray(ImageOps.exif_transpose(opened).convert("RGB"))
    except UnidentifiedImageError:
        return _first_frame(path)
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
        raise InputUnreadable(
            f"Expected a picture in {path}, found one that cannot be read ({error}); give another."
        ) from error


def _first_frame(path: Path) -> Picture:
    from talkingface_wild.media.decode import frames

    try:
        return next(frames(path)).rgb
    except (ItemRejected, ItemFailed, StopIteration) as error:
        raise InputUnreadable(
            f"Expected a picture in {path}, found neither that nor a video; give a JPEG, PNG or "
            "WebP file by --image."
        ) from error


def _counted(boxes_N5: Any) -> Any:
    """The boxes (N, 4) of the faces that count: small ones behind the largest do not."""
    from talkingface_wild.functional.face_samples import LEAST_AREA_RATIO, areas

    boxes_N4 = np.asarray(boxes_N5, dtype=np.float64)[:, :4]
    if not len(boxes_N4):
        return boxes_N4
    sizes_N = areas(boxes_N4)
    return boxes_N4[sizes_N >= LEAST_AREA_RATIO * sizes_N.max()]
