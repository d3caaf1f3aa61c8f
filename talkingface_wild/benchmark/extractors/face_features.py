"""Expression coefficients and identities of aligned faces; both share one detection."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from talkingface_wild.benchmark.base import Features
from talkingface_wild.benchmark.decoded_video import DecodedVideo
from talkingface_wild.benchmark.extractors.extractor import VideoExtractor
from talkingface_wild.benchmark.protocol import ExpressionSettings, IdentitySettings
from talkingface_wild.core.arrays import Pictures
from talkingface_wild.core.outcome import ItemRejected

Points = npt.NDArray[Any]
Align = Callable[[Pictures, Points], Pictures]
COEFFICIENTS, POOL = 257, 2048
_BATCH = 16


class _Faces(VideoExtractor):
    """The surest face of some frames, aligned by its five points."""

    settings: ExpressionSettings | IdentitySettings
    _detector: Any

    def _points(self, video: DecodedVideo, indices: Sequence[int]) -> list[tuple[int, Points]]:
        """(frame, its surest face's five points) of the frames that show a face."""
        detections = video.faces(self._detector, self.settings.detector, indices)
        return [
            (index, detection.points_N52[0])
            for index, detection in zip(indices, detections, strict=True)
            if detection.points_N52 is not None and len(detection.points_N52)
        ]

    def _crops(
        self, video: DecodedVideo, points: Sequence[tuple[int, Points]], align: Align
    ) -> tuple[list[int], list[Pictures]]:
        """The aligned faces, and their frames; a face too small to align counts as none."""
        frames, crops = [], []
        for index, points_52 in points:
            try:
                crops.append(align(np.array(video.frames_NHWC[index]), points_52))
                frames.append(index)
            except ItemRejected:
                continue
        return frames, crops


class ExpressionFeatures(_Faces):
    """``expression`` (K, 64) and ``angle`` (K, 3) float32 of the frames with a face, ``asked`` (1,)
    how many were looked at.
    """

    name = "expression"
    settings: ExpressionSettings

    def weights(self) -> tuple[str, ...]:
        """Deep3DFaceRecon, its model points, and the detector."""
        return ("deep3d", "deep3d_points", self.settings.detector)

    def open(self, device: str, threads: int) -> None:
        """Load the networks."""
        from talkingface_wild.perception.recon3d import Recon3DPerceiver

        self._network = Recon3DPerceiver(self.path("deep3d"), self.path("deep3d_points"))
        self._network.open(device)
        self._detector = self.face_detector(device, threads)

    def extract(self, video: DecodedVideo) -> Features:
        """Faces aligned by their five points, a few at a time."""
        from talkingface_wild.perception.recon3d import ANGLE, EXPRESSION

        indices = self.indices(len(video))
        points = self._points(video, indices)
        rows = [np.zeros((0, COEFFICIENTS), dtype=np.float32)]
        for start in range(0, len(points), _BATCH):
            _, crops = self._crops(video, points[start : start + _BATCH], self._network.align)
            if crops:
                rows.append(self._network.coefficients(np.stack(crops)))
        coefficients = np.concatenate(rows).astype(np.float32)
        return {
            "expression": coefficients[:, EXPRESSION],
            "angle": coefficients[:, ANGLE],
            "asked": np.array([len(indices)], dtype=np.int32),
        }


class IdentityFeatures(_Faces):
    """``identity`` (K, 512) unit rows of the frames with a face, ``frame`` (K,) their indices,
    ``portrait`` (1, 512) of frame 0 (no row where it shows no face), ``frames`` (1,) in all.
    """

    name = "identity"
    portrait_will_do = True
    settings: IdentitySettings

    def weights(self) -> tuple[str, ...]:
        """ArcFace and the detector."""
        return (self.settings.network, self.settings.detector)

    def open(self, device: str, threads: int) -> None:
        """Load the networks."""
        name = self.settings.network
        if name in ("arcface_w600k_r50", "arcface_glint360k_r100"):
            from talkingface_wild.perception.arcface import ArcFacePerceiver

            self._network: Any = ArcFacePerceiver(self.path(name), threads).open(device)
        else:
            from talkingface_wild.perception.iresnet import ArcFaceTorchPerceiver

            self._network = ArcFaceTorchPerceiver(
                self.path(name), layers=100 if name == "arcface_r100" else 50
            ).open(device)
        self._detector = self.face_detector(device, threads)

    def extract(self, video: DecodedVideo) -> Features:
        """Embeddings of the protocol's frames' surest faces."""
        from talkingface_wild.perception.arcface import align

        indices = self.settings.indices(len(video))
        frames, crops = self._crops(video, self._points(video, [0, *indices]), align)
        if not frames:
            raise ItemRejected("no_face", f"no face in {len(indices)} frames")
        rows = self._network.embed(np.stack(crops)).astype(np.float32)
        frames_K = np.array(frames, dtype=np.int32)
        return {
            "identity": rows[frames_K > 0],
            "frame": frames_K[frames_K > 0],
            "portrait": rows[frames_K == 0],
            "frames": np.array([len(video)], dtype=np.int32),
        }


class AlignedInception(_Faces):
    """``pool`` (K, 2048) float16: Inception features of aligned faces, for ``efid_inception``, and
    ``asked`` (1,) how many frames were looked at.
    """

    name = "aligned_inception"
    settings: ExpressionSettings

    def weights(self) -> tuple[str, ...]:
        """Inception, the model points, and the detector."""
        return ("inception_fid", "deep3d_points", self.settings.detector)

    def open(self, device: str, threads: int) -> None:
        """Load the networks."""
        from talkingface_wild.functional.face_alignment import load_model_points
        from talkingface_wild.perception.inception import InceptionPerceiver

        self._network = InceptionPerceiver(self.path("inception_fid"), resize="clean").open(device)
        self._model_points = load_model_points(self.path("deep3d_points"))
        self._detector = self.face_detector(device, threads)

    def extract(self, video: DecodedVideo) -> Features:
        """Faces aligned as for E-FID, then Inception."""
        from talkingface_wild.functional.face_alignment import align_face

        def align(rgb_HWC: Pictures, points_52: Points) -> Pictures:
            return align_face(rgb_HWC, points_52, self._model_points)

        indices = self.indices(len(video))
        _, crops = self._crops(video, self._points(video, indices), align)
        pool = np.zeros((0, POOL), dtype=np.float32)
        if crops:
            pool = self._network.embed(np.stack(crops))
        return {"pool": pool.astype(np.float16), "asked": np.array([len(indices)], dtype=np.int32)}
