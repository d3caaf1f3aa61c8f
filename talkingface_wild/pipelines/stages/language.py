"""Which language is spoken, by Whisper's language head; unverified without its weights."""

import importlib.util
from dataclasses import dataclass, replace
from typing import Any, Final, Literal, Self

from talkingface_wild import weights
from talkingface_wild.core.outcome import Done, Outcome
from talkingface_wild.engine.stage import Item, Resources, Workplace
from talkingface_wild.pipelines.column_kinds import share, text
from talkingface_wild.pipelines.source_items import ItemByItem
from talkingface_wild.pipelines.source_proxy import SPAN_SOUND, span_samples

_FASTER: Final = "faster_whisper_base"
_PACKAGE = "faster_whisper"


@dataclass(frozen=True)
class LanguageConfig:
    """Which network listens."""

    network: Literal["whisper_small", "whisper_base", "faster_whisper_base", "auto"] = (
        "whisper_small"
    )
    """The weight's name in the manifest; base is faster and less sure. faster_whisper_base is base
    too and needs the extra language; auto: whisper_small where its weight is, else
    faster_whisper_base where that and the extra are."""

    def here(self) -> Self:
        """With the network that this machine has for what is left open."""
        if self.network != "auto":
            return self
        faster = (
            weights.find("whisper_small") is None
            and importlib.util.find_spec(_PACKAGE) is not None
            and weights.find(_FASTER) is not None
        )
        return replace(self, network=_FASTER if faster else "whisper_small")


class SpokenLanguage(ItemByItem):
    """Probabilities over all languages that the network knows, the mean over windows of 30 s."""

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
    def on_this_machine(cls, config: LanguageConfig) -> LanguageConfig:
        """With the network that is here."""
        return config.here()

    @classmethod
    def weights(cls, config: LanguageConfig) -> tuple[str, ...]:
        """The network's checkpoint."""
        return (config.here().network,)

    @classmethod
    def requires(cls, config: LanguageConfig) -> tuple[str, ...]:
        """faster-whisper, where it runs the network."""
        return (_PACKAGE,) if config.here().network == _FASTER else ()

    def open(self) -> None:
        """Load the network."""
        self._perceiver = _perceiver(self.config.here().network, self.place)

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


def _perceiver(network: str, place: Workplace) -> Any:
    path = weights.path(network)
    if network == _FASTER:
        from talkingface_wild.perception.faster_whisper_base import FasterWhisperLanguage

        return FasterWhisperLanguage(path).open(threads=place.threads)
    from talkingface_wild.perception.spoken_language import SpokenLanguagePerceiver

    return SpokenLanguagePerceiver(path).open(place.device)
