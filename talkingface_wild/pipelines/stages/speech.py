"""How much of a clip is speech, its longest pause, and how loud it is."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from talkingface_wild.core.columns import Column
from talkingface_wild.core.outcome import Done, Outcome
from talkingface_wild.engine.stage import Item, Stage
from talkingface_wild.functional.speech_share import speech_measures
from talkingface_wild.media.sound import loudness_dbfs
from talkingface_wild.pipelines.source_proxy import SPAN_SOUND, span_samples


@dataclass(frozen=True)
class SpeechConfig:
    """How speech is told from the rest."""

    method: Literal["vad", "energy"] = "vad"
    """vad: WebRTC's detector, which needs no download; energy: relative to the noise floor."""


class Speech(Stage):
    """Reads the cached 16 kHz sound of the span; decodes nothing."""

    name = "speech"
    needs = SPAN_SOUND
    columns = (
        Column("speech_ratio", "float", "share of the clip that is speech", "", 0, 1, 3),
        Column("longest_pause_seconds", "float", "longest stretch without speech", "s", 0, None, 2),
        Column("speech_method", "string", "library, version and mode that told speech"),
        Column(
            "loudness_dbfs",
            "float",
            "root mean square of the sound; -120 for digital silence",
            "dBFS",
            -120,
            0,
            2,
        ),
    )
    Config = SpeechConfig
    batch_size = 4

    def process(self, items: Sequence[Item]) -> list[Outcome]:
        """Null for clips without sound."""
        return [self._one(item) for item in items]

    def _one(self, item: Item) -> Outcome:
        if not item.values.get("has_audio"):
            return Done({})
        samples = span_samples(item, self.place)
        found = speech_measures(samples, method=self.config.method)
        return Done(
            {
                "speech_ratio": found.speech_ratio,
                "longest_pause_seconds": found.longest_pause_seconds,
                "speech_method": found.method,
                "loudness_dbfs": loudness_dbfs(samples),
            }
        )
