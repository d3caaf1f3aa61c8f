"""What pixels say without a network: SSIM, PSNR and TalkingPose's jitter error of a generated video
beside its reference; flicker and sharpness of one video.
"""

import cv2
import numpy as np

from talkingface_wild.benchmark.base import Features
from talkingface_wild.benchmark.decoded_video import DecodedVideo
from talkingface_wild.benchmark.extractors.extractor import PairExtractor, VideoExtractor
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

    def compare(self, generated: DecodedVideo, reference: DecodedVideo) -> Features:
        """Frame against frame, as far as both go. Raises ItemRejected for hardly any picture."""
        from talkingface_wild.functional.similarity import psnr, ssim

        count = min(len(generated), len(reference))
        indices = self.settings.indices(count)
        if not indices:
            raise ItemRejected("too_short", "the two videos share no frame after the first")
        window, channels = self.settings.window, self.settings.channels
        picture = _picture(reference)
        likenesses, ratios = [], []
        for index in indices:
            ours, theirs = (video.frames_NHWC[index][picture] for video in (generated, reference))
            likenesses.append(ssim(ours, theirs, window=window, channels=channels))
            ratios.append(psnr(ours, theirs))
        return {
            "ssim": np.array(likenesses),
            "psnr": np.array(ratios),
            "frame": np.array(indices, dtype=np.int32),
            "frames": np.array([count], dtype=np.int32),
        }


def _picture(reference: DecodedVideo) -> tuple[slice, slice]:
    """The rows and columns of the canvas without its padding."""
    if reference.content is None:
        return slice(None), slice(None)
    left, top, right, bottom = reference.content
    if min(right - left, bottom - top) < LEAST_SIDE_PX:
        size = f"{right - left} x {bottom - top}"
        raise ItemRejected("low_resolution", f"the canvas shows {size} pixels of the real video")
    return slice(top, bottom), slice(left, right)


class FrameJitter(PairExtractor):
    """``error`` (1,): TalkingPose's temporal jitter error of the clip, in grey levels."""

    name = "jitter"

    def compare(self, generated: DecodedVideo, reference: DecodedVideo) -> Features:
        """The difference of the two videos' own changes, two frames apart, from frame 1 on."""
        from talkingface_wild.functional.temporal import temporal_jitter_error

        count = min(len(generated), len(reference))
        pair = (reference.frames_NHWC[1:count], generated.frames_NHWC[1:count])
        error = temporal_jitter_error(*pair)
        if error is None:
            raise ItemRejected("too_short", f"expected 4 common frames, found {count}")
        return {"error": np.array([error])}


class FrameChanges(VideoExtractor):
    """``change`` (1,): mean |frame t+1 − frame t| of the clip in grey levels, from frame 1 on."""

    name = "changes"

    def extract(self, video: DecodedVideo) -> Features:
        """Two frames in memory at a time."""
        from talkingface_wild.functional.temporal import flicker

        change = flicker(video.frames_NHWC[1:])
        if change is None:
            raise ItemRejected("too_short", f"expected 3 frames, found {len(video)}")
        return {"change": np.array([change])}


class FrameSharpness(VideoExtractor):
    """``sharpness`` (frames,): variance of the grey picture's Laplacian (Pech-Pacheco 2000)."""

    name = "sharpness"

    def extract(self, video: DecodedVideo) -> Features:
        """Every frame from frame 1 on, with its index."""
        values = []
        for frame_HWC in video.frames_NHWC[1:]:
            grey_HW = cv2.cvtColor(frame_HWC, cv2.COLOR_RGB2GRAY)
            values.append(float(cv2.Laplacian(grey_HW, cv2.CV_64F).var()))
        frames = np.arange(1, len(video), dtype=np.int32)
        return {"sharpness": np.array(values), "frame": frames}
