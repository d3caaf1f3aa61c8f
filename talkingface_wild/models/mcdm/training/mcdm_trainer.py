"""MCDM's training behind ``jobs.train``: its folder, configuration, stages (section 3.5), samples.

Shapes: T frames, H W pixels.
"""

import dataclasses
import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt
import torch
from accelerate import Accelerator

from talkingface_wild.core.fingerprint import digest
from talkingface_wild.core.parts import Part
from talkingface_wild.models.conditions.sound_features import sound_windows
from talkingface_wild.models.loading import load_weights
from talkingface_wild.models.mcdm.config import MCDMConfig, preset
from talkingface_wild.models.mcdm.networks import CONFIG_NAME, MCDMParts
from talkingface_wild.models.mcdm.rollout import Rollout
from talkingface_wild.models.mcdm.training.clip_features import CachedClip
from talkingface_wild.models.mcdm.training.encoder_tasks import run_encoders, take_tokens
from talkingface_wild.models.mcdm.training.features import cache_features
from talkingface_wild.models.mcdm.training.predict_tokens import predict_tokens
from talkingface_wild.models.mcdm.training.stages import run_stage, trained
from talkingface_wild.models.mcdm.variants import FOLDER, varied
from talkingface_wild.models.training.feature_files import quiet
from talkingface_wild.models.training.loop import end_if_stopped
from talkingface_wild.models.training.staged_run import StagedRun, WriteSample
from talkingface_wild.models.training.training_clip import TrainingClip

_SECONDS = {"encoder": 0.037, "stage1": 0.25, "stage2": 0.13, "stage3": 0.36, "features": 1.0}
"""Of an iteration of the preset tiny, of a clip (docs/performance.md, MCDM): parts are weighed by
them until they were measured; other presets are taken to have parts of the same proportions."""
_TINY_BATCH = {"encoder": 32, "stage1": 2, "stage2": 8, "stage3": 2}


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
        self._accelerator = Accelerator(cpu=cpu, mixed_precision=self._config.training.precision)
        self.main = self._accelerator.is_main_process
        self._run = TrainingRun(
            out=self.out,
            config=self._config,
            tell=tell if self.main else quiet,
            write_sample=write_sample,
            accelerator=self._accelerator,
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
            coverages = load_weights(parts, sources) if sources else []
            for coverage in coverages:
                tell(str(coverage))
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
            parts.facts["started_from"] = [coverage.group for coverage in coverages]
            return summary.figures()

        return make


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
    training, parts = config.training, []
    for stage in stages:
        if stage == "features":
            parts.append(Part(stage, None, _SECONDS[stage]))
            continue
        names, kind = [f"stage {stage}"], f"stage{stage}"
        settings = getattr(training, stage if stage == "encoders" else kind)
        if stage == "encoders":
            head = ["head encoder"] * (config.present.head == "face_crop")
            names, kind = ["lips encoder", "expression encoder", *head], "encoder"
        cost = _SECONDS[kind] * settings.batch / _TINY_BATCH[kind] * training.accumulation
        parts += [Part(name, settings.iterations, cost) for name in names]
    return {part.name: part for part in parts}


CLIPS = 3
SEED = 0


@torch.no_grad()
def sample_frames(
    parts: MCDMParts, clip: CachedClip, *, present: bool = True, clips: int = CLIPS
) -> npt.NDArray[np.uint8]:
    """(T, H, 2 W, 3): left the real frames as the codec gives them back, right the rollout."""
    config, rollout = parts.config, Rollout(parts)
    state = rollout.begun(clip.latents_TCHW[0], clip.image_TE[0][None].float(), SEED)
    chunks = []
    frames = min(clip.frames, clips * config.clip.frames)
    while state.position < frames:
        start = state.position - config.present.overlap
        reach = config.present.audio_window
        sound = sound_windows(clip.sound_TE, start, parts.prior_frames, reach)
        done = rollout.clip(state, sound, present=present)
        state = done.state
        chunks.append(done.frames_FHWC.cpu())
    drawn = torch.cat(chunks)[:frames]
    real = parts.codec.decode(clip.latents_TCHW[:frames].float().to(parts.device)).cpu()
    return torch.cat([real, drawn], dim=2).numpy()


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
        every = self.config.training.sample_every

        def sample_now_and_then(iteration: int) -> None:
            if every and stage != "2" and iteration % every == 0:
                self._sample(parts, shown, stage, iteration)

        outcome = run_stage(
            parts,
            stage,
            learning,
            held_out,
            folder,
            self.watch,
            self.accelerator,
            sample_now_and_then,
        )
        if stage == "3" and self.accelerator.is_main_process:
            self._sample(parts, shown, stage, outcome.iterations)
        return {"iterations": outcome.iterations, "before": outcome.before, "after": outcome.after}

    def _sample(self, parts: MCDMParts, clip: CachedClip, stage: str, iteration: int) -> None:
        """A short rollout beside the real frames, as a video."""
        if self.write_sample is not None:
            path = self.out / "samples" / f"stage{stage}-{iteration:06d}.mp4"
            self.write_sample(path, clip.clip_id, sample_frames(parts, clip, present=stage == "3"))
