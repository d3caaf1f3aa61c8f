"""Fingerprints of picture and sound, by which copies are found whatever their encoding."""

from collections.abc import Sequence

import numpy as np

from talkingface_wild.core.columns import Column
from talkingface_wild.core.outcome import Done, Outcome
from talkingface_wild.engine.stage import Item, Stage
from talkingface_wild.functional.fingerprints import fingerprint
from talkingface_wild.pipelines.clip_crops import CLIP_CROPS, RATE, ensure_clip_crops
from talkingface_wild.pipelines.source_proxy import SPAN_SOUND, span_samples


class Prints(Stage):
    """Reads the crops and the cached sound; decodes nothing."""

    name = "prints"
    needs = SPAN_SOUND
    reads = (CLIP_CROPS,)
    columns = (
        Column(
            "picture_print",
            "string",
            "64-bit perceptual hash of the crop, one a second, hexadecimal",
        ),
        Column("sound_print", "string", "32-bit fingerprint of the sound every 32 ms, hexadecimal"),
    )

    def process(self, items: Sequence[Item]) -> list[Outcome]:
        """One fingerprint per clip."""
        return [self._one(item) for item in items]

    def _one(self, item: Item) -> Outcome:
        pictures = list(ensure_clip_crops(item, self.place).greys[:: int(RATE)])
        samples = (
            span_samples(item, self.place)
            if item.values.get("has_audio")
            else np.zeros(0, np.int16)
        )
        found = fingerprint(pictures, samples)
        return Done({"picture_print": found.picture, "sound_print": found.sound})
