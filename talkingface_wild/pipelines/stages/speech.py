"""How much of a clip is speech, its longest pause, and how loud it is."""

from dataclasses import dataclass
from typing import Literal

from talkingface_wild.core.outcome import Done, Outcome
from talkingface_wild.engine.stage import Item
from talkingface_wild.functional.speech_share import speech_measures
from talkingface_wild.media.sound import loudness_dbfs
from talkingface_wild.pipelines.column_kinds import measure, share, text
from talkingface_wild.pipelines.source_items import ItemByItem
from talkingface_wild.pipelines.source_proxy import SPAN_SOUND, span_samples


@dataclass(frozen=True)
class SpeechConfig:
    """How speech is told from the rest."""

    method: Literal["vad", "energy"] = "vad"
    """vad: WebRTC's detector, which needs no download; energy: relative to the noise floor."""


class Speech(ItemByItem):
    """Reads the cached 16 kHz sound of the span; decodes nothing."""

    name = "speech"
    needs = SPAN_SOUND
    columns = (
        share("speech_ratio", "share of the clip that is speech", 3),
        measure("longest_pause_seconds", "longest stretch without speech", "s", decimals=2),
        text("speech_method", "library, version and mode that told speech"),
        measure(
            "loudness_dbfs",
            "root mean square of the sound; -120 for digital silence",
            "dBFS",
            -120,
            0,
            2,
        ),
    )
    Config = SpeechConfig
    batch_size = 4

    def answer(self, item: Item) -> Outcome:
        """Null for clips without sound."""
        if not item.values.get("has_audio"):
            return Done({})
        samples = span_samples(item, self.place)
        speech = speech_measures(samples, method=self.config.method)
        return Done(
            {
                "speech_ratio": speech.speech_ratio,
                "longest_pause_seconds": speech.longest_pause_seconds,
                "speech_method": speech.method,
                "loudness_dbfs": loudness_dbfs(samples),
            }
        )
