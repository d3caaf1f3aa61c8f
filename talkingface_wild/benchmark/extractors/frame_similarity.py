"""SSIM, PSNR and TalkingPose's jitter error of a generated video beside its reference."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from talkingface_wild.benchmark.decoded_video import DecodedVideo
from talkingface_wild.benchmark.extractors.extractor import PairExtractor
from talkingface_wild.benchmark.protocol import SimilaritySettings
from talkingface_wild.core.outcome import ItemRejected

LEAST_SIDE_PX = 16
"""A narrower strip of picture on the canvas is not compared: SSIM's window is 11 wide."""


class FrameSimilarity(PairExtractor):
    """``ssim`` and ``psnr`` (K,) float64, ``frame`` (K,) their indices, ``frames`` (1,) in all.

    The padding of the canvas, equal on both sides, is cut off first: what is compared is where the
    canvas shows the real video's picture.
    """

    name = "similarity"
    version = 2
    settings: SimilaritySettings

    def compare(
        self, generated: DecodedVideo, reference: DecodedVideo
    ) -> Mapping[str, npt.NDArray[Any]]:
        """Frame against frame, as far as both go. Raises ItemRejected for hardly any picture."""
        from talkingface_wild.functional.similarity import psnr, ssim

        indices = self.settings.indices(min(len(generated), len(reference)))
        if not indices:
            raise ItemRejected("too_short", "the two videos share no frame after the first")
        window, channels = self.settings.window, self.settings.channels
        rows, columns = _picture(reference)
        likenesses, ratios = [], []
        for index in indices:
            ours = generated.frames_NHWC[index][rows, columns]
            theirs = reference.frames_NHWC[index][rows, columns]
            likenesses.append(ssim(ours, theirs, window=window, channels=channels))
            ratios.append(psnr(ours, theirs))
        return {
            "ssim": np.array(likenesses),
            "psnr": np.array(ratios),
            "frame": np.array(indices, dtype=np.int32),
            "frames": np.array([min(len(generated), len(reference))], dtype=np.int32),
        }


def _picture(reference: DecodedVideo) -> tuple[slice, slice]:
    """The rows and columns of the canvas without its padding."""
    if reference.content is None:
        return slice(None), slice(None)
    left, top, right, bottom = reference.content
    if min(right - left, bottom - top) < LEAST_SIDE_PX:
        said = f"the canvas shows {right - left} x {bottom - top} pixels of the real video"
        raise ItemRejected("low_resolution", said)
    return slice(top, bottom), slice(left, right)


class FrameJitter(PairExtractor):
    """``error`` (1,): TalkingPose's temporal jitter error of the clip, in grey levels."""

    name = "jitter"

    def compare(
        self, generated: DecodedVideo, reference: DecodedVideo
    ) -> Mapping[str, npt.NDArray[Any]]:
        """The difference of the two videos' own changes, two frames apart, from frame 1 on."""
        from talkingface_wild.functional.temporal import temporal_jitter_error

        count = min(len(generated), len(reference))
        pair = (reference.frames_NHWC[1:count], generated.frames_NHWC[1:count])
        error = temporal_jitter_error(*pair)
        if error is None:
            raise ItemRejected("too_short", f"expected 4 common frames, found {count}")
        return {"error": np.array([error])}
