"""Which language is spoken, by Whisper's language head; unverified without its weights."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from talkingface_wild import weights
from talkingface_wild.core.columns import Column
from talkingface_wild.core.outcome import Done, Outcome
from talkingface_wild.engine.stage import Item, Resources, Stage
from talkingface_wild.pipelines.source_proxy import SPAN_SOUND, span_samples


@dataclass(frozen=True)
class LanguageConfig:
    """Which network listens."""

    network: Literal["whisper_small", "whisper_base"] = "whisper_small"
    """The weight's name in the manifest; base is faster and less sure."""


class SpokenLanguage(Stage):
    """Probabilities over all languages that the network knows, from the clip's first 30 s."""

    name = "language"
    needs = SPAN_SOUND
    columns = (
        Column("spoken_language", "string", "most probable spoken language"),
        Column("spoken_probability", "float", "its probability", "", 0, 1, 4),
        Column(
            "claimed_probability",
            "float",
            "probability of the language as listed or searched",
            "",
            0,
            1,
            4,
        ),
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

    def process(self, items: Sequence[Item]) -> list[Outcome]:
        """Null for clips without sound."""
        outcomes: list[Outcome] = []
        for item in items:
            if not item.values.get("has_audio"):
                outcomes.append(Done({}))
                continue
            probabilities = self._perceiver.probabilities(span_samples(item, self.place))
            best = max(sorted(probabilities), key=lambda tag: probabilities[tag])
            claimed = probabilities.get(item.group.split("-")[0])
            outcomes.append(
                Done(
                    {
                        "spoken_language": best,
                        "spoken_probability": probabilities[best],
                        "claimed_probability": claimed,
                    }
                )
            )
        return outcomes
