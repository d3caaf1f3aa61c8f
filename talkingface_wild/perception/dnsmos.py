"""How good a sound would sound to listeners: DNSMOS P.835 (Reddy et al., 2022).
Sound in, three opinions out, nothing of clips or thresholds.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import numpy as np

from talkingface_wild.functional.waveform import RATE, Waveform, is_silent, require_waveform
from talkingface_wild.perception.onnx_session import open_session

WEIGHT = "dnsmos"
"""The weight: ``sig_bak_ovr.onnx`` of Microsoft's DNS challenge, MIT-licensed."""
WINDOW = 144_160
"""Samples that the network hears at once, 9.01 s."""
LEAST_SECONDS = 1.0
"""Shorter sound has no score: repeated to 9.01 s, it is mostly seams."""
# The published polynomials, highest power first, that bring the network's numbers onto the
# listeners' scale; those for sound in general, not the personalised ones.
_SIGNAL = (-0.08397278, 1.22083953, 0.0052439)
_BACKGROUND = (-0.13166888, 1.60915514, -0.39604546)
_OVERALL = (-0.06766283, 1.11546468, 0.04602535)


@dataclass(frozen=True)
class SoundScores:
    """Mean opinions, 1 (bad) to 5 (excellent), as ITU-T P.835 asks for them."""

    signal: float
    """How undistorted the speech is."""
    background: float
    """How little noise there is behind it."""
    overall: float


class SoundQuality:
    """DNSMOS's opinion on a recording of speech."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._session: Any = None

    def open(self, device: str = "cpu", threads: int = 1) -> Self:
        """Load the network; WeightMissing when the file is absent, damaged or another network."""
        self._session = open_session(self.path, device, threads, ("input_1",))
        return self

    def scores(self, samples_16k: Waveform) -> SoundScores | None:
        """The mean over windows of 9.01 s, one every second, of mono sound at 16 kHz.

        ``samples_16k`` is (samples,) float32 in [-1, 1]. As published, a shorter sound is doubled
        until it fills a window, and there are as many windows as whole seconds beyond 9, one at
        least. The published loop loses those that begin 7 to 23 s after the start to a rounding
        error; here they count, so that what is 17 s or longer, repeated or not, differs by up to
        0.1. Under some 3 s scores are up to one too low. Of music the numbers say nothing.

        None under 1 s, and for silence (under -60 dBFS), to which the network gives a number too.
        Raises ValueError for other types, NaN and infinity.
        """
        sound = require_waveform(samples_16k)
        if len(sound) < LEAST_SECONDS * RATE or is_silent(sound):
            return None
        if self._session is None:
            self.open()
        while len(sound) < WINDOW:
            sound = np.tile(sound, 2)
        raw = [
            self._session.run(None, {"input_1": sound[None, start : start + WINDOW]})[0][0]
            for start in range(0, max(1, len(sound) // RATE - 9) * RATE, RATE)
        ]
        signal, background, overall = np.asarray(raw, dtype=np.float64).T
        return SoundScores(
            signal=float(np.polyval(_SIGNAL, signal).mean()),
            background=float(np.polyval(_BACKGROUND, background).mean()),
            overall=float(np.polyval(_OVERALL, overall).mean()),
        )
