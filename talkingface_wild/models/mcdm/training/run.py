"""A training folder of an MCDM: features, encoders, and stages 1 to 3 (section 3.5)."""

import dataclasses
from collections.abc import Callable
from typing import Any, ClassVar

import torch

from talkingface_wild.core.fingerprint import digest
from talkingface_wild.models.mcdm.config import MCDMConfig
from talkingface_wild.models.mcdm.networks import CONFIG_NAME, MCDMParts
from talkingface_wild.models.mcdm.training.cached_clip import CachedClip
from talkingface_wild.models.mcdm.training.objectives import trained
from talkingface_wild.models.mcdm.training.predict_tokens import predict_tokens
from talkingface_wild.models.mcdm.training.sample_rollouts import sample_frames
from talkingface_wild.models.mcdm.training.stages import run_encoders, run_stage, take_tokens
from talkingface_wild.models.training.loop import end_if_stopped
from talkingface_wild.models.training.staged_run import StagedRun


class TrainingRun(StagedRun):
    """One training folder; its configuration is an MCDMConfig."""

    ORDER: ClassVar[tuple[str, ...]] = ("features", "encoders", "1", "2", "3")
    MODEL_FILE: ClassVar[str] = CONFIG_NAME
    config: MCDMConfig

    def stages(self) -> list[str]:
        """All stages; without the prior there is no second."""
        lacking = {"2"} if self.config.present.kind != "prior" else set()
        return [stage for stage in self.ORDER if stage not in lacking]

    def build(self) -> MCDMParts:
        """A model of the configuration with fresh weights."""
        return MCDMParts.build(self.config)

    def load(self, device: torch.device | str = "cpu") -> MCDMParts:
        """The model of ``model_folder``."""
        return MCDMParts.load(self.model_folder, device)

    def take_back(self, model: MCDMParts, fresh: MCDMParts, stage: str) -> None:
        """Give ``model`` the fresh weights of what a stage trains."""
        if stage == "encoders":
            for name in ("lip_encoder", "expression_encoder", "head_encoder"):
                mine, new = getattr(model, name), getattr(fresh, name)
                if mine is not None and new is not None:
                    mine.load_state_dict(new.state_dict())
            return
        new_parameters = trained(fresh, stage)
        with torch.no_grad():
            for name, parameter in trained(model, stage).items():
                parameter.copy_(new_parameters[name])

    def settings_digest(self, stage: str) -> str:
        """A digest of the settings that shape a stage's outcome."""
        training = dataclasses.asdict(self.config.training)
        shared = {k: v for k, v in training.items() if not isinstance(v, dict)}
        for unseen in ("checkpoint_every", "validate_every", "sample_every"):
            shared.pop(unseen)
        own = training.get(stage if stage == "encoders" else f"stage{stage}", {})
        return digest([stage, own, shared if own else {}], 16)

    def train(self, model: MCDMParts, stage: str) -> dict[str, Any]:
        """Train the encoders or one of the stages 1 to 3; gives its figures."""
        return self._encoders(model) if stage == "encoders" else self._stage(model, stage)

    def _encoders(self, parts: MCDMParts) -> dict[str, Any]:
        clips = CachedClip.read_folder(self.features_folder, crops=True)
        learning = [clip for clip in clips if clip.facts.get("split") == "train"] or clips
        folder = self.stage_folder("encoders")
        outcomes = run_encoders(parts, learning, folder, self.watch, self.accelerator)
        if self.accelerator.is_main_process:
            for clip in clips:
                if self.accelerator.num_processes == 1:
                    end_if_stopped(None, "while motion tokens were taken; the encoders are saved")
                clip.tokens_TKW = take_tokens(parts, clip)
                clip.save(self.features_folder / f"{clip.clip_id}.safetensors")
        return {outcome.stage: round(outcome.after, 6) for outcome in outcomes}

    def _stage(self, parts: MCDMParts, stage: str) -> dict[str, Any]:
        clips = CachedClip.read_folder(self.features_folder)
        learning = [clip for clip in clips if clip.facts.get("split") == "train"] or clips
        held_out = [clip for clip in clips if clip.facts.get("split") == "val"]
        folder, shown = self.stage_folder(stage), (held_out or learning)[0]
        predicting = parts.motion_prior is not None and self.config.training.predicted_tokens > 0
        if stage == "3" and predicting:
            self.tell("motion tokens by the prior, for stage 3")
            kept = folder / "predicted"
            predict_tokens(parts, learning, folder=kept, accelerator=self.accelerator)
        outcome = run_stage(
            parts,
            stage,
            learning,
            held_out,
            folder,
            self.watch,
            self.accelerator,
            self._sampler(parts, stage, shown),
        )
        if stage == "3" and self.accelerator.is_main_process:
            self._sample(parts, shown, f"stage3-{outcome.iterations:06d}")
        return {"iterations": outcome.iterations, "before": outcome.before, "after": outcome.after}

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
