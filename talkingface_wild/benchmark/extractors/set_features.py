"""Inception pool features of frames, for FID and KID; I3D logits of windows, for FVD and KVD."""

import cv2
import numpy as np

from talkingface_wild.benchmark.base import Features
from talkingface_wild.benchmark.decoded_video import DecodedVideo
from talkingface_wild.benchmark.extractors.extractor import VideoExtractor
from talkingface_wild.benchmark.protocol import FidSettings, FvdSettings
from talkingface_wild.core.arrays import Pictures
from talkingface_wild.core.outcome import ItemRejected
from talkingface_wild.functional.face_samples import Detection

_FACE_SIDE = 224
_FRAMES_AT_A_TIME = 32
_WINDOWS_AT_A_TIME = 2
"""More is no faster on a CPU, and takes memory."""


class InceptionFeatures(VideoExtractor):
    """``pool`` (frames, 2048) float16 of the protocol's frames."""

    name = "inception"
    settings: FidSettings

    def weights(self) -> tuple[str, ...]:
        """The FID Inception."""
        return (self.settings.network,)

    def open(self, device: str, threads: int) -> None:
        """Load the network with the protocol's resize."""
        from talkingface_wild.perception.inception import InceptionPerceiver

        network = InceptionPerceiver(
            self.path(self.settings.network), resize=self.settings.resize, autocast=self.autocast
        )
        self._network = network.open(device)

    def extract(self, video: DecodedVideo) -> Features:
        """Features of the protocol's frames, a few at a time."""
        indices = self.indices(len(video))
        rows = []
        for start in range(0, len(indices), _FRAMES_AT_A_TIME):
            frames = video.frames_NHWC[indices[start : start + _FRAMES_AT_A_TIME]]
            rows.append(self._network.embed(np.array(frames)))
        return {"pool": np.concatenate(rows).astype(np.float16)}


class I3DFeatures(VideoExtractor):
    """``logits`` (windows, 400) float32 of the windows that fit."""

    name = "i3d"
    settings: FvdSettings

    def weights(self) -> tuple[str, ...]:
        """The Kinetics-400 I3D, and the detector where faces are cropped first."""
        detector = (self.settings.detector,) if self.settings.faces else ()
        return (self.settings.network, *detector)

    def open(self, device: str, threads: int) -> None:
        """Load the network with the protocol's geometry."""
        from talkingface_wild.perception.i3d import I3DPerceiver

        settings = self.settings
        network = I3DPerceiver(
            self.path(settings.network), geometry=settings.geometry, autocast=self.autocast
        )
        self._network = network.open(device)
        if settings.faces:
            self._detector = self.face_detector(device, threads)

    def extract(self, video: DecodedVideo) -> Features:
        """Logits window by window; a window is decoded pixels, never the whole video."""
        settings = self.settings
        last = len(video) - settings.window
        starts = range(settings.first, last + 1, settings.step)[: settings.most]
        if not starts:
            raise ItemRejected(
                "too_short",
                f"expected {settings.first + settings.window} frames for one window, "
                f"found {len(video)}",
            )
        logits = []
        for place in range(0, len(starts), _WINDOWS_AT_A_TIME):
            some = starts[place : place + _WINDOWS_AT_A_TIME]
            logits.append(self._network.embed(np.stack([self._window(video, s) for s in some])))
        return {"logits": np.concatenate(logits).astype(np.float32)}

    def _window(self, video: DecodedVideo, start: int) -> Pictures:
        """One window (T, H, W, 3), faces cropped where the protocol asks for it."""
        frames_THWC = np.array(video.frames_NHWC[start : start + self.settings.window])
        if not self.settings.faces:
            return frames_THWC
        indices = range(start, start + len(frames_THWC))
        detections = video.faces(self._detector, self.settings.detector, indices)
        return np.stack(
            [
                _face(frame, detection)
                for frame, detection in zip(frames_THWC, detections, strict=True)
            ]
        )


def _face(frame_HWC: Pictures, detection: Detection) -> Pictures:
    """The surest face's box, without margin, as (224, 224, 3) by area."""
    if not len(detection.boxes_N5):
        raise ItemRejected("no_face", "a frame of the window shows no face")
    box = detection.boxes_N5[0, :4].round()
    left, top, right, bottom = np.clip(box, 0, frame_HWC.shape[0]).astype(int)
    face = frame_HWC[top : max(bottom, top + 1), left : max(right, left + 1)]
    resized = cv2.resize(face, (_FACE_SIDE, _FACE_SIDE), interpolation=cv2.INTER_AREA)
    return np.asarray(resized, np.uint8)
