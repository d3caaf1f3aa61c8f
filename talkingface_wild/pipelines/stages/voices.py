"""Whether another voice speaks within a clip: it compares a clip's voice with itself alone."""

from talkingface_wild import weights
from talkingface_wild.core.outcome import Done, Outcome
from talkingface_wild.engine.stage import Item
from talkingface_wild.functional.speech_spans import spans_of_flags
from talkingface_wild.functional.voice_change import voice_change
from talkingface_wild.functional.waveform import waveform
from talkingface_wild.perception.voice_embedding import WEIGHT, VoiceEmbedding
from talkingface_wild.pipelines.clip_speech import SpeechConfig, SpeechEar
from talkingface_wild.pipelines.column_kinds import measure
from talkingface_wild.pipelines.source_items import ItemByItem
from talkingface_wild.pipelines.source_proxy import SPAN_SOUND, span_samples


class Voices(ItemByItem):
    """Reads the cached sound. Null where no cut has two seconds of speech on each side."""

    name = "voices"
    needs = SPAN_SOUND
    columns = (
        measure(
            "voice_similarity",
            "least cosine of the voices before and after any instant; one voice is near 1",
            low=-1,
            high=1,
        ),
        measure("voice_change_seconds", "that instant, after the clip's start", "s", decimals=2),
    )
    Config = SpeechConfig
    settings_from = "speech"

    @classmethod
    def on_this_machine(cls, config: SpeechConfig) -> SpeechConfig:
        """With the method that is here."""
        return config.here()

    @classmethod
    def weights(cls, config: SpeechConfig) -> tuple[str, ...]:
        """The network that embeds voices, and Silero's where it listens."""
        return (WEIGHT, *config.weights())

    def open(self) -> None:
        """Load both."""
        self._ear = SpeechEar(self.config, self.place)
        self._perceiver = VoiceEmbedding(weights.path(WEIGHT)).open(self.place.device)

    def answer(self, item: Item) -> Outcome:
        """Null for clips without sound, or with too little speech."""
        if not item.values.get("has_audio"):
            return Done({})
        samples = span_samples(item, self.place)
        speech = self._ear.hear(samples)
        spans = spans_of_flags(speech.flags, speech.frame_seconds)
        partials = self._perceiver.partials(waveform(samples))
        change = voice_change(partials.embeddings, partials.starts_seconds, spans)
        if change is None:
            return Done({})
        return Done({"voice_similarity": change.similarity, "voice_change_seconds": change.seconds})
