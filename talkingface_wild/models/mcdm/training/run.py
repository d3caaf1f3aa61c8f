"""A training folder: its configuration, which stages are done, and running the next ones.

OUT/config.json, OUT/features/, OUT/{encoders,stage1,stage2,stage3}/, OUT/model/ after every stage.
"""

from __future__ import annotations

import dataclasses
import json
import shutil
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from accelerate import Accelerator

from talkingface_wild.core.errors import InputUnreadable, RecipeError
from talkingface_wild.core.fingerprint import digest
from talkingface_wild.core.paths import write_text
from talkingface_wild.core.stopping import stop_on_signals
from talkingface_wild.models.mcdm.config import MCDMConfig
from talkingface_wild.models.mcdm.networks import MCDMParts
from talkingface_wild.models.mcdm.training.cached_clip import CachedClip, read_clips
from talkingface_wild.models.mcdm.training.objectives import trained
from talkingface_wild.models.mcdm.training.samples import sample_frames
from talkingface_wild.models.mcdm.training.stages import (
    predict_tokens,
    run_encoders,
    run_stage,
    take_tokens,
)
from talkingface_wild.models.training.loop import Watch
from talkingface_wild.models.training.together import end_if_stopped

ORDER = ("features", "encoders", "1", "2", "3")
STOPPING = "Stopping: what is in work is finished and saved; once more breaks off at once."
Pictures = npt.NDArray[np.uint8]
WriteSample = Callable[[Path, str, Pictures], None]
"""Writes frames of a clip, named by its id, as a video; the caller knows how."""


def _quiet(_: str) -> None:
    pass


@dataclass
class TrainingRun:
    """One training folder. What a stage was run with is kept, and a finished stage is not rerun."""

    out: Path
    config: MCDMConfig
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

    @property
    def model_folder(self) -> Path:
        """The model as it stands after the latest stage."""
        return self.out / "model"

    @property
    def features_folder(self) -> Path:
        """One file a clip."""
        return self.out / "features"

    def stages(self) -> list[str]:
        """All stages that this configuration has."""
        lacking = {"2"} if self.config.present.kind != "prior" else set()
        return [stage for stage in ORDER if stage not in lacking]

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

    def run(
        self, stage: str, make_features: Callable[[MCDMParts, Path], dict[str, Any]] | None = None
    ) -> dict[str, Any] | None:
        """Run one stage, or give None when it is done already.

        ``make_features`` measures the data set for the stage ``features`` (parts, folder) -> facts;
        it calls ``keep_configuration`` when nothing can be refused any more.
        Raises RecipeError where an earlier stage is missing or this one ran with other settings,
        Interrupted, with what was done saved, after a signal (``core.stopping``).
        """
        with stop_on_signals(STOPPING):
            return self._run(stage, make_features)

    def _run(
        self, stage: str, make_features: Callable[[MCDMParts, Path], dict[str, Any]] | None
    ) -> dict[str, Any] | None:
        end_if_stopped(self.accelerator, f"before stage {stage}")
        finished = self.done()
        asked = self._asked(stage)
        if stage in finished:
            if finished[stage]["settings"] == asked:
                return None
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
        parts = self.parts()
        if stage == "features":
            if make_features is None:
                raise RecipeError("Expected --data with the stage features, found none.")
            result = make_features(parts, self.features_folder)
            self.keep_configuration()
        elif stage == "encoders":
            result = self._encoders(parts)
        else:
            result = self._stage(parts, stage)
        self._finish(parts, stage, asked, result)
        return result

    def trained_on(self) -> dict[str, Any]:
        """What the model's facts say of its data set; nothing before the stage ``features``."""
        path = self.model_folder / "mcdm.json"
        if not path.is_file():
            return {}
        return dict(json.loads(path.read_text("utf-8")).get("facts", {}).get("trained_on", {}))

    def forget(self, stage: str) -> None:
        """Take a stage and all after it back; their folders go, their weights are fresh again.

        Raises RecipeError where the model began from published weights, which only the stage
        ``features`` reads.
        """
        finished = self.done()
        path = self.model_folder / "mcdm.json"
        if stage != "features" and path.is_file():
            facts = json.loads(path.read_text("utf-8")).get("facts", {})
            if facts.get("started_from"):
                raise RecipeError(
                    "Expected --fresh from the stage features on, since this model began from "
                    f"published weights, found --stage {stage}; run --stage all --fresh with "
                    "--weights, or choose another --out."
                )
        for later in ORDER[ORDER.index(stage) :]:
            finished.pop(later, None)
            name = later if later in ("features", "encoders") else f"stage{later}"
            shutil.rmtree(self.out / name, ignore_errors=True)
        write_text(self.out / "course.json", json.dumps(finished, indent=1))
        if stage == "features":
            shutil.rmtree(self.model_folder, ignore_errors=True)
            write_text(self.out / "config.json", json.dumps(self.config.to_dict(), indent=1))
        elif (self.model_folder / "mcdm.json").is_file():
            self._unlearn(stage)

    def _unlearn(self, stage: str) -> None:
        """Put what a stage and those after it trained back to fresh weights."""
        parts = MCDMParts.load(self.model_folder)
        fresh = self._fresh_parts()
        for later in ORDER[ORDER.index(stage) :]:
            parts.facts.get("stages", {}).pop(later, None)
            if later == "encoders":
                for name in ("lip_encoder", "expression_encoder", "head_encoder"):
                    mine, new = getattr(parts, name), getattr(fresh, name)
                    if mine is not None and new is not None:
                        mine.load_state_dict(new.state_dict())
            else:
                new_parameters = trained(fresh, later)
                with torch.no_grad():
                    for name, parameter in trained(parts, later).items():
                        parameter.copy_(new_parameters[name])
        parts.save(self.model_folder)

    def _fresh_parts(self) -> MCDMParts:
        with torch.random.fork_rng():
            torch.manual_seed(self.config.training.seed)
            return MCDMParts.build(self.config)

    def parts(self) -> MCDMParts:
        """The model as it stands, or a fresh one."""
        if (self.model_folder / "mcdm.json").is_file():
            parts = MCDMParts.load(self.model_folder, self.accelerator.device)
            parts.config = self.config
        elif self.done():
            raise InputUnreadable(
                f"Expected the model of the finished stages in {self.model_folder}, found none; "
                "put it back, or add --fresh --stage all to begin anew."
            )
        else:
            parts = self._fresh_parts()
            parts.to(self.accelerator.device)
        parts.facts |= self.facts
        return parts

    def _finish(self, parts: MCDMParts, stage: str, asked: str, result: dict[str, Any]) -> None:
        self.accelerator.wait_for_everyone()
        if self.accelerator.is_main_process:
            stages = dict(parts.facts.get("stages", {}))
            stages[stage] = result
            parts.facts["stages"] = stages
            parts.save(self.model_folder)
            finished = self.done()
            finished[stage] = {"settings": asked, "result": result}
            write_text(self.out / "course.json", json.dumps(finished, indent=1))
        self.accelerator.wait_for_everyone()

    def _asked(self, stage: str) -> str:
        """A digest of the settings that shape a stage's outcome."""
        training = dataclasses.asdict(self.config.training)
        shared = {k: v for k, v in training.items() if not isinstance(v, dict)}
        for unseen in ("checkpoint_every", "validate_every", "sample_every"):
            shared.pop(unseen)
        own = training.get(stage if stage == "encoders" else f"stage{stage}", {})
        return digest([stage, own, shared if own else {}], 16)

    def keep_configuration(self) -> None:
        """Write the configuration where there is none: from here on the folder is this course's."""
        path = self.out / "config.json"
        if not path.is_file():
            write_text(path, json.dumps(self.config.to_dict(), indent=1))

    def _check_configuration(self) -> None:
        """Check that the folder's configuration, if it has one, is the same network."""
        path = self.out / "config.json"
        if not path.is_file():
            return
        try:
            kept = MCDMConfig.from_dict(json.loads(path.read_text("utf-8")), str(path))
        except (ValueError, TypeError) as error:
            raise InputUnreadable(
                f"Expected a configuration in {path}, found none that can be read; "
                "choose another --out."
            ) from error
        differing = [
            f"{section}.{name}"
            for section, values in kept.to_dict().items()
            if isinstance(values, dict) and section not in ("training", "sampling")
            for name, value in values.items()
            if _plain(self.config.to_dict()[section][name]) != _plain(value)
        ]
        if differing:
            raise RecipeError(
                f"Expected the configuration that {self.out} was begun with, found another "
                f"{', '.join(differing[:4])}; choose another --out, or --fresh --stage features."
            )

    def _encoders(self, parts: MCDMParts) -> dict[str, Any]:
        clips = read_clips(self.features_folder, crops=True)
        learning = [clip for clip in clips if clip.facts.get("split") == "train"] or clips
        outcomes = run_encoders(
            parts, learning, self.out / "encoders", self.watch, self.accelerator
        )
        if self.accelerator.is_main_process:
            for clip in clips:
                if self.accelerator.num_processes == 1:
                    end_if_stopped(None, "while motion tokens were taken; the encoders are saved")
                clip.tokens_TKW = take_tokens(parts, clip)
                clip.save(self._clip_path(clip))
        return {outcome.stage: round(outcome.after, 6) for outcome in outcomes}

    def _stage(self, parts: MCDMParts, stage: str) -> dict[str, Any]:
        clips = read_clips(self.features_folder)
        learning = [clip for clip in clips if clip.facts.get("split") == "train"] or clips
        held_out = [clip for clip in clips if clip.facts.get("split") == "val"]
        if (
            stage == "3"
            and parts.motion_prior is not None
            and (self.config.training.predicted_tokens > 0)
        ):
            self.tell("motion tokens by the prior, for stage 3")
            kept = self.out / "stage3" / "predicted"
            predict_tokens(parts, learning, folder=kept, accelerator=self.accelerator)
        outcome = run_stage(
            parts,
            stage,
            learning,
            held_out,
            self.out / f"stage{stage}",
            self.watch,
            self.accelerator,
            self._sampler(parts, stage, (held_out or learning)[0]),
        )
        if stage == "3" and self.accelerator.is_main_process:
            self._sample(parts, (held_out or learning)[0], f"stage3-{outcome.iterations:06d}")
        return {
            "iterations": outcome.iterations,
            "before": outcome.before,
            "after": outcome.after,
        }

    def _sampler(
        self, parts: MCDMParts, stage: str, clip: CachedClip
    ) -> Callable[[int], None] | None:
        every = self.config.training.sample_every
        if not every or stage == "2" or self.write_sample is None:
            return None

        def sample(iteration: int) -> None:
            if iteration % every == 0:
                self._sample(parts, clip, f"stage{stage}-{iteration:06d}", present=stage == "3")

        return sample

    def _sample(self, parts: MCDMParts, clip: CachedClip, name: str, present: bool = True) -> None:
        """A short rollout beside the real frames, as a video."""
        if self.write_sample is not None:
            pictures = sample_frames(parts, clip, present=present)
            self.write_sample(self.out / "samples" / f"{name}.mp4", clip.clip_id, pictures)

    def _clip_path(self, clip: CachedClip) -> Path:
        return self.features_folder / f"{clip.clip_id}.safetensors"


def _plain(value: Any) -> Any:
    return list(value) if isinstance(value, tuple) else value
