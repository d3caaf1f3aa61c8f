"""Which language is spoken, by Whisper's language head; unverified without its weights."""

from dataclasses import dataclass
from typing import Literal

from talkingface_wild import weights
from talkingface_wild.core.outcome import Done, Outcome
from talkingface_wild.engine.stage import Item, Resources
from talkingface_wild.pipelines.column_kinds import share, text
from talkingface_wild.pipelines.source_items import ItemByItem
from talkingface_wild.pipelines.source_proxy import SPAN_SOUND, span_samples


@dataclass(frozen=True)
class LanguageConfig:
    """Which network listens."""

    network: Literal["whisper_small", "whisper_base"] = "whisper_small"
    """The weight's name in the manifest; base is faster and less sure."""


class SpokenLanguage(ItemByItem):
    """Probabilities over all languages that the network knows, from the clip's first 30 s."""

    name = "language"
    needs = SPAN_SOUND
    columns = (
        text("spoken_language", "most probable spoken language"),
        share("spoken_probability", "its probability"),
        share("claimed_probability", "probability of the language as listed or searched"),
    )
    Config = LanguageConfig
    resources = Resources(gpus=0.1)

    @classmethod
    def weights(cls, config: LanguageConfig) -> tuple[str, ...]:
        """The network's checkpoint."""
        return (config.network,)

    def open(self) -> None:
        """Load the network."""
        from talkingface_wild.perception.spoken_language import SpokenLanguagePerceiver

        self._perceiver = SpokenLanguagePerceiver(weights.path(self.config.network)).open(
            self.place.device
        )

    def answer(self, item: Item) -> Outcome:
        """Null for clips without sound."""
        if not item.values.get("has_audio"):
            return Done({})
        probabilities = self._perceiver.probabilities(span_samples(item, self.place))
        best = max(sorted(probabilities), key=lambda tag: probabilities[tag])
        return Done(
            {
                "spoken_language": best,
                "spoken_probability": probabilities[best],
                "claimed_probability": probabilities.get(item.group.split("-")[0]),
            }
        )
