"""Lip-sync from two rows of embeddings: distances over shifts, confidence, offset, chance level.
Pure arithmetic in float64; which network made the embeddings is not known here.
Shape legend: N windows (one a video frame), D dimensions, S shifts (2 × shift + 1).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from talkingface_wild.core.arrays import Floats

Embeddings = npt.NDArray[np.floating[Any]]

SHIFT = 15
"""Frames by which the sound is moved either way; 0.6 s at 25 frames a second."""
EPSILON = 1e-6
"""Added to every difference before its norm is taken, as the reference's distance does."""
LEAST_PART_WINDOWS = 10
"""A part of fewer windows has no offset of its own."""
LEAST_NEGATIVES = 50
"""Fewer negatives than this say nothing about a 99th percentile."""
NULL_PERCENTILE = 99.0
"""The percentile of the negatives' confidences that a clip has to exceed."""
TURNS = 8
"""Turns of the sound behind a benchmark's chance level."""
LEAST_TURN = 50
"""Frames of the shortest of them: 2 s."""


@dataclass(frozen=True)
class SyncScore:
    """How well picture and sound belong together.

    ``offset`` is 15 − argmin of the mean distances, in video frames (40 ms each). When window i of
    the lips matches window i + k of the sound, the offset is −k: a positive offset means that the
    matching sound lies earlier, so the sound leads. ``distance`` is Sync-D (LSE-D, lower is
    better), ``confidence`` is Sync-C (LSE-C): the median of the mean distances minus their least.
    """

    offset: int
    distance: float
    confidence: float
    windows: int
    mean_distances: tuple[float, ...]
    """One mean over all windows for each shift, from −shift to +shift."""
    at_edge: bool
    """The offset is the largest that was tried: an artefact of the padding rather than a match."""


@dataclass(frozen=True)
class SyncMargin:
    """Confidence above chance; ``value`` is None when the clip is too short for the negatives."""

    value: float | None
    null: float | None
    """The 99th percentile of the negatives' confidences."""
    negatives: int
    """How many shifted copies of the clip's own sound were scored."""


def distances(lips_ND: Embeddings, sounds_ND: Embeddings, shift: int = SHIFT) -> Floats:
    """Distance of each lip window to the sound at each shift: two (N, D) → (N, 2 × shift + 1).

    Column j holds ‖lips[i] − sounds[i + j − shift] + 1e-6‖₂; sound beyond either end is zero, so
    that the outer columns of a short clip lean towards ‖lips[i]‖ (SyncNet's published evaluation).

    Raises ValueError when the two differ in shape or hold no window.
    """
    lips, sounds = _checked(lips_ND, sounds_ND)
    windows = len(lips)
    padded = np.zeros((windows + 2 * shift, lips.shape[1]))
    padded[shift : shift + windows] = sounds
    result = np.empty((windows, 2 * shift + 1))
    for step in range(2 * shift + 1):
        result[:, step] = np.linalg.norm(lips - padded[step : step + windows], axis=1)
    return result


def score(lips_ND: Embeddings, sounds_ND: Embeddings, shift: int = SHIFT) -> SyncScore:
    """Sync-C, Sync-D and offset of one clip from its (N, D) embeddings; see ``SyncScore``."""
    return score_distances(distances(lips_ND, sounds_ND, shift))


def score_distances(distances_NS: Floats) -> SyncScore:
    """The score of a clip whose ``distances`` are known already."""
    means = distances_NS.mean(axis=0)
    shift = len(means) // 2
    least = int(means.argmin())
    return SyncScore(
        offset=shift - least,
        distance=float(means[least]),
        confidence=float(np.median(means) - means[least]),
        windows=len(distances_NS),
        mean_distances=tuple(float(mean) for mean in means),
        at_edge=least in (0, len(means) - 1),
    )


def sync_c0(distances_NS: Floats) -> float:
    """Sync-C at no offset: the median of the mean distances minus the one at offset 0.

    Sync-C forgives any constant lag within the shifts; this does not, and may be negative.
    """
    means = distances_NS.mean(axis=0)
    return float(np.median(means) - means[len(means) // 2])


def nsync(confidence: float, null: float, ground_truth: float) -> float | None:
    """(C − C_null) / (C_gt − C_null): 0 is chance, 1 is the real video, more is not better.

    None where the real video is not above chance.
    """
    span = ground_truth - null
    return (confidence - null) / span if span > 0 else None


def offset_parts(lips_ND: Embeddings, sounds_ND: Embeddings, parts: int = 3) -> list[int | None]:
    """The offset of each of ``parts`` consecutive stretches of the clip, in frames.

    A stretch looks at the whole clip's sound, not only at its own, so that inner edges need no
    padding. Stretches differ by one window at most; one of fewer than ten windows gives None.
    """
    return [
        score_distances(part).offset if len(part) >= LEAST_PART_WINDOWS else None
        for part in np.array_split(distances(lips_ND, sounds_ND), parts)
    ]


def null_confidences(
    lips_ND: Embeddings,
    sounds_ND: Embeddings,
    seconds: tuple[float, float] = (2.0, 8.0),
    fps: float = 25.0,
) -> Floats:
    """Confidences of the clip with its own sound turned by 2–8 s, whole frames, both ways: (K,).

    The turn is circular, so a turn is used only when it is at least ``seconds[0]`` long seen from
    either end: a clip of fewer than four seconds has none, and from sixteen seconds on K is 302.
    Every value equals ``score(lips, numpy.roll(sounds, turn, 0)).confidence``.
    """
    windows = len(lips_ND)
    least, most = round(seconds[0] * fps), round(seconds[1] * fps)
    forth = np.arange(least, min(most, windows - least) + 1)
    turns = np.unique(np.concatenate([forth, windows - forth]))
    return _turned_confidences(lips_ND, sounds_ND, turns)


def shifted_confidences(lips_ND: Embeddings, sounds_ND: Embeddings, shifts: int = TURNS) -> Floats:
    """Confidences of the clip with its own sound turned by ``shifts`` amounts of ≥ 2 s: (K,).

    The turns are circular, spread evenly over the clip, and for each turn forth there is its equal
    back. A clip of just over four seconds has fewer than eight, a shorter one none; otherwise as
    ``null_confidences``. Their mean is C_null of ``nsync``.
    """
    windows, least = len(lips_ND), LEAST_TURN
    possible = np.arange(least, windows - least + 1)
    if len(possible) > shifts:
        forth = np.linspace(least, windows - least, shifts)[: (shifts + 1) // 2]
        forth = np.floor(forth).astype(np.intp)
        possible = np.concatenate([forth, windows - forth[: shifts // 2]])
    return _turned_confidences(lips_ND, sounds_ND, np.unique(possible))


def margin(confidence: float, nulls: Sequence[float] | Floats) -> SyncMargin:
    """How far ``confidence`` lies above the 99th percentile of the clip's ``null_confidences``.

    Fewer than 50 negatives (a clip of under about six seconds) give no value.
    """
    if len(nulls) < LEAST_NEGATIVES:
        return SyncMargin(None, None, len(nulls))
    null = float(np.percentile(nulls, NULL_PERCENTILE))
    return SyncMargin(confidence - null, null, len(nulls))


def _checked(lips_ND: Embeddings, sounds_ND: Embeddings) -> tuple[Floats, Floats]:
    """Both as float64, EPSILON already added to the lips, or ValueError."""
    if lips_ND.ndim != 2 or lips_ND.shape != sounds_ND.shape or not len(lips_ND):
        raise ValueError(
            "Expected lip and sound embeddings of one shape (windows, dimensions), found "
            f"{lips_ND.shape} and {sounds_ND.shape}; embed both from the same clip."
        )
    return lips_ND.astype(np.float64) + EPSILON, sounds_ND.astype(np.float64)


def _turned_confidences(
    lips_ND: Embeddings, sounds_ND: Embeddings, turns: npt.NDArray[np.intp]
) -> Floats:
    """Confidence with the sound turned by each of ``turns``, each distance computed once: (K,)."""
    lips, sounds = _checked(lips_ND, sounds_ND)
    windows = len(lips)
    if not len(turns):
        return np.empty(0)
    steps = np.arange(-SHIFT, SHIFT + 1)
    lags, lag_of = np.unique((steps[None, :] - turns[:, None]) % windows, return_inverse=True)
    sound_sums = _sums_from_start(_lagged_distances(lips, sounds, lags))
    edge_sums = _sums_from_start(np.linalg.norm(lips, axis=1, keepdims=True))[:, 0]
    first = np.clip(-steps, 0, windows)
    last = np.clip(windows - steps, 0, windows)
    column = lag_of.reshape(len(turns), len(steps))
    inside = sound_sums[last, column] - sound_sums[first, column]
    outside = edge_sums[-1] - (edge_sums[last] - edge_sums[first])
    means = (inside + outside) / windows
    return np.asarray(np.median(means, axis=1) - means.min(axis=1), dtype=np.float64)


def _lagged_distances(lips: Floats, sounds: Floats, lags: npt.NDArray[np.intp]) -> Floats:
    """Distances of lips[i] to sounds[(i + lag) mod N], (N, lags), by blocks of a Gram matrix."""
    windows, block = len(lips), 512
    sound_squares = np.square(sounds).sum(axis=1)
    result = np.empty((windows, len(lags)))
    for start in range(0, windows, block):
        rows = lips[start : start + block]
        squares = np.square(rows).sum(axis=1)[:, None] + sound_squares - 2.0 * rows @ sounds.T
        columns = (np.arange(start, start + len(rows))[:, None] + lags) % windows
        picked = np.take_along_axis(squares, columns, axis=1)
        result[start : start + block] = np.sqrt(np.maximum(picked, 0.0))
    return result


def _sums_from_start(values: Floats) -> Floats:
    """Cumulative sums down the rows, with a first row of zeros."""
    return np.concatenate([np.zeros((1, values.shape[1])), values.cumsum(axis=0)])
