"""Image quality by HyperIQA on the face crop and on the whole frame, 0 to 100."""

from dataclasses import dataclass
from typing import Any, Literal

from talkingface_wild import weights
from talkingface_wild.core.outcome import Done, Outcome, Value
from talkingface_wild.engine.stage import Item, Resources
from talkingface_wild.pipelines.clip_crops import CLIP_CROPS, ensure_clip_crops
from talkingface_wild.pipelines.column_kinds import measure, text
from talkingface_wild.pipelines.source_items import ItemByItem


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


class Quality(ItemByItem):
    """Scores the shared crops."""

    name = "quality"
    reads = (CLIP_CROPS,)
    columns = (
        measure(
            "quality_crop_mean",
            "HyperIQA of the face crop, mean over the frames",
            high=100,
            decimals=2,
        ),
        measure(
            "quality_crop_least", "HyperIQA of the face crop, worst frame", high=100, decimals=2
        ),
        measure(
            "quality_frame_mean",
            "HyperIQA of the whole frame (at most 1024 px), mean",
            high=100,
            decimals=2,
        ),
        measure(
            "quality_frame_least", "HyperIQA of the whole frame, worst frame", high=100, decimals=2
        ),
        text("quality_backend", "backend, checkpoint and patches"),
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

    def answer(self, item: Item) -> Outcome:
        """Means and leasts over the chosen frames."""
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
