"""Fingerprints of picture and sound, by which copies are found whatever their encoding."""

import numpy as np

from talkingface_wild.core.outcome import Done, Outcome
from talkingface_wild.engine.stage import Item
from talkingface_wild.functional.fingerprints import fingerprint
from talkingface_wild.pipelines.clip_crops import CLIP_CROPS, RATE, ensure_clip_crops
from talkingface_wild.pipelines.column_kinds import text
from talkingface_wild.pipelines.source_items import ItemByItem
from talkingface_wild.pipelines.source_proxy import SPAN_SOUND, span_samples


class Prints(ItemByItem):
    """Reads the crops and the cached sound; decodes nothing."""

    name = "prints"
    needs = SPAN_SOUND
    reads = (CLIP_CROPS,)
    columns = (
        text("picture_print", "64-bit perceptual hash of the crop, one a second, hexadecimal"),
        text("sound_print", "32-bit fingerprint of the sound every 32 ms, hexadecimal"),
    )

    def answer(self, item: Item) -> Outcome:
        """One fingerprint per clip."""
        pictures = list(ensure_clip_crops(item, self.place).greys[:: int(RATE)])
        samples = (
            span_samples(item, self.place)
            if item.values.get("has_audio")
            else np.zeros(0, np.int16)
        )
        prints = fingerprint(pictures, samples)
        return Done({"picture_print": prints.picture, "sound_print": prints.sound})
