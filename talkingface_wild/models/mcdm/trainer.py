"""MCDM's training behind ``jobs.train``: its configuration, its stages and what they count."""

import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from accelerate import Accelerator

from talkingface_wild.core.parts import Part
from talkingface_wild.models.loading import load_weights
from talkingface_wild.models.mcdm.config import MCDMConfig, preset
from talkingface_wild.models.mcdm.training.features import cache_features
from talkingface_wild.models.mcdm.training.run import TrainingRun
from talkingface_wild.models.mcdm.variants import FOLDER, varied
from talkingface_wild.models.training.staged_run import WriteSample
from talkingface_wild.models.training.training_clip import TrainingClip

_SECONDS = {"encoder": 0.037, "stage1": 0.25, "stage2": 0.13, "stage3": 0.36, "features": 1.0}
"""Of an iteration of the preset tiny, of a clip (docs/performance.md, MCDM): parts are weighed by
them until they were measured; other presets are taken to have parts of the same proportions."""
_TINY_BATCH = {"encoder": 32, "stage1": 2, "stage2": 8, "stage3": 2, "features": 1}


class MCDMTrainer:
    """A training folder of MCDM, a variant's below it. Raises RecipeError, InputUnreadable."""

    def __init__(
        self,
        out: Path,
        *,
        preset: str,
        settings: Sequence[str],
        variant: str,
        cpu: bool,
        anew: bool,
        tell: Callable[[str], None],
        write_sample: WriteSample,
    ) -> None:
        self.out = out if variant == "ours" else out / FOLDER / variant
        self._config = _configuration(out, self.out, preset, settings, variant)
        accelerator = Accelerator(cpu=cpu, mixed_precision=self._config.training.precision)
        self._accelerator, self.main = accelerator, accelerator.is_main_process
        self._run = TrainingRun(
            out=self.out,
            config=self._config,
            tell=tell if self.main else _nothing,
            write_sample=write_sample,
            accelerator=accelerator,
            anew=anew,
        )
        self.model_folder = self._run.model_folder
        self.preset = self._config.name
        self.side, self.fps = self._config.picture.side, self._config.picture.fps
        self.stages, self.done = self._run.stages, self._run.done
        self.run, self.trained_on = self._run.run, self._run.trained_on

    def watch(self, watcher: Callable[[Any], None]) -> None:
        """Call ``watcher`` after each iteration."""
        self._run.watch = watcher

    def forget(self, stage: str) -> None:
        """Take a stage and all after it back, in the first process; the others wait."""
        if self.main:
            self._run.forget(stage)
        self.wait()

    def wait(self) -> None:
        """For all processes."""
        self._accelerator.wait_for_everyone()

    def parts(self, stages: Sequence[str]) -> dict[str, Part]:
        """The parts of these stages, by the names under which loops report."""
        return parts_of(self._config, stages)

    def feature_maker(
        self,
        data: Path,
        clips: Sequence[TrainingClip],
        sources: Mapping[str, str],
        tell: Callable[[str], None],
        watch: Callable[[int, int], None],
    ) -> Callable[[Any, Path], dict[str, Any]]:
        """What measures the clips for the stage ``features``, from published weights on."""

        def make(parts: Any, folder: Path) -> dict[str, Any]:
            started_from: list[str] = []
            if sources:
                for coverage in load_weights(parts, sources):
                    tell(str(coverage))
                    started_from.append(coverage.group)
            self._run.keep_configuration()
            summary = cache_features(
                parts,
                clips,
                folder,
                tell=tell,
                watch=watch,
                device=self._accelerator.device,
                accelerator=self._accelerator,
            )
            parts.facts["trained_on"] = summary.trained_on(data)
            parts.facts["started_from"] = started_from
            return summary.figures()

        return make


def _nothing(_: str) -> None:
    """What all processes but the first say."""


def _configuration(
    out: Path, folder: Path, name: str, settings: Sequence[str], variant: str
) -> MCDMConfig:
    """The configuration asked for; without a preset, the folder's own or its parent's."""
    path = next((p for p in (folder / "config.json", out / "config.json") if p.is_file()), None)
    if name or path is None:
        config = preset(name or "paper")
    else:
        config = MCDMConfig.from_dict(json.loads(path.read_text("utf-8")), str(path))
    return varied(config, variant).changed(settings)


def parts_of(config: MCDMConfig, stages: Sequence[str]) -> dict[str, Part]:
    """The parts of the stages that are asked for, by the names under which loops report."""
    training, parts = config.training, {}
    for stage in stages:
        if stage == "features":
            parts["features"] = Part("features", None, _SECONDS["features"])
        elif stage == "encoders":
            names = ["lips", "expression"] + ["head"] * (config.present.head == "face_crop")
            for name in names:
                cost = _cost("encoder", training.encoders.batch, training.accumulation)
                part = Part(f"{name} encoder", training.encoders.iterations, cost)
                parts[part.name] = part
        else:
            settings = getattr(training, f"stage{stage}")
            cost = _cost(f"stage{stage}", settings.batch, training.accumulation)
            parts[f"stage {stage}"] = Part(f"stage {stage}", settings.iterations, cost)
    return parts


def _cost(kind: str, batch: int, accumulation: int) -> float:
    return _SECONDS[kind] * batch / _TINY_BATCH[kind] * accumulation
