"""Head pose, mouth and eyes by the mesh of 468 points, and whether the mouth moves with speech."""

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from talkingface_wild.core.arrays import Floats
from talkingface_wild.core.outcome import Done, Outcome, Value
from talkingface_wild.core.paths import atomic_path
from talkingface_wild.engine.stage import Item
from talkingface_wild.functional.eye_blinks import blinks_per_minute
from talkingface_wild.functional.lips_shape import sound_steps
from talkingface_wild.functional.mesh_measures import (
    eye_distances,
    mesh_angles,
    mouth_confidences,
    mouth_openings,
)
from talkingface_wild.functional.mouth import flags_at
from talkingface_wild.perception.face_mesh import LEAST_CONFIDENCE
from talkingface_wild.pipelines.clip_crops import MESHES, RATE, ensure_meshes
from talkingface_wild.pipelines.clip_meshes import WEIGHTS, ClipMeshes
from talkingface_wild.pipelines.clip_speech import SpeechConfig, SpeechEar
from talkingface_wild.pipelines.column_kinds import measure, share, text
from talkingface_wild.pipelines.source_items import ItemByItem, number
from talkingface_wild.pipelines.source_proxy import SPAN_SOUND, span_samples

LEAST_FRAMES = 10
"""Means over fewer frames, in speech or in silence, are null."""


@dataclass(frozen=True)
class MeshConfig(SpeechConfig):
    """Speech as the stage ``speech`` tells it, and what is kept."""

    keep_track: bool = True
    """Keep meshes and cepstra (float16, some 300 MB an hour) in features/mesh, for lip sync."""


class Mesh(ItemByItem):
    """Follows the face at 25 frames a second in the one full decode. Null without its weights."""

    name = "mesh"
    needs = (*SPAN_SOUND, "width", "height")
    reads = (MESHES,)
    columns = (
        share("mesh_presence_ratio", "share of the frames in which the mesh holds the face"),
        measure(
            "mesh_yaw_p90", "90th percentile of the head's turn", "degrees", high=180, decimals=1
        ),
        measure(
            "mesh_pitch_p90", "90th percentile of the head's nod", "degrees", high=180, decimals=1
        ),
        measure(
            "mesh_roll_p90", "90th percentile of the head's lean", "degrees", high=180, decimals=1
        ),
        share("mouth_visible_ratio", "share of the frames whose mouth can be trusted"),
        measure(
            "mouth_opening_p90", "90th percentile of the gap between the lips", "eye distances"
        ),
        measure(
            "mouth_speed_speech",
            "mean change of that gap a second while there is speech; null without 0.4 s of it",
            "eye distances/s",
        ),
        measure(
            "mouth_speed_silence", "the same in silence; null without a pause", "eye distances/s"
        ),
        measure("blinks_per_minute", "blinks over the time in which eyes are seen", decimals=1),
        text("mesh_track", "path of the kept mesh and cepstra, relative to the output folder"),
    )
    Config = MeshConfig
    settings_from = "speech"
    files = ("mesh_track",)

    @classmethod
    def on_this_machine(cls, config: MeshConfig) -> MeshConfig:
        """With the method that is here."""
        return config.here()

    @classmethod
    def weights(cls, config: MeshConfig) -> tuple[str, ...]:
        """The mesh, the eyes, and Silero's network where it listens."""
        return (*WEIGHTS, *config.weights())

    def open(self) -> None:
        """Load the detector of speech; the mesh is loaded with the first decode."""
        self._ear = SpeechEar(self.config, self.place)

    def answer(self, item: Item) -> Outcome:
        """Numbers over the frames that show the face; a clip without one has a presence of 0."""
        meshes = ensure_meshes(item, self.place)
        holds = meshes.confidences >= LEAST_CONFIDENCE
        values: dict[str, Value] = {"mesh_presence_ratio": float(holds.mean())}
        if not holds.any():
            return Done(values)
        points = meshes.points[holds].astype(np.float64)
        yaw, pitch, roll = np.percentile(np.abs(mesh_angles(points)), 90, axis=0)
        width, height = int(number(item, "width")), int(number(item, "height"))
        trust = mouth_confidences(points, meshes.confidences[holds], width, height)
        values |= {
            "mesh_yaw_p90": float(yaw),
            "mesh_pitch_p90": float(pitch),
            "mesh_roll_p90": float(roll),
            "mouth_visible_ratio": float((trust >= LEAST_CONFIDENCE).sum() / len(holds)),
            "mouth_opening_p90": float(np.percentile(mouth_openings(points), 90)),
            "blinks_per_minute": blinks_per_minute(meshes.openness, RATE),
        }
        samples = span_samples(item, self.place) if item.values.get("has_audio") else None
        if samples is not None:
            speech = self._ear.hear(samples)
            flags = flags_at(speech.flags, speech.frame_seconds, len(holds), RATE)
            values |= _mouth_speeds(meshes, flags)
        if self.config.keep_track:
            values["mesh_track"] = self._keep(item, meshes, samples)
        return Done(values)

    def _keep(self, item: Item, meshes: ClipMeshes, samples: Any) -> str:
        """Under a name that holds its hash: what an earlier commit names stays as it is."""
        widths = np.maximum(eye_distances(meshes.points.astype(np.float64)), 1e-9)
        middles = meshes.points.mean(axis=1)
        arrays = {
            "middles": middles.astype(np.float32),
            "widths": widths.astype(np.float32),
            "points": ((meshes.points - middles[:, None]) / widths[:, None, None]).astype("f2"),
            "confidences": meshes.confidences.astype(np.float16),
            "openness": meshes.openness.astype(np.float16),
            "cepstra": np.zeros((0, 13), np.float16)
            if samples is None
            else sound_steps(samples, len(widths)).astype(np.float16),
        }
        sha256 = hashlib.sha256(b"".join(array.tobytes() for array in arrays.values())).hexdigest()
        relative = Path("features") / "mesh" / f"{item.id}-{sha256[:16]}.npz"
        with atomic_path(self.place.out / relative) as temporary, temporary.open("wb") as stream:
            np.savez(stream, **arrays)
        return relative.as_posix()


def _mouth_speeds(meshes: ClipMeshes, flags_T: Any) -> dict[str, Value]:
    """How fast the gap between the lips changes in speech, and in silence."""
    openings: Floats = mouth_openings(meshes.points.astype(np.float64))
    speeds = np.abs(np.diff(openings)) * RATE
    in_speech = np.asarray(flags_T[1:] & flags_T[:-1])
    in_silence = np.asarray(~flags_T[1:] & ~flags_T[:-1])
    return {
        "mouth_speed_speech": _mean(speeds[in_speech]),
        "mouth_speed_silence": _mean(speeds[in_silence]),
    }


def _mean(speeds: Floats) -> float | None:
    finite = speeds[np.isfinite(speeds)]
    return float(finite.mean()) if len(finite) >= LEAST_FRAMES else None
