"""Whether lips and sound belong together, and how far apart: SyncNet v2 on smoothed face crops."""

import hashlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from talkingface_wild import weights
from talkingface_wild.core.columns import Column
from talkingface_wild.core.outcome import Done, ItemRejected, Outcome, Value
from talkingface_wild.core.paths import atomic_path
from talkingface_wild.engine.stage import Item, Resources
from talkingface_wild.functional import sync_distances
from talkingface_wild.pipelines.clip_crops import LIP_CROPS, ensure_lip_crops
from talkingface_wild.pipelines.column_kinds import count, measure, text
from talkingface_wild.pipelines.source_items import ItemByItem
from talkingface_wild.pipelines.source_proxy import SPAN_SOUND, span_samples

SAMPLES_PER_FRAME = 640


@dataclass(frozen=True)
class SyncConfig:
    """What is corrected and kept."""

    correct_frames: int = 6
    """Offsets up to this many frames (40 ms each) are corrected in the encode, and scored again."""
    keep_embeddings: bool = True
    """Keep lip and sound embeddings (float16) in features/sync, for thresholds per language."""


class Sync(ItemByItem):
    """SyncNet's confidence, distance and offset, and how they hold over the clip's parts."""

    name = "sync"
    version = 2
    needs = SPAN_SOUND
    reads = (LIP_CROPS,)
    columns = (
        measure("sync_confidence", "Sync-C after the offset's correction"),
        measure("sync_distance", "Sync-D after the offset's correction"),
        measure("sync_confidence_raw", "Sync-C as found"),
        count(
            "sync_offset",
            "frames of 40 ms; positive: the sound leads the picture",
            "frames",
            -15,
            15,
        ),
        count(
            "sync_offset_size",
            "size of the offset; 15 is the edge of what was tried",
            "frames",
            high=15,
        ),
        count("sync_correction", "offset that the encode corrects", "frames", -15, 15),
        count("sync_windows", "windows of five frames that were compared"),
        measure(
            "sync_margin",
            "confidence above the 99th percentile of the clip's own shifted sound",
            low=None,
        ),
        Column("sync_thirds", "list<int>", "offsets of the clip's thirds", "frames"),
        count(
            "sync_thirds_spread",
            "largest difference between the thirds' offsets",
            "frames",
            high=30,
        ),
        count(
            "sync_quarters_spread",
            "largest difference between the quarters' offsets",
            "frames",
            high=30,
        ),
        text("sync_features", "path of the kept embeddings, relative to the output folder"),
    )
    Config = SyncConfig
    files = ("sync_features",)
    resources = Resources(gpus=0.25)

    @classmethod
    def weights(cls, config: SyncConfig) -> tuple[str, ...]:
        """SyncNet v2."""
        return ("syncnet_v2",)

    def open(self) -> None:
        """Load the network."""
        from talkingface_wild.perception.syncnet import SyncNetPerceiver

        self._perceiver = SyncNetPerceiver(weights.path("syncnet_v2")).open(self.place.device)

    def answer(self, item: Item) -> Outcome:
        """Null for clips without sound; too few windows is a measure of few, not a rejection."""
        if not item.values.get("has_audio"):
            return Done({})
        lips = ensure_lip_crops(item, self.place)
        samples = span_samples(item, self.place)
        try:
            embedded = self._perceiver.embed(lips, samples)
        except ItemRejected:
            return Done({"sync_windows": 0})
        score = sync_distances.score(embedded.lips, embedded.sounds)
        values = self._parts(embedded.lips, embedded.sounds, score)
        if score.offset and abs(score.offset) <= self.config.correct_frames:
            moved = self._perceiver.embed(lips, _shifted(samples, score.offset))
            corrected = sync_distances.score(moved.lips, moved.sounds)
            values |= {
                "sync_correction": score.offset,
                "sync_confidence": corrected.confidence,
                "sync_distance": corrected.distance,
            }
        if self.config.keep_embeddings:
            values["sync_features"] = self._keep(item, embedded.lips, embedded.sounds)
        return Done(values)

    def _parts(
        self,
        lips: npt.NDArray[np.float32],
        sounds: npt.NDArray[np.float32],
        score: sync_distances.SyncScore,
    ) -> dict[str, Value]:
        margin = sync_distances.margin(
            score.confidence, sync_distances.null_confidences(lips, sounds)
        )
        thirds = sync_distances.offset_parts(lips, sounds, 3)
        quarters = sync_distances.offset_parts(lips, sounds, 4)
        return {
            "sync_confidence": score.confidence,
            "sync_distance": score.distance,
            "sync_confidence_raw": score.confidence,
            "sync_offset": score.offset,
            "sync_offset_size": abs(score.offset),
            "sync_correction": 0,
            "sync_windows": score.windows,
            "sync_margin": margin.value,
            "sync_thirds": None
            if None in thirds
            else [part for part in thirds if part is not None],
            "sync_thirds_spread": _spread(thirds),
            "sync_quarters_spread": _spread(quarters),
        }

    def _keep(
        self, item: Item, lips: npt.NDArray[np.float32], sounds: npt.NDArray[np.float32]
    ) -> str:
        """Under a name that holds their hash: what an earlier commit names stays as it is."""
        kept = {"lips": lips.astype(np.float16), "sounds": sounds.astype(np.float16)}
        sha256 = hashlib.sha256(kept["lips"].tobytes() + kept["sounds"].tobytes()).hexdigest()
        relative = Path("features") / "sync" / f"{item.id}-{sha256[:16]}.npz"
        with atomic_path(self.place.out / relative) as temporary:
            np.savez(temporary, lips=kept["lips"], sounds=kept["sounds"])
        return relative.as_posix()


def _spread(parts: list[int | None]) -> int | None:
    offsets = [part for part in parts if part is not None]
    return max(offsets) - min(offsets) if len(offsets) == len(parts) else None


def _shifted(samples: npt.NDArray[np.int16], offset: int) -> npt.NDArray[np.int16]:
    """The sound ``offset`` frames later (earlier when negative), silence moved in, length kept."""
    moved = np.zeros_like(samples)
    step = offset * SAMPLES_PER_FRAME
    if step > 0:
        moved[step:] = samples[:-step]
    else:
        moved[:step] = samples[-step:]
    return moved
