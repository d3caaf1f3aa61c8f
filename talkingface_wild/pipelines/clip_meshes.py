"""The face's mesh and the eyes' openness at every frame of a clip, taken while it is decoded."""

import functools
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from talkingface_wild import weights
from talkingface_wild.core.arrays import Floats, Pictures
from talkingface_wild.functional.eye_blinks import eye_openness
from talkingface_wild.functional.face_region import Region, region_of_mesh
from talkingface_wild.perception.face_mesh import LEAST_CONFIDENCE, POINTS, FaceMesh
from talkingface_wild.perception.iris import IrisNetwork

WEIGHTS = ("face_mesh", "iris")


@dataclass(frozen=True)
class ClipMeshes:
    """25 rows a second; NaN where no face was followed."""

    points: npt.NDArray[np.float32]
    """(T, 468, 3) in displayed source pixels."""
    confidences: npt.NDArray[np.float32]
    """(T,) that the mesh lies on a face."""
    openness: npt.NDArray[np.float32]
    """(T,) mean openness of both eyes."""


class MeshTrail:
    """Follows one face through the frames of a clip, as MediaPipe does: each next region comes from
    the mesh before, and where the face is lost, from where the detector has it.
    """

    def __init__(self) -> None:
        self._mesh, self._iris = _networks(*(weights.path(name) for name in WEIGHTS))
        self._region: Region | None = None
        self._points: list[Floats] = []
        self._confidences: list[float] = []
        self._openness: list[float] = []

    def take(self, rgb: Pictures, detected: Region) -> None:
        """Look at one more frame; ``detected`` is where the detector has the face."""
        points, confidence = np.full((POINTS, 3), np.nan), 0.0
        for region in (self._region, detected):
            if region is not None and confidence < LEAST_CONFIDENCE:
                mesh = self._mesh.look([rgb], [region])
                points, confidence = mesh.points_N4683[0], float(mesh.confidences_N[0])
        has_face = confidence >= LEAST_CONFIDENCE
        self._region = region_of_mesh(points) if has_face else None
        self._points.append(points if has_face else np.full((POINTS, 3), np.nan))
        self._confidences.append(confidence)
        eyes = self._iris.look([rgb], self._points[-1][None])
        self._openness.append(float(eye_openness(eyes.outlines_N2_71_3).mean()))

    def arrays(self) -> dict[str, Any]:
        """The fields of ``ClipMeshes`` by name."""
        return {
            "points": np.asarray(self._points, dtype=np.float32).reshape(-1, POINTS, 3),
            "confidences": np.asarray(self._confidences, dtype=np.float32),
            "openness": np.asarray(self._openness, dtype=np.float32),
        }


@functools.lru_cache(maxsize=2)
def _networks(mesh: Path, iris: Path) -> tuple[FaceMesh, IrisNetwork]:
    """Opened once per worker."""
    return FaceMesh(mesh).open(), IrisNetwork(iris).open()
