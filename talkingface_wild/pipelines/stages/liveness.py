"""Whether the mouth moves with the speech: tells a living face from a photograph with a voice."""

from collections.abc import Sequence

from talkingface_wild.core.columns import Column
from talkingface_wild.core.outcome import Done, Outcome
from talkingface_wild.engine.stage import Item, Stage
from talkingface_wild.functional.mouth import flags_at, mouth_change
from talkingface_wild.functional.speech_share import FRAME_SECONDS, speech_measures
from talkingface_wild.pipelines.clip_crops import CLIP_CROPS, RATE, ensure_clip_crops
from talkingface_wild.pipelines.source_proxy import SPAN_SOUND, span_samples


class Liveness(Stage):
    """Reads the grey crops and the cached sound; decodes nothing."""

    name = "liveness"
    needs = SPAN_SOUND
    reads = (CLIP_CROPS,)
    columns = (
        Column(
            "mouth_change_speech",
            "float",
            "mean change of the mouth a frame while there is speech",
            "grey levels",
            0,
            255,
            3,
        ),
        Column(
            "mouth_change_silence",
            "float",
            "the same in silence; null without a pause",
            "grey levels",
            0,
            255,
            3,
        ),
        Column("mouth_change_ratio", "float", "the first over the second", "", 0, None, 3),
        Column(
            "mouth_to_upper_face",
            "float",
            "change of the mouth over that of brow and eyes, in speech",
            "",
            0,
            None,
            3,
        ),
    )

    def process(self, items: Sequence[Item]) -> list[Outcome]:
        """Null for clips without sound."""
        return [self._one(item) for item in items]

    def _one(self, item: Item) -> Outcome:
        if not item.values.get("has_audio"):
            return Done({})
        greys = ensure_clip_crops(item, self.place).greys
        flags = speech_measures(span_samples(item, self.place)).flags
        if not len(flags):
            return Done({})
        change = mouth_change(greys, flags_at(flags, FRAME_SECONDS, len(greys), RATE))
        return Done(
            {
                "mouth_change_speech": change.in_speech,
                "mouth_change_silence": change.in_silence,
                "mouth_change_ratio": change.ratio,
                "mouth_to_upper_face": change.ratio_to_upper_face,
            }
        )
