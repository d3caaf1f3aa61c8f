"""How sharp the face crop is: cheap, before the networks. Decodes once for all that follow."""

import cv2
import numpy as np

from talkingface_wild.core.outcome import Done, Outcome, Rejected
from talkingface_wild.engine.stage import Item
from talkingface_wild.pipelines.clip_crops import CLIP_CROPS, ensure_clip_crops
from talkingface_wild.pipelines.column_kinds import measure
from talkingface_wild.pipelines.source_items import ItemByItem


class Sharpness(ItemByItem):
    """Variance of the grey 512 px crop's Laplacian at eight frames (Pech-Pacheco et al. 2000)."""

    name = "sharpness"
    reads = (CLIP_CROPS,)
    columns = (
        measure(
            "sharpness",
            "variance of the Laplacian of the grey crop, median of eight frames",
            decimals=2,
        ),
        measure("sharpness_least", "the same, least of the frames", decimals=2),
        measure("brightness", "mean grey level of the crop", high=255, decimals=1),
    )

    def answer(self, item: Item) -> Outcome:
        """One answer per clip."""
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
