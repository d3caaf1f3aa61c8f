"""I3D logits of windows of frames, for FVD and KVD."""

from collections.abc import Mapping
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from talkingface_wild.benchmark.decoded_video import DecodedVideo
from talkingface_wild.benchmark.extractors.extractor import VideoExtractor
from talkingface_wild.benchmark.protocol import FvdSettings
from talkingface_wild.core.arrays import Pictures
from talkingface_wild.core.outcome import ItemRejected

_FACE_SIDE = 224
_BATCH = 2
"""Windows at a time: more is no faster on a CPU, and takes memory."""


class I3DFeatures(VideoExtractor):
    """``logits`` (windows, 400) float32 of the windows that fit."""

    name = "i3d"
    settings: FvdSettings

    def weights(self) -> tuple[str, ...]:
        """The Kinetics-400 I3D, and the detector where faces are cropped first."""
        found: tuple[str, ...] = (self.settings.network,)
        return (*found, self.settings.detector) if self.settings.faces else found

    def open(self, device: str, threads: int) -> None:
        """Load the network with the protocol's geometry."""
        from talkingface_wild.perception.face_detector import make_detector
        from talkingface_wild.perception.i3d import I3DPerceiver

        geometry = self.settings.geometry
        network = I3DPerceiver(
            self.path(self.settings.network), geometry=geometry, autocast=self.autocast
        )
        self._network = network.open(device)
        if self.settings.faces:
            name = self.settings.detector
            self._detector = make_detector(name, self.path(name), threads=threads).open(device)

    def extract(self, view: DecodedVideo) -> Mapping[str, npt.NDArray[Any]]:
        """Logits window by window; a window is decoded pixels, never the whole video."""
        settings = self.settings
        last = len(view) - settings.window
        starts = list(range(settings.first, last + 1, settings.step))[: settings.most]
        if not starts:
            raise ItemRejected(
                "too_short",
                f"expected {settings.first + settings.window} frames for one window, "
                f"found {len(view)}",
            )
        found = []
        for place in range(0, len(starts), _BATCH):
            windows = [self._window(view, start) for start in starts[place : place + _BATCH]]
            found.append(self._network.embed(np.stack(windows)))
        return {"logits": np.concatenate(found).astype(np.float32)}

    def _window(self, view: DecodedVideo, start: int) -> Pictures:
        """One window (T, H, W, 3), faces cropped where the protocol asks for it."""
        frames = np.array(view.frames_NHWC[start : start + self.settings.window])
        return self._faces(view, frames, start) if self.settings.faces else frames

    def _faces(self, view: DecodedVideo, frames_THWC: Pictures, start: int) -> Pictures:
        """Each frame's surest face box, without margin, as (T, 224, 224, 3) by area."""
        indices = range(start, start + len(frames_THWC))
        crops = []
        for frame, found in zip(
            frames_THWC, view.faces(self._detector, self.settings.detector, indices), strict=True
        ):
            if not len(found.boxes_N5):
                raise ItemRejected("no_face", "a frame of the window shows no face")
            left, top, right, bottom = np.clip(found.boxes_N5[0, :4].round(), 0, frame.shape[0])
            face = frame[
                int(top) : max(int(bottom), int(top) + 1),
                int(left) : max(int(right), int(left) + 1),
            ]
            crops.append(cv2.resize(face, (_FACE_SIDE, _FACE_SIDE), interpolation=cv2.INTER_AREA))
        return np.stack(crops)
