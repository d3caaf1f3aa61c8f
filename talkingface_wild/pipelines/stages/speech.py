"""How much of a clip is speech, its longest pause, and how loud it is."""

from talkingface_wild.core.outcome import Done, Outcome
from talkingface_wild.engine.stage import Item
from talkingface_wild.media.sound import loudness_dbfs
from talkingface_wild.pipelines.clip_speech import SpeechConfig, SpeechEar
from talkingface_wild.pipelines.column_kinds import measure, share, text
from talkingface_wild.pipelines.source_items import ItemByItem
from talkingface_wild.pipelines.source_proxy import SPAN_SOUND, span_samples


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

    @classmethod
    def on_this_machine(cls, config: SpeechConfig) -> SpeechConfig:
        """With the method that is here."""
        return config.here()

    @classmethod
    def weights(cls, config: SpeechConfig) -> tuple[str, ...]:
        """Silero's network where it listens."""
        return config.weights()

    def open(self) -> None:
        """Load the detector."""
        self._ear = SpeechEar(self.config, self.place)

    def answer(self, item: Item) -> Outcome:
        """Null for clips without sound."""
        if not item.values.get("has_audio"):
            return Done({})
        samples = span_samples(item, self.place)
        speech = self._ear.hear(samples)
        return Done(
            {
                "speech_ratio": speech.speech_ratio,
                "longest_pause_seconds": speech.longest_pause_seconds,
                "speech_method": speech.method,
                "loudness_dbfs": loudness_dbfs(samples),
            }
        )
