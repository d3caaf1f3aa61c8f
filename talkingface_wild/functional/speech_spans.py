"""From the probability of speech in each window to its share and its spans in seconds.

Windows are those of Silero VAD: 512 samples at 16 kHz, one after another. Arrays alone, no sound.
Shape legend: W windows.
"""

from typing import Any

import numpy as np
import numpy.typing as npt

from talkingface_wild.functional.speech_share import SpeechMeasures, longest_run

WINDOW_SECONDS = 512 / 16_000
SPEECH_FROM = 0.5
"""A window of at least this probability is speech, as published."""
SILENCE_BELOW = 0.35
"""Speech that has begun ends only at a window under this (published: 0.15 under the other)."""
SHORTEST_SPEECH_SECONDS = 0.25
SHORTEST_SILENCE_SECONDS = 0.1
PAD_SECONDS = 0.03
"""By how much a span reaches beyond its first and last window."""


def speech_ratio(probabilities_W: npt.NDArray[Any], speech_from: float = SPEECH_FROM) -> float:
    """Share of the windows that are speech, 0 to 1; 0 without a window.

    Windows are counted one by one, so pauses between words count as none: clean speech has some
    0.8 to 0.98. Raises ValueError for probabilities that are no vector within 0 and 1.
    """
    probabilities = _probabilities(probabilities_W)
    return float((probabilities >= speech_from).mean()) if len(probabilities) else 0.0


def speech_spans(
    probabilities_W: npt.NDArray[Any], seconds: float | None = None
) -> list[tuple[float, float]]:
    """Start and end of each stretch of speech in seconds after the first sample, in order.

    The published rule (Silero VAD 6, ``get_speech_timestamps`` at its defaults): speech begins at
    0.5; it ends at a window under 0.35 when another such one comes at least 0.1 s later before any
    of 0.5; stretches of 0.25 s and less are left out, the others are widened by 30 ms on each side.
    What still lasts at the end ends with the sound, ``seconds`` long (default: all windows).

    Raises ValueError for probabilities that are no vector within 0 and 1.
    """
    probabilities = _probabilities(probabilities_W)
    total = len(probabilities) * WINDOW_SECONDS if seconds is None else seconds
    loud = np.flatnonzero(probabilities >= SPEECH_FROM)
    quiet = np.flatnonzero(probabilities < SILENCE_BELOW)
    spans: list[tuple[float, float]] = []
    start = _next(loud, 0)
    while start is not None:
        end = _end(loud, quiet, start)
        stop_seconds = total if end is None else end[0] * WINDOW_SECONDS
        if stop_seconds - start * WINDOW_SECONDS > SHORTEST_SPEECH_SECONDS:
            spans.append((start * WINDOW_SECONDS, stop_seconds))
        start = None if end is None else _next(loud, end[1])
    # Two spans are over 0.1 s apart, so that their margins never meet.
    return [(max(0.0, a - PAD_SECONDS), min(total, b + PAD_SECONDS)) for a, b in spans]


def speech_from_probabilities(probabilities_W: npt.NDArray[Any], method: str) -> SpeechMeasures:
    """Speech measures of one clip out of the probabilities of its windows; ``method`` names them.

    The ratio counts windows; pauses lie between spans of speech. A clip of no window is one pause.
    """
    flags = np.zeros(len(probabilities_W), dtype=np.bool_)
    for start, end in speech_spans(probabilities_W):
        flags[round(start / WINDOW_SECONDS) : round(end / WINDOW_SECONDS)] = True
    pause = longest_run(~flags) * WINDOW_SECONDS
    return SpeechMeasures(speech_ratio(probabilities_W), pause, method, flags, WINDOW_SECONDS)


def spans_of_flags(
    flags_F: npt.NDArray[np.bool_], frame_seconds: float
) -> list[tuple[float, float]]:
    """Start and end of each run of speech in seconds, of flags of frames that are so long."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], flags_F, [False]]).astype(np.int8)))
    seconds = edges.reshape(-1, 2) * frame_seconds
    return [(float(start), float(end)) for start, end in seconds]


def _end(
    loud: npt.NDArray[np.intp], quiet: npt.NDArray[np.intp], start: int
) -> tuple[int, int] | None:
    """The first window after the speech from ``start``, and the one that shows that it has ended.

    None when the speech lasts to the end.
    """
    wait = int(np.ceil(SHORTEST_SILENCE_SECONDS / WINDOW_SECONDS))
    first = _next(quiet, start)
    while first is not None:
        proof, again = _next(quiet, first + wait), _next(loud, first)
        if proof is not None and (again is None or proof < again):
            return first, proof
        first = None if again is None else _next(quiet, again)
    return None


def _next(places: npt.NDArray[np.intp], least: int) -> int | None:
    """The first of ascending ``places`` that is at least ``least``."""
    index = int(np.searchsorted(places, least))
    return int(places[index]) if index < len(places) else None


def _probabilities(values_W: npt.NDArray[Any]) -> npt.NDArray[np.float64]:
    probabilities = np.asarray(values_W, dtype=np.float64)
    if probabilities.ndim != 1 or not ((probabilities >= 0) & (probabilities <= 1)).all():
        raise ValueError(
            "Expected a vector of probabilities between 0 and 1, found an array of shape "
            f"{probabilities.shape} with other values; take them from SpeechDetector."
        )
    return probabilities
