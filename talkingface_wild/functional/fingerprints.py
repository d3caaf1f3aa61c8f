"""Finds copies of a clip by a picture and a sound fingerprint that outlive another encoding.

Both must match: one person in one studio looks alike all day, and one song sounds behind many
pictures. Fingerprints are short texts, so that a table can hold them.
"""

from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

Bits = npt.NDArray[np.uint32]

RATE = 8000
"""Hertz at which sound is fingerprinted; what lies above 4 kHz does not outlive low bit rates."""
HOP = 256
"""32 ms between two words of the sound fingerprint."""
WINDOW = 3072
"""0.384 s: long beside the hop: neighbouring words differ little and a shift is harmless."""
LOWEST_HERTZ, HIGHEST_HERTZ, BANDS = 300.0, 2400.0, 33
QUIET_DB = 50.0
"""A window this far below the clip's loudest has the word 0, which is compared with nothing."""
SOUND_LIMIT = 0.30
"""Copies differ in fewer of their sound bits than this: at most 0.10 in twelve clips made small
and coarse again, at least 0.41 between different clips and between two halves of one."""
PICTURE_LIMIT = 0.25
"""Copies differ in fewer of their picture bits than this: at most 0.21 and at least 0.28 there."""
LEAST_OVERLAP_SECONDS = 1.5
LEAST_OVERLAP_SHARE = 0.5
"""Two clips are compared where they overlap by this share of the shorter one, at any shift."""
NEAR_WORDS = 6
"""How far from a known shift is still looked."""
NOT_ALIKE = 1.0
"""The distance of what cannot be compared: silence, or too little overlap."""


@dataclass(frozen=True)
class Fingerprint:
    """Hexadecimal texts: 16 digits a second of picture, 8 digits per 32 ms of sound."""

    picture: str
    sound: str


def fingerprint(
    pictures_gray: list[npt.NDArray[np.uint8]], samples: npt.NDArray[np.int16], rate: int = 16000
) -> Fingerprint:
    """The fingerprint of a clip from one grey picture a second (any size) and its mono sound."""
    return Fingerprint(picture_fingerprint(pictures_gray), sound_fingerprint(samples, rate))


def picture_fingerprint(pictures_gray: list[npt.NDArray[np.uint8]]) -> str:
    """64 bits for each grey picture (height, width), given one a second; '' for none.

    The signs, against their median, of the 8 × 8 lowest cosine terms of the picture at 32 × 32,
    without the constant one (the widespread "pHash"; Zauner 2010).
    """
    words = []
    for picture in pictures_gray:
        small = cv2.resize(picture, (32, 32), interpolation=cv2.INTER_AREA).astype(np.float32)
        terms = cv2.dct(small)[:8, :8].ravel()
        bits = terms > np.median(terms[1:])
        bits[0] = False
        words.append(np.packbits(bits).tobytes().hex())
    return "".join(words)


def sound_fingerprint(samples: npt.NDArray[np.int16], rate: int = 16000) -> str:
    """32 bits for each 32 ms of sound; '' when it is shorter than 0.42 s.

    The sign of how the difference between neighbouring bands changes in time (Haitsma and Kalker
    2002, section 4), in 33 bands from 300 to 2,400 Hz. Indifferent to gain; silence gives 0.
    """
    common = int(np.gcd(rate, RATE))
    from scipy.signal import resample_poly  # Most of a second to import: only where used.

    sound = resample_poly(samples.astype(np.float64), RATE // common, rate // common)
    if len(sound) < WINDOW + HOP:
        return ""
    frames = np.lib.stride_tricks.sliding_window_view(sound, WINDOW)[::HOP]
    spectrum = np.abs(np.fft.rfft(frames * np.hanning(WINDOW), axis=1)) ** 2
    edges = np.geomspace(LOWEST_HERTZ, HIGHEST_HERTZ, BANDS + 1) * WINDOW / RATE
    starts = np.round(edges).astype(int)
    energy = np.add.reduceat(spectrum[:, : starts[-1]], starts[:-1], axis=1)
    slope = energy[:, :-1] - energy[:, 1:]
    bits = np.diff(slope, axis=0) > 0
    words = np.packbits(bits, axis=1).view(">u4")[:, 0].astype(np.uint32)
    total = energy.sum(axis=1)[1:]
    audible = total > max(float(total.max()) * 10 ** (-QUIET_DB / 10), 1e3)
    words = np.where(audible, np.maximum(words, 1), 0).astype(">u4")
    return words.tobytes().hex()


def sound_words(text: str) -> Bits:
    """The words of a sound fingerprint; 0 marks silence."""
    return np.frombuffer(bytes.fromhex(text), dtype=">u4").astype(np.uint32)


def picture_words(text: str) -> npt.NDArray[np.uint64]:
    """The words of a picture fingerprint, one a second."""
    return np.frombuffer(bytes.fromhex(text), dtype=">u8").astype(np.uint64)


def similar(one: Fingerprint, other: Fingerprint, near: int | None = None) -> tuple[float, float]:
    """(picture distance, sound distance): shares of differing bits, about 0.5 for strangers.

    The sound finds the shift between the two (a copy may begin earlier or later); the pictures are
    compared at that shift. A distance is 1 where too little can be compared: silent clips have no
    shift and never count as alike. ``near`` is the shift where it is already known, in words of the
    sound (position in ``one`` minus position in ``other``); then only a few beside it are tried.
    """
    shift, sound = _best_shift(sound_words(one.sound), sound_words(other.sound), near)
    if sound == NOT_ALIKE:
        return NOT_ALIKE, NOT_ALIKE
    seconds = shift * HOP / RATE
    words = picture_words(one.picture), picture_words(other.picture)
    return _picture_distance(*words, seconds), sound


def alike(one: Fingerprint, other: Fingerprint, near: int | None = None) -> bool:
    """Whether both distances of ``similar`` are under their limits."""
    picture, sound = similar(one, other, near)
    return picture < PICTURE_LIMIT and sound < SOUND_LIMIT


def _best_shift(one: Bits, other: Bits, near: int | None) -> tuple[int, float]:
    """The shift (in words, of ``other`` against ``one``) of least distance, and that distance."""
    least = max(LEAST_OVERLAP_SECONDS * RATE / HOP, LEAST_OVERLAP_SHARE * min(len(one), len(other)))
    best = (0, NOT_ALIKE)
    first_shift, last_shift = int(least) - len(other), len(one) - int(least)
    if near is not None:
        first_shift = max(first_shift, near - NEAR_WORDS)
        last_shift = min(last_shift, near + NEAR_WORDS)
    for shift in range(first_shift, last_shift + 1):
        start, stop = max(shift, 0), min(len(one), len(other) + shift)
        first, second = one[start:stop], other[start - shift : stop - shift]
        heard = (first != 0) & (second != 0)
        count = int(heard.sum())
        if count < least * 0.5 or count < LEAST_OVERLAP_SECONDS * RATE / HOP * 0.5:
            continue
        distance = float(np.bitwise_count((first ^ second)[heard]).sum()) / (32 * count)
        if distance < best[1]:
            best = (shift, distance)
    return best


def _picture_distance(
    one: npt.NDArray[np.uint64], other: npt.NDArray[np.uint64], seconds: float
) -> float:
    """Mean over the overlap of each picture's distance to the nearest of those within a second."""
    distances = []
    for index, word in enumerate(one):
        place = index - seconds
        near = other[max(int(np.floor(place)), 0) : max(int(np.ceil(place)) + 1, 0)]
        if len(near):
            distances.append(int(np.bitwise_count(near ^ word).min()) / 64)
    return float(np.mean(distances)) if distances else NOT_ALIKE
