"""How vivid the picture is: the mean saturation of the face crop."""

import cv2
import numpy as np

from talkingface_wild.core.columns import Column
from talkingface_wild.core.outcome import Done
from talkingface_wild.engine.stage import Stage
from talkingface_wild.pipelines.clip_crops import CLIP_CROPS, ensure_clip_crops


class Vividness(Stage):
    """Looks at the shared crops: no decode of its own."""

    name = "vividness"
    reads = (CLIP_CROPS,)
    columns = (Column("vividness", "float", "mean saturation of the face crop", "", 0, 1),)

    def process(self, items):
        """One answer per clip."""
        crops = [ensure_clip_crops(item, self.place).crops for item in items]
        return [Done({"vividness": np.mean([saturation(rgb) for rgb in some])}) for some in crops]


def saturation(rgb_HWC):
    """0 for grey, 1 for pure colours."""
    return cv2.cvtColor(rgb_HWC, cv2.COLOR_RGB2HSV)[..., 1].mean() / 255
