"""Whether a recording changes its voice: the cut whose two sides differ most. Arrays alone.
Shape legend: P partials, D dimensions.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from talkingface_wild.core.arrays import Floats

PARTIAL_SECONDS = 1.6
"""Length of the piece that an embedding stands for."""
LEAST_SPEECH_SECONDS = 2.0
"""Speech that each side of a cut has to have."""
LEAST_PART = 0.5
"""A partial with a smaller share of speech says nothing of a voice."""
_OVERLAP_SECONDS = 0.1
"""Two partials that share less than this count as apart, as at two steps of 0.77 s."""


@dataclass(frozen=True)
class VoiceChange:
    """The cut at which a recording's two sides are least alike."""

    similarity: float
    """Cosine between the mean embeddings before and after it, at most 1."""
    seconds: float
    """Where it lies after the first sample."""


def voice_change(
    embeddings_PD: npt.NDArray[Any],
    starts_seconds_P: npt.NDArray[Any],
    spans: Sequence[tuple[float, float]],
) -> VoiceChange | None:
    """The least cosine between the voices of both sides, over all cuts with speech enough.

    Embeddings are of unit length, each of the 1.6 s from its start on; ``spans`` are the stretches
    of speech in seconds, apart and in order. A cut lies in the middle between two partials that are
    apart; those between them, which hear both sides, are left out, and so are partials that are
    less than half speech. Each side has at least 2 s of speech. None when there is no such cut.

    Raises ValueError when embeddings and starts differ in number, or one is not finite.
    """
    embeddings = np.asarray(embeddings_PD, dtype=np.float64)
    starts = np.asarray(starts_seconds_P, dtype=np.float64)
    if embeddings.ndim != 2 or starts.shape != embeddings.shape[:1]:
        raise ValueError(
            "Expected one start for each row of embeddings, found shapes "
            f"{embeddings.shape} and {starts.shape}; take both from VoiceEmbedding."
        )
    if not (np.isfinite(embeddings).all() and np.isfinite(starts).all()):
        raise ValueError(
            "Expected finite embeddings and starts, found NaN; decode the sound again."
        )
    speech = np.array([_speech(spans, start, start + PARTIAL_SECONDS) for start in starts])
    voiced = speech >= LEAST_PART * PARTIAL_SECONDS
    embeddings, starts = embeddings[voiced], starts[voiced]
    changes = []
    for index, start in enumerate(starts):
        end = float(start) + PARTIAL_SECONDS
        after = starts >= end - _OVERLAP_SECONDS
        if not after.any():
            break
        cut = (end + float(starts[after][0])) / 2
        sides = (_speech(spans, -np.inf, cut), _speech(spans, cut, np.inf))
        if min(sides) >= LEAST_SPEECH_SECONDS:
            before_D, after_D = embeddings[: index + 1].mean(axis=0), embeddings[after].mean(axis=0)
            changes.append(VoiceChange(_cosine(before_D, after_D), cut))
    return min(changes, key=lambda change: change.similarity, default=None)


def _speech(spans: Sequence[tuple[float, float]], start: float, end: float) -> float:
    """Seconds of speech from ``start`` to ``end``."""
    return sum(max(0.0, min(stop, end) - max(begin, start)) for begin, stop in spans)


def _cosine(one_D: Floats, other_D: Floats) -> float:
    lengths = float(np.linalg.norm(one_D) * np.linalg.norm(other_D))
    return float(one_D @ other_D) / lengths if lengths > 0 else 0.0
