"""How much of a sound is speech, and how long it pauses: by the WebRTC detector, or by level alone.

Works on arrays; neither downloads nor reads anything. The measure's name says how it was taken.
"""

from dataclasses import dataclass
from importlib import metadata
from typing import Literal

import numpy as np
import numpy.typing as npt

from talkingface_wild.core.arrays import Samples

Flags = npt.NDArray[np.bool_]
Method = Literal["vad", "energy"]

FRAME_SECONDS = 0.03
"""Length of a frame; the detector takes 10, 20 or 30 ms."""
RATES = (8000, 16000, 32000, 48000)
"""The rates that the detector takes."""
AGGRESSIVENESS = 2
"""The detector's mode, 0–3; 2 refuses most noise and still keeps quiet speech."""
SHORTEST_PAUSE_SECONDS = 0.20
"""A shorter gap between two stretches of speech (a stop consonant) is counted as speech."""
SHORTEST_SPEECH_SECONDS = 0.09
"""A shorter stretch of speech (a click) is counted as pause."""
FAR_BELOW_SPEECH_DB = 40.0
"""The detector goes on saying speech for some 90 ms after it ended; a frame this far below the loud
ones is none, which makes the ends exact wherever the background is quiet."""
EVEN_LEVEL_DB = 1.0
"""The detector calls a loud tone, hum or even noise speech; speech is never that even: a frame
around which the level's standard deviation over a second is below this is none."""
EVEN_WINDOW_FRAMES = 33
ABOVE_NOISE_DB = 10.0
"""How far above the noise floor (10th percentile of the frames) the energy measure wants speech."""
FAINTEST_DBFS = -60.0
"""What is below is silence to the energy measure, whatever the noise floor."""


@dataclass(frozen=True)
class SpeechMeasures:
    """Speech and pauses of one clip."""

    speech_ratio: float
    """Share of the frames that are speech, 0–1."""
    longest_pause_seconds: float
    """The longest run without speech, the clip's ends included."""
    method: str
    """``webrtcvad-<version>/<mode>`` or ``energy-1``."""
    flags: Flags
    """Per frame; a last part of a frame is left out."""
    frame_seconds: float = FRAME_SECONDS


def speech_measures(samples: Samples, rate: int = 16000, method: Method = "vad") -> SpeechMeasures:
    """Speech measures of mono ``samples`` (N,) at ``rate`` hertz (8, 16, 32 or 48 kHz).

    Frames are judged one by one; then gaps under 0.2 s between speech are closed and speech under
    0.09 s is dropped. A sound shorter than one frame has ratio 0 and is one pause. Raises
    ValueError for another rate or for samples that are not int16 in one dimension.
    """
    if rate not in RATES or samples.dtype != np.int16 or samples.ndim != 1:
        raise ValueError(
            f"expected mono int16 samples at one of {RATES} Hz, found {samples.dtype} of shape "
            f"{samples.shape} at {rate} Hz; resample the sound first"
        )
    length = round(rate * FRAME_SECONDS)
    frames = samples[: len(samples) // length * length].reshape(-1, length)
    if method == "vad":
        name, flags = _detector_flags(frames, rate)
    else:
        name, flags = "energy-1", _energy_flags(frames)
    flags = _smoothed(flags)
    if not len(flags):
        return SpeechMeasures(0.0, len(samples) / rate, name, flags)
    pause = longest_run(~flags) * FRAME_SECONDS
    return SpeechMeasures(float(flags.mean()), pause, name, flags)


def runs(flags: Flags) -> list[tuple[int, int]]:
    """Start and stop (exclusive) of every run of true flags."""
    edges = np.flatnonzero(np.diff(np.concatenate([[0], flags.astype(np.int8), [0]])))
    return [(int(start), int(stop)) for start, stop in edges.reshape(-1, 2)]


def longest_run(flags: Flags) -> int:
    """The length of the longest run of true flags."""
    return max((stop - start for start, stop in runs(flags)), default=0)


def levels_dbfs(frames: Samples) -> npt.NDArray[np.float64]:
    """RMS level of each row of (frames, samples), in dB of full scale, at least −120."""
    power = np.mean((frames.astype(np.float64) / 32768) ** 2, axis=1)
    levels: npt.NDArray[np.float64] = 10 * np.log10(np.maximum(power, 1e-12))
    return levels


def _detector_flags(frames: Samples, rate: int) -> tuple[str, Flags]:
    """The WebRTC detector's answer per frame, without its lag at the end of speech."""
    import webrtcvad

    detector = webrtcvad.Vad(AGGRESSIVENESS)
    flags = np.array([detector.is_speech(frame.tobytes(), rate) for frame in frames], dtype=bool)
    name = f"webrtcvad-{metadata.version('webrtcvad-wheels')}/{AGGRESSIVENESS}"
    if not flags.any():
        return name, flags
    levels = levels_dbfs(frames)
    flags &= levels > np.percentile(levels[flags], 90) - FAR_BELOW_SPEECH_DB
    return name, flags & (_unevenness(levels) >= EVEN_LEVEL_DB)


def _energy_flags(frames: Samples) -> Flags:
    """Frames well above the noise floor; a sound of even level has no speech by this measure."""
    if not len(frames):
        return np.zeros(0, dtype=bool)
    levels = levels_dbfs(frames)
    floor = max(float(np.percentile(levels, 10)), FAINTEST_DBFS - ABOVE_NOISE_DB)
    return np.asarray(levels > floor + ABOVE_NOISE_DB)


def _unevenness(levels: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Standard deviation of the level, in dB, over the second around each frame."""
    window = min(EVEN_WINDOW_FRAMES, len(levels))
    views = np.lib.stride_tricks.sliding_window_view(levels, window)
    centres = np.clip(np.arange(len(levels)) - window // 2, 0, len(views) - 1)
    return np.asarray(views.std(axis=1)[centres])


def _smoothed(flags: Flags) -> Flags:
    """Flags without short gaps between speech, then without short stretches of speech."""
    smooth = flags.copy()
    for start, stop in runs(~flags):
        inside = start > 0 and stop < len(flags)
        if inside and (stop - start) * FRAME_SECONDS < SHORTEST_PAUSE_SECONDS:
            smooth[start:stop] = True
    for start, stop in runs(smooth):
        if (stop - start) * FRAME_SECONDS < SHORTEST_SPEECH_SECONDS - 1e-9:
            smooth[start:stop] = False
    return smooth
