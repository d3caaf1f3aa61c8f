"""A training folder: its configuration, which stages are done, and running the next ones.

OUT/config.json, OUT/features/, OUT/{encoders,stage1,…}/ and OUT/model/, which every stage renews. A
generator says what its stages are and how one is trained.
"""

import json
import shutil
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt
import torch
from accelerate import Accelerator

from talkingface_wild.core.errors import InputUnreadable, RecipeError
from talkingface_wild.core.paths import write_text
from talkingface_wild.core.stopping import stop_on_signals
from talkingface_wild.models.training.loop import Watch, end_if_stopped

STOPPING = "Stopping: what is in work is finished and saved; once more breaks off at once."
FEATURES = "features"
"""The first stage of all generators."""
Pictures = npt.NDArray[np.uint8]
WriteSample = Callable[[Path, str, Pictures], None]
"""Writes frames of a clip, named by its id, as a video; the caller knows how."""


Model = Any
"""Networks that are saved together: ``config``, ``facts``, ``save(folder)``, ``to(device)``."""
MakeFeatures = Callable[[Model, Path], dict[str, Any]]


def _quiet(_: str) -> None:
    pass


@dataclass
class StagedRun(ABC):
    """One training folder. What a stage was run with is kept, and a finished stage is not rerun."""

    ORDER: ClassVar[tuple[str, ...]]
    """All stages in their order; the first is ``features``."""
    MODEL_FILE: ClassVar[str]
    """The file of a model's folder with its configuration and facts."""
    UNSHAPING: ClassVar[tuple[str, ...]] = ("training", "sampling")
    """Sections of the configuration that do not shape the networks."""

    out: Path
    config: Any
    """The generator's configuration: ``to_dict``, ``from_dict``, ``training.seed``."""
    tell: Callable[[str], None] = _quiet
    watch: Watch | None = None
    write_sample: WriteSample | None = None
    facts: dict[str, Any] = field(default_factory=dict)
    """What the model is trained on; it goes into the checkpoint."""
    accelerator: Accelerator = field(default_factory=Accelerator)

    anew: bool = False
    """Everything begins again, so the folder's own configuration does not matter."""

    def __post_init__(self) -> None:
        if not self.anew:
            self._check_configuration()

    @abstractmethod
    def build(self) -> Model:
        """A model of the configuration with fresh weights."""

    @abstractmethod
    def load(self, device: torch.device | str = "cpu") -> Model:
        """The model of ``model_folder``."""

    @abstractmethod
    def train(self, model: Model, stage: str) -> dict[str, Any]:
        """Train a stage other than ``features``; gives its figures."""

    @abstractmethod
    def take_back(self, model: Model, fresh: Model, stage: str) -> None:
        """Give ``model`` the fresh weights of what a stage trains."""

    @abstractmethod
    def settings_digest(self, stage: str) -> str:
        """A digest of the settings that shape a stage's outcome."""

    def stages(self) -> list[str]:
        """All stages that this configuration has."""
        return list(self.ORDER)

    @property
    def model_folder(self) -> Path:
        """The model as it stands after the latest stage."""
        return self.out / "model"

    @property
    def features_folder(self) -> Path:
        """One file a clip."""
        return self.out / FEATURES

    def stage_folder(self, stage: str) -> Path:
        """Logs and checkpoints of a stage."""
        return self.out / (f"stage{stage}" if stage.isdigit() else stage)

    def done(self) -> dict[str, Any]:
        """What is finished: by stage, its settings' digest and figures."""
        path = self.out / "course.json"
        try:
            return dict(json.loads(path.read_text("utf-8"))) if path.is_file() else {}
        except ValueError as error:
            raise InputUnreadable(
                f"Expected the record of stages in {path}, found none that can be read; "
                "choose another --out."
            ) from error

    def run(self, stage: str, make_features: MakeFeatures | None = None) -> dict[str, Any] | None:
        """Run one stage, or give None when it is done already.

        ``make_features`` measures the data set for the stage ``features`` (model, folder) -> facts;
        it calls ``keep_configuration`` when nothing can be refused any more.
        Raises RecipeError where an earlier stage is missing or this one ran with other settings,
        Interrupted, with what was done saved, after a signal (``core.stopping``).
        """
        with stop_on_signals(STOPPING):
            end_if_stopped(self.accelerator, f"before stage {stage}")
            if self._finished_before(stage):
                return None
            model = self.parts()
            if stage == FEATURES:
                if make_features is None:
                    raise RecipeError("Expected --data with the stage features, found none.")
                result = make_features(model, self.features_folder)
                self.keep_configuration()
            else:
                result = self.train(model, stage)
            self._finish(model, stage, result)
            return result

    def _finished_before(self, stage: str) -> bool:
        """Whether a stage is done. Raises RecipeError where it can't be, or was done otherwise."""
        finished = self.done()
        if stage in finished:
            if finished[stage]["settings"] == self.settings_digest(stage):
                return True
            raise RecipeError(
                f"Expected the settings that stage {stage} of {self.out} was trained with, found "
                "others; add --fresh to train it and what follows again, or choose another --out."
            )
        earlier = self.stages()[: self.stages().index(stage)]
        missing = [name for name in earlier if name not in finished]
        if missing:
            raise RecipeError(
                f"Expected stage {missing[0]} before stage {stage}, found it not done in "
                f"{self.out}; run --stage all, or --stage {missing[0]} first."
            )
        return False

    def _model_facts(self) -> dict[str, Any]:
        """What the saved model says of itself; nothing without one."""
        path = self.model_folder / self.MODEL_FILE
        return dict(json.loads(path.read_text("utf-8")).get("facts", {})) if path.is_file() else {}

    def trained_on(self) -> dict[str, Any]:
        """What the model's facts say of its data set; nothing before the stage ``features``."""
        return dict(self._model_facts().get("trained_on", {}))

    def forget(self, stage: str) -> None:
        """Take a stage and all after it back; their folders go, their weights are fresh again.

        Raises RecipeError where the model began from published weights, which only the stage
        ``features`` reads.
        """
        if stage != FEATURES and self._model_facts().get("started_from"):
            raise RecipeError(
                "Expected --fresh from the stage features on, since this model began from "
                f"published weights, found --stage {stage}; run --stage all --fresh with "
                "--weights, or choose another --out."
            )
        finished = self.done()
        taken_back = self.ORDER[self.ORDER.index(stage) :]
        for later in taken_back:
            finished.pop(later, None)
            shutil.rmtree(self.stage_folder(later), ignore_errors=True)
        write_text(self.out / "course.json", json.dumps(finished, indent=1))
        if stage == FEATURES:
            shutil.rmtree(self.model_folder, ignore_errors=True)
            self._write_configuration()
        elif (self.model_folder / self.MODEL_FILE).is_file():
            model, fresh = self.load(), self._fresh()
            for later in taken_back:
                model.facts.get("stages", {}).pop(later, None)
                self.take_back(model, fresh, later)
            model.save(self.model_folder)

    def _fresh(self) -> Model:
        with torch.random.fork_rng():
            torch.manual_seed(self.config.training.seed)
            return self.build()

    def parts(self) -> Model:
        """The model as it stands, or a fresh one."""
        if (self.model_folder / self.MODEL_FILE).is_file():
            model = self.load(self.accelerator.device)
            model.config = self.config
        elif self.done():
            raise InputUnreadable(
                f"Expected the model of the finished stages in {self.model_folder}, found none; "
                "put it back, or add --fresh --stage all to begin anew."
            )
        else:
            model = self._fresh()
            model.to(self.accelerator.device)
        model.facts |= self.facts
        return model

    def _finish(self, model: Model, stage: str, result: dict[str, Any]) -> None:
        self.accelerator.wait_for_everyone()
        if self.accelerator.is_main_process:
            model.facts["stages"] = {**model.facts.get("stages", {}), stage: result}
            model.save(self.model_folder)
            record = {"settings": self.settings_digest(stage), "result": result}
            finished = {**self.done(), stage: record}
            write_text(self.out / "course.json", json.dumps(finished, indent=1))
        self.accelerator.wait_for_everyone()

    def keep_configuration(self) -> None:
        """Write the configuration where there is none: from here on the folder is this run's."""
        if not (self.out / "config.json").is_file():
            self._write_configuration()

    def _write_configuration(self) -> None:
        write_text(self.out / "config.json", json.dumps(self.config.to_dict(), indent=1))

    def _check_configuration(self) -> None:
        """Check that the folder's configuration, if it has one, is of the same networks."""
        path = self.out / "config.json"
        if not path.is_file():
            return
        try:
            kept = type(self.config).from_dict(json.loads(path.read_text("utf-8")), str(path))
        except (ValueError, TypeError) as error:
            raise InputUnreadable(
                f"Expected a configuration in {path}, found none that can be read; "
                "choose another --out."
            ) from error
        # As JSON has them, in which tuples are lists.
        now, before = (json.loads(json.dumps(c.to_dict())) for c in (self.config, kept))
        differing = [
            f"{section}.{name}"
            for section, values in before.items()
            if isinstance(values, dict) and section not in self.UNSHAPING
            for name, value in values.items()
            if now[section][name] != value
        ]
        if differing:
            raise RecipeError(
                f"Expected the configuration that {self.out} was begun with, found another "
                f"{', '.join(differing[:4])}; choose another --out, or --fresh --stage features."
            )
