"""Image quality by HyperIQA on the face crop and on the whole frame, 0 to 100."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

from talkingface_wild import weights
from talkingface_wild.core.columns import Column
from talkingface_wild.core.outcome import Done, Outcome, Value
from talkingface_wild.engine.stage import Item, Resources, Stage
from talkingface_wild.pipelines.clip_crops import CLIP_CROPS, ensure_clip_crops


@dataclass(frozen=True)
class QualityConfig:
    """Which backend and checkpoint score, and how much of a picture."""

    backend: Literal["hyperiqa", "pyiqa"] = "hyperiqa"
    """hyperiqa: our own network; pyiqa: the package of that name, where the extra is installed."""
    checkpoint: Literal["hyperiqa_koniq_pyiqa", "hyperiqa_koniq_original"] = "hyperiqa_koniq_pyiqa"
    """The weight's name in the manifest."""
    patches: Literal["pyiqa", "centre"] = "pyiqa"
    """pyiqa: 25 patches of 224 px a picture; centre: one, as LatentSync's filter."""
    frames: int = 8
    """Pictures a clip, evenly spread; at most the eight that the cache holds."""
    whole_frame: bool = True
    """Score the whole frame as well as the crop."""


class Quality(Stage):
    """Scores the shared crops."""

    name = "quality"
    reads = (CLIP_CROPS,)
    columns = (
        Column(
            "quality_crop_mean",
            "float",
            "HyperIQA of the face crop, mean over the frames",
            "",
            0,
            100,
            2,
        ),
        Column(
            "quality_crop_least", "float", "HyperIQA of the face crop, worst frame", "", 0, 100, 2
        ),
        Column(
            "quality_frame_mean",
            "float",
            "HyperIQA of the whole frame (at most 1024 px), mean",
            "",
            0,
            100,
            2,
        ),
        Column(
            "quality_frame_least",
            "float",
            "HyperIQA of the whole frame, worst frame",
            "",
            0,
            100,
            2,
        ),
        Column("quality_backend", "string", "backend, checkpoint and patches"),
    )
    Config = QualityConfig
    resources = Resources(gpus=0.25)

    @classmethod
    def weights(cls, config: QualityConfig) -> tuple[str, ...]:
        """The checkpoint."""
        return (config.checkpoint,)

    @classmethod
    def requires(cls, config: QualityConfig) -> tuple[str, ...]:
        """pyiqa, when it is the backend."""
        return ("pyiqa",) if config.backend == "pyiqa" else ()

    def open(self) -> None:
        """Load the network."""
        path = weights.path(self.config.checkpoint)
        self._perceiver: Any
        if self.config.backend == "pyiqa":
            from talkingface_wild.perception.hyperiqa import PyiqaPerceiver

            self._perceiver = PyiqaPerceiver(path).open(self.place.device)
        else:
            from talkingface_wild.perception.hyperiqa import HyperIQAPerceiver

            self._perceiver = HyperIQAPerceiver(path).open(self.place.device)

    def process(self, items: Sequence[Item]) -> list[Outcome]:
        """Means and leasts over the chosen frames."""
        return [self._one(item) for item in items]

    def _one(self, item: Item) -> Outcome:
        settings: QualityConfig = self.config
        pictures = ensure_clip_crops(item, self.place)
        step = max(1, len(pictures.crops) // max(1, settings.frames))
        crops = self._score(list(pictures.crops[::step]))
        values: dict[str, Value] = {
            "quality_crop_mean": float(crops.mean()),
            "quality_crop_least": float(crops.min()),
            "quality_backend": f"{settings.backend}/{settings.checkpoint}/{settings.patches}",
        }
        if settings.whole_frame:
            wholes = self._score(list(pictures.wholes[::step]))
            values |= {
                "quality_frame_mean": float(wholes.mean()),
                "quality_frame_least": float(wholes.min()),
            }
        return Done(values)

    def _score(self, images: list[Any]) -> Any:
        if self.config.backend == "pyiqa":
            return self._perceiver.score_images(images)
        return self._perceiver.score_images(images, self.config.patches)
