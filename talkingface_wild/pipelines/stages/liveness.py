"""Whether the mouth moves with the speech: tells a living face from a photograph with a voice."""

from typing import Any

from talkingface_wild.core.outcome import Done, Outcome
from talkingface_wild.engine.stage import Item
from talkingface_wild.functional.mouth import flags_at, mouth_change
from talkingface_wild.pipelines.clip_crops import CLIP_CROPS, RATE, ensure_clip_crops
from talkingface_wild.pipelines.clip_speech import SpeechConfig, SpeechEar
from talkingface_wild.pipelines.column_kinds import measure
from talkingface_wild.pipelines.source_items import ItemByItem
from talkingface_wild.pipelines.source_proxy import SPAN_SOUND, span_samples


class Liveness(ItemByItem):
    """Reads the grey crops and the cached sound; decodes nothing."""

    name = "liveness"
    needs = SPAN_SOUND
    reads = (CLIP_CROPS,)
    columns = (
        measure(
            "mouth_change_speech",
            "mean change of the mouth a frame while there is speech",
            "grey levels",
            high=255,
        ),
        measure(
            "mouth_change_silence",
            "the same in silence; null without a pause",
            "grey levels",
            high=255,
        ),
        measure("mouth_change_ratio", "the first over the second"),
        measure("mouth_to_upper_face", "change of the mouth over that of brow and eyes, in speech"),
    )

    Config = SpeechConfig
    settings_from = "speech"

    @classmethod
    def on_this_machine(cls, config: SpeechConfig) -> SpeechConfig:
        """With the method that is here."""
        return config.here()

    @classmethod
    def weights(cls, config: SpeechConfig) -> tuple[str, ...]:
        """Silero's network where it listens."""
        return config.weights()

    @classmethod
    def identity(cls, config: SpeechConfig) -> dict[str, Any]:
        """Nothing for WebRTC's detector, which was the only one: results of before stay valid."""
        return {} if config.method == "vad" else super().identity(config)

    def open(self) -> None:
        """Load the detector."""
        self._ear = SpeechEar(self.config, self.place)

    def answer(self, item: Item) -> Outcome:
        """Null for clips without sound."""
        if not item.values.get("has_audio"):
            return Done({})
        greys = ensure_clip_crops(item, self.place).greys
        speech = self._ear.hear(span_samples(item, self.place))
        if not len(speech.flags):
            return Done({})
        flags = flags_at(speech.flags, speech.frame_seconds, len(greys), RATE)
        change = mouth_change(greys, flags)
        return Done(
            {
                "mouth_change_speech": change.in_speech,
                "mouth_change_silence": change.in_silence,
                "mouth_change_ratio": change.ratio,
                "mouth_to_upper_face": change.ratio_to_upper_face,
            }
        )
