"""How much of the crop window lines of text cover: subtitles, watermarks, signs of the scene."""

from dataclasses import dataclass

import numpy as np

from talkingface_wild import weights
from talkingface_wild.core.outcome import Done, Outcome
from talkingface_wild.engine.stage import Item
from talkingface_wild.functional.text_boxes import covered_share
from talkingface_wild.perception.text_detector import WEIGHT, TextDetector
from talkingface_wild.pipelines.clip_crops import CHOSEN, CLIP_CROPS, ensure_clip_crops
from talkingface_wild.pipelines.column_kinds import share
from talkingface_wild.pipelines.source_items import ItemByItem


@dataclass(frozen=True)
class BurntTextConfig:
    """How many pictures are looked at."""

    frames: int = 4
    """Of the 8 chosen frames, spread evenly; all of them from 8 on."""


class BurntText(ItemByItem):
    """Looks for lines of text in the pictures that training would see; reads none of them."""

    name = "burnt_text"
    reads = (CLIP_CROPS,)
    columns = (
        share("text_share", "mean share of the crop window that lines of text cover"),
        share("text_frames_ratio", "share of the frames looked at that show text"),
    )
    Config = BurntTextConfig

    @classmethod
    def weights(cls, config: BurntTextConfig) -> tuple[str, ...]:
        """PP-OCRv6's detector."""
        return (WEIGHT,)

    def open(self) -> None:
        """Load the network."""
        detector = TextDetector(weights.path(WEIGHT), threads=self.place.threads)
        self._detector = detector.open(self.place.device)

    def answer(self, item: Item) -> Outcome:
        """Of crop windows: text that the encoded clip does not hold counts for nothing."""
        crops = ensure_clip_crops(item, self.place).crops
        step = max(1, round(CHOSEN / max(1, self.config.frames)))
        shares = [
            covered_share(self._detector.boxes(crop), *crop.shape[:2]) for crop in crops[::step]
        ]
        if not shares:
            return Done({})
        return Done(
            {
                "text_share": float(np.mean(shares)),
                "text_frames_ratio": float(np.mean(np.array(shares) > 0)),
            }
        )
