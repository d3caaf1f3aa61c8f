"""Whether the mouth moves with the speech: tells a living face from a photograph with a voice."""

from talkingface_wild.core.outcome import Done, Outcome
from talkingface_wild.engine.stage import Item
from talkingface_wild.functional.mouth import flags_at, mouth_change
from talkingface_wild.functional.speech_share import FRAME_SECONDS, speech_measures
from talkingface_wild.pipelines.clip_crops import CLIP_CROPS, RATE, ensure_clip_crops
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

    def answer(self, item: Item) -> Outcome:
        """Null for clips without sound."""
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
