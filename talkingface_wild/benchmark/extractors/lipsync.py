"""SyncNet's distances of lips to sound, by the protocol's face pipeline."""

from collections.abc import Iterator
from typing import Any, Literal

import cv2
import numpy as np
import numpy.typing as npt

from talkingface_wild.benchmark.base import Features
from talkingface_wild.benchmark.decoded_video import DecodedVideo
from talkingface_wild.benchmark.extractors.extractor import VideoExtractor
from talkingface_wild.benchmark.protocol import SyncSettings
from talkingface_wild.core.arrays import Floats, Pictures
from talkingface_wild.core.outcome import ItemRejected
from talkingface_wild.functional import sync_distances
from talkingface_wild.functional.face_track import CropRule, published_tracks, track_crops
from talkingface_wild.media.recode import recode

KEEP: dict[str, Literal["all", "longest"]] = {"longest": "longest", "mean": "all"}
_SIDE = 224
_BATCH = 16
_SAMPLES_PER_FRAME = 640


class LipSync(VideoExtractor):
    """``means`` (tracks, 31) mean distances per shift, ``windows`` (tracks,), and ``nulls``
    (shifts,): confidences of the first track against its own sound moved by two seconds or more.
    """

    name = "lipsync"
    hears = True
    settings: SyncSettings

    def weights(self) -> tuple[str, ...]:
        """SyncNet, and S3FD where faces are tracked."""
        return ("syncnet_v2", "s3fd") if self.settings.pipeline == "tracked" else ("syncnet_v2",)

    def open(self, device: str, threads: int) -> None:
        """Load the networks."""
        from talkingface_wild.perception.syncnet import SyncNetPerceiver

        self._network = SyncNetPerceiver(self.path("syncnet_v2")).open(device)
        if self.settings.pipeline == "tracked":
            from talkingface_wild.perception.s3fd import S3FDPerceiver

            self._detector = S3FDPerceiver(self.path("s3fd")).open(device)

    def extract(self, video: DecodedVideo) -> Features:
        """Distances of every track that counts, the longest first."""
        if video.sound is None or not len(video.sound):
            raise ItemRejected("no_audio", "there is no sound to compare the lips with")
        if not video.sound.any():
            raise ItemRejected("silent", "the sound is digital silence")
        means: list[Floats] = []
        windows, nulls = [], np.zeros(0)
        for first, crops_bgr in self._crops(video):
            begin = first * _SAMPLES_PER_FRAME
            sound = video.sound[begin : begin + len(crops_bgr) * _SAMPLES_PER_FRAME]
            pair = self._network.embed(crops_bgr, sound)
            distances = sync_distances.distances(pair.lips, pair.sounds)
            if not means:
                nulls = np.asarray(sync_distances.shifted_confidences(pair.lips, pair.sounds))
            means.append(distances.mean(axis=0))
            windows.append(len(distances))
        return {
            "means": np.stack(means),
            "windows": np.array(windows, dtype=np.int32),
            "nulls": nulls,
        }

    def _crops(self, video: DecodedVideo) -> Iterator[tuple[int, Pictures]]:
        """First frame and (N, 224, 224, 3) B, G, R crops of each track that counts, longest first;
        one track at a time.
        """
        settings = self.settings
        cut = next((i for i, s in enumerate(settings.recode) if s.startswith("crop-")), None)
        before, after = settings.recode[:cut], settings.recode[cut:] if cut is not None else ()
        frames = recode(video.frames_NHWC[settings.first :], before, video.fps, video.scratch)
        if settings.pipeline == "whole":
            crops = video.room((len(frames), _SIDE, _SIDE, 3))
            for place, frame in enumerate(frames):
                crops[place] = cv2.resize(frame, (_SIDE, _SIDE))[:, :, ::-1]
            yield settings.first, crops
            return
        rule = CropRule(settings.least_track, settings.least_side, KEEP[settings.tracks])
        tracks = published_tracks(self._boxes(frames), rule)
        if not tracks:
            raise ItemRejected("no_face", f"no face is tracked in {len(frames)} frames")
        for track in sorted(tracks, key=lambda track: -len(track.frames_T)):
            crops = video.room((len(track.frames_T), _SIDE, _SIDE, 3))
            for place, crop in enumerate(track_crops(frames, track, rule)):
                crops[place] = crop
            steps = [step.removeprefix("crop-") for step in after]
            crops_rgb = recode(crops, steps, video.fps, video.scratch)
            yield settings.first + int(track.frames_T[0]), crops_rgb[..., ::-1]

    def _boxes(self, frames_NHWC: Pictures) -> list[npt.NDArray[Any]]:
        """Each frame's faces, some frames at a time."""
        boxes: list[npt.NDArray[Any]] = []
        for start in range(0, len(frames_NHWC), _BATCH):
            boxes += self._detector.detect(np.array(frames_NHWC[start : start + _BATCH]))
        return boxes
