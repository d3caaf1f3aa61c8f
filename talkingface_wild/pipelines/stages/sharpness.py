"""How sharp the face crop is: cheap, before the networks. Decodes once for all that follow."""

from collections.abc import Sequence

import cv2
import numpy as np

from talkingface_wild.core.columns import Column
from talkingface_wild.core.outcome import Done, Outcome, Rejected
from talkingface_wild.engine.stage import Item, Stage
from talkingface_wild.pipelines.clip_crops import CLIP_CROPS, ensure_clip_crops


class Sharpness(Stage):
    """Variance of the grey 512 px crop's Laplacian at eight frames (Pech-Pacheco et al. 2000)."""

    name = "sharpness"
    reads = (CLIP_CROPS,)
    columns = (
        Column(
            "sharpness",
            "float",
            "variance of the Laplacian of the grey crop, median of eight frames",
            "",
            0,
            None,
            2,
        ),
        Column("sharpness_least", "float", "the same, least of the frames", "", 0, None, 2),
        Column("brightness", "float", "mean grey level of the crop", "", 0, 255, 1),
    )

    def process(self, items: Sequence[Item]) -> list[Outcome]:
        """One answer per clip."""
        return [self._one(item) for item in items]

    def _one(self, item: Item) -> Outcome:
        grey = [
            cv2.cvtColor(crop, cv2.COLOR_RGB2GRAY)
            for crop in ensure_clip_crops(item, self.place).crops
        ]
        if not grey:
            return Rejected("undecodable", "the picture ends before the first chosen frame")
        values = [float(cv2.Laplacian(picture, cv2.CV_64F).var()) for picture in grey]
        return Done(
            {
                "sharpness": float(np.median(values)),
                "sharpness_least": min(values),
                "brightness": float(np.mean([picture.mean() for picture in grey])),
            }
        )
