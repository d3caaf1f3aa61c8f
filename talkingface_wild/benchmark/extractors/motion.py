"""Flicker and sharpness of one video: pixels alone, no network."""

from collections.abc import Mapping
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from talkingface_wild.benchmark.decoded_video import DecodedVideo
from talkingface_wild.benchmark.extractors.extractor import VideoExtractor
from talkingface_wild.core.outcome import ItemRejected


class FrameChanges(VideoExtractor):
    """``change`` (1,): mean |frame t+1 − frame t| of the clip in grey levels, from frame 1 on."""

    name = "changes"

    def extract(self, view: DecodedVideo) -> Mapping[str, npt.NDArray[Any]]:
        """Two frames in memory at a time."""
        from talkingface_wild.functional.temporal import flicker

        change = flicker(view.frames_NHWC[1:])
        if change is None:
            raise ItemRejected("too_short", f"expected 3 frames, found {len(view)}")
        return {"change": np.array([change])}


class FrameSharpness(VideoExtractor):
    """``sharpness`` (frames,): variance of the grey picture's Laplacian (Pech-Pacheco 2000)."""

    name = "sharpness"

    def extract(self, view: DecodedVideo) -> Mapping[str, npt.NDArray[Any]]:
        """Every frame from frame 1 on, with its index."""
        indices = range(1, len(view))
        values = [
            float(
                cv2.Laplacian(
                    cv2.cvtColor(view.frames_NHWC[i], cv2.COLOR_RGB2GRAY), cv2.CV_64F
                ).var()
            )
            for i in indices
        ]
        return {"sharpness": np.array(values), "frame": np.array(indices, dtype=np.int32)}
