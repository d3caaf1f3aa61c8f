"""How the sound would sound to listeners: DNSMOS P.835's three opinions."""

from talkingface_wild import weights
from talkingface_wild.core.outcome import Done, Outcome
from talkingface_wild.engine.stage import Item
from talkingface_wild.functional.waveform import waveform
from talkingface_wild.perception.dnsmos import WEIGHT, SoundQuality
from talkingface_wild.pipelines.column_kinds import measure
from talkingface_wild.pipelines.source_items import ItemByItem
from talkingface_wild.pipelines.source_proxy import SPAN_SOUND, span_samples

_SCALE = "1 bad to 5 excellent"


class ClipSoundQuality(ItemByItem):
    """Reads the cached 16 kHz sound; null for silence, and under 1 s. Of music it says nothing."""

    name = "sound_quality"
    needs = SPAN_SOUND
    columns = (
        measure("sound_quality", f"opinion on the sound in all, {_SCALE}", low=0, high=5),
        measure("sound_signal", f"how undistorted the speech is, {_SCALE}", low=0, high=5),
        measure("sound_background", f"how little noise is behind it, {_SCALE}", low=0, high=5),
    )

    @classmethod
    def weights(cls, config: object) -> tuple[str, ...]:
        """DNSMOS's network."""
        return (WEIGHT,)

    def open(self) -> None:
        """Load the network."""
        self._perceiver = SoundQuality(weights.path(WEIGHT)).open(self.place.device)

    def answer(self, item: Item) -> Outcome:
        """Null for clips without sound."""
        if not item.values.get("has_audio"):
            return Done({})
        scores = self._perceiver.scores(waveform(span_samples(item, self.place)))
        if scores is None:
            return Done({})
        return Done(
            {
                "sound_quality": scores.overall,
                "sound_signal": scores.signal,
                "sound_background": scores.background,
            }
        )
