"""Does the mouth move with the speech? Tells a living face from a photograph with a voice.

Plain differences between pictures; says nothing about whether lips and words fit.
"""

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

Picture = npt.NDArray[np.float32]

MOUTH = (0.54, 0.80, 0.32, 0.68)
"""Top, bottom, left and right of the mouth in a crop, as shares of its sides: the crop is a square
window of 1.6 face boxes round the face, with the mouth about two thirds down."""
UPPER_FACE = (0.22, 0.50, 0.32, 0.68)
"""The same for brow and eyes, which move with the head but not with the words: each crop is laid
onto the one before it by this part, so that a moving head is not taken for a moving mouth."""
SIDE = 128
"""Crops are brought to this side by averaging, which takes off most noise of the encoder."""
SOFTNESS = 1.0
"""Sigma of a blur at that side: parts of a pixel of movement change the sharpest lines."""
FAINTEST_CHANGE = 0.25
"""Grey levels a frame: below it, change is noise and rounding; ratios are taken against no less."""
FEWEST_PAIRS = 5
"""So many pairs of frames are wanted in speech, and in silence, for a value."""


@dataclass(frozen=True)
class MouthChange:
    """Change of the mouth between consecutive frames, in grey levels (0–255).

    Medians over the pairs of frames, so that a blink, at which the fit slips, does not count.
    """

    in_speech: float | None
    """Over pairs of frames that are both speech; None with fewer than 5 such pairs."""
    in_silence: float | None
    """Over pairs that are both silence; None with fewer than 5, as in a clip without a pause."""
    ratio: float | None
    """``in_speech`` ÷ ``in_silence``, which counts as 0.25 at least; None when either is None."""
    ratio_to_upper_face: float | None
    """``in_speech`` ÷ the upper face's change in the same pairs (0.25 at least): near 1 or below
    for a photograph that is moved as a whole; it needs no silence."""


def mouth_change(
    crops_gray_THW: npt.NDArray[np.uint8], speech_flags: npt.NDArray[np.bool_]
) -> MouthChange:
    """Change of the mouth in speech and in silence.

    ``crops_gray_THW`` are grey crops of one fixed window at 25 a second, uint8, at least 32 pixels
    a side; ``speech_flags`` (T,) says for each frame whether it is speech. Each pair's mean
    brightness is evened out and the head's movement taken off by a rigid fit of the upper face
    (enhanced correlation; Evangelidis and Psarakis 2008, in OpenCV); where the fit does not
    converge the crops are compared as they are. Raises ValueError for other shapes.
    """
    if crops_gray_THW.ndim != 3 or len(crops_gray_THW) != len(speech_flags):
        raise ValueError(
            f"expected crops (T, height, width) and T flags, found {crops_gray_THW.shape} and "
            f"{speech_flags.shape}; give one flag per crop"
        )
    if min(crops_gray_THW.shape[1:]) < 32:
        raise ValueError(
            f"expected crops of at least 32 px a side, found {crops_gray_THW.shape[1:]}; "
            "crop a larger window"
        )
    mouth, upper = _changes(crops_gray_THW)
    speech = speech_flags[1:] & speech_flags[:-1]
    silence = ~speech_flags[1:] & ~speech_flags[:-1]
    in_speech, in_silence = _middle(mouth, speech), _middle(mouth, silence)
    return MouthChange(
        in_speech,
        in_silence,
        _ratio(in_speech, in_silence),
        _ratio(in_speech, _middle(upper, speech)),
    )


def flags_at(
    frame_flags: npt.NDArray[np.bool_], flag_seconds: float, count: int, fps: float = 25.0
) -> npt.NDArray[np.bool_]:
    """Flags per ``flag_seconds`` of sound as one flag for each of ``count`` pictures.

    A picture takes the flag at its middle; beyond the last flag there is no speech.
    """
    index = ((np.arange(count) + 0.5) / fps / flag_seconds).astype(int)
    padded = np.concatenate([frame_flags, [False]])
    return np.asarray(padded[np.minimum(index, len(frame_flags))], dtype=bool)


def _changes(
    crops_gray_THW: npt.NDArray[np.uint8],
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Mean absolute change of mouth and upper face, per pair of consecutive crops."""
    pairs = max(len(crops_gray_THW) - 1, 0)
    changes = np.zeros((2, pairs))
    for index in range(pairs):
        before = _shrunk(crops_gray_THW[index])
        after = _laid_onto(before, _shrunk(crops_gray_THW[index + 1]))
        for row, region in enumerate((MOUTH, UPPER_FACE)):
            difference = _part(after, region) - _part(before, region)
            changes[row, index] = np.abs(difference - difference.mean()).mean()
    return changes[0], changes[1]


def _laid_onto(before: Picture, after: Picture) -> Picture:
    """``after`` moved so that its upper face lies on that of ``before``."""
    mask = np.zeros(before.shape, dtype=np.uint8)
    _part(mask, UPPER_FACE)[:] = 255
    matrix = np.eye(2, 3, dtype=np.float32)
    stop = (cv2.TERM_CRITERIA_COUNT | cv2.TERM_CRITERIA_EPS, 20, 1e-3)
    try:
        _, matrix = cv2.findTransformECC(
            before, after, matrix, cv2.MOTION_EUCLIDEAN, stop, mask, gaussFiltSize=5
        )
    except cv2.error:
        return after
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    size = (before.shape[1], before.shape[0])
    moved: Picture = cv2.warpAffine(
        after, matrix, size, flags=flags, borderMode=cv2.BORDER_REPLICATE
    )
    return moved


def _shrunk(crop: npt.NDArray[np.uint8]) -> Picture:
    """The crop at ``SIDE`` pixels a side, a little blurred, as float32."""
    small = cv2.resize(crop, (SIDE, SIDE), interpolation=cv2.INTER_AREA)
    return np.asarray(cv2.GaussianBlur(small.astype(np.float32), (0, 0), SOFTNESS))


def _part(picture: Any, region: tuple[float, float, float, float]) -> Any:
    """One region of a picture, as a view into it."""
    height, width = picture.shape
    top, bottom, left, right = region
    return picture[
        round(top * height) : round(bottom * height), round(left * width) : round(right * width)
    ]


def _middle(changes: npt.NDArray[np.float64], pairs: npt.NDArray[np.bool_]) -> float | None:
    """Median change over the chosen pairs, None when they are too few."""
    return float(np.median(changes[pairs])) if pairs.sum() >= FEWEST_PAIRS else None


def _ratio(value: float | None, base: float | None) -> float | None:
    """``value`` over ``base``, which counts as the faintest change at least."""
    return None if value is None or base is None else value / max(base, FAINTEST_CHANGE)
