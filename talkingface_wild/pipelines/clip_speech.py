"""Speech in a clip's sound, for the stage that measures it and for those that need its times."""

from dataclasses import dataclass, replace
from typing import Any, Literal, Self

from talkingface_wild import weights
from talkingface_wild.core.arrays import Samples
from talkingface_wild.engine.stage import Workplace
from talkingface_wild.functional.speech_share import SpeechMeasures, speech_measures
from talkingface_wild.functional.speech_spans import speech_from_probabilities
from talkingface_wild.functional.waveform import waveform
from talkingface_wild.perception.silero_vad import VERSION, WEIGHT, SpeechDetector


@dataclass(frozen=True)
class SpeechConfig:
    """How speech is told from the rest."""

    method: Literal["auto", "silero", "vad", "energy"] = "auto"
    """silero: Silero's network, which tells speech from music; vad: WebRTC's detector, which needs
    no weights and takes music for speech; energy: relative to the noise floor; auto: silero where
    its weight is, else vad."""

    def here(self) -> Self:
        """With the method that this machine has for what is left open."""
        if self.method != "auto":
            return self
        return replace(self, method="vad" if weights.find(WEIGHT) is None else "silero")

    def weights(self) -> tuple[str, ...]:
        """Silero's network where it listens."""
        return (WEIGHT,) if self.here().method == "silero" else ()


class SpeechEar:
    """A method, opened once per worker."""

    def __init__(self, config: SpeechConfig, place: Workplace) -> None:
        self._method = config.here().method
        self._detector: Any = None
        if self._method == "silero":
            self._detector = SpeechDetector(weights.path(WEIGHT)).open(place.device)

    def hear(self, samples: Samples) -> SpeechMeasures:
        """The speech of mono int16 sound at 16 kHz."""
        if self._detector is None:
            return speech_measures(samples, method="energy" if self._method == "energy" else "vad")
        probabilities = self._detector.probabilities(waveform(samples))
        return speech_from_probabilities(probabilities, f"silero-vad-{VERSION}")
