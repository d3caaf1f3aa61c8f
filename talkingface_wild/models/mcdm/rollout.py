"""Clip after clip, section 3.5: motion tokens from the sound, frames from tokens and archive.

What goes on from clip to clip is one ``GenerationState``; its archive holds some of the latents.
Shapes: F frames of a clip, A archived frames, C H W a latent, W E sound windows, K T motion tokens,
B is 1, or 2 with guidance (first without, then with the contexts).
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from talkingface_wild.core.errors import RecipeError
from talkingface_wild.core.generator import State
from talkingface_wild.models.conditions.sound_features import Samples, windows
from talkingface_wild.models.mcdm.block import Carried
from talkingface_wild.models.mcdm.config import SamplingConfig
from talkingface_wild.models.mcdm.present_prior import sampled_tokens
from talkingface_wild.models.samplers.denoising import denoise
from talkingface_wild.models.samplers.noise import make_solver

if TYPE_CHECKING:
    from talkingface_wild.models.mcdm.networks import MCDMParts


STRIDE = 4
"""Of every so many frames one stays, under the policy ``strided``."""


def updated_archive(
    archive_ACHW: Tensor,
    made_FCHW: Tensor,
    policy: str,
    position: int,
    seed: int,
    reference_CHW: Tensor | None = None,
) -> Tensor:
    """The archive after a clip whose first frame was number ``position`` of the video.

    ``last`` keeps the latest A frames, ``strided`` the latest of those whose number is a multiple
    of four, ``reservoir`` a uniform sample of all frames so far, drawn from ``seed`` and the number
    of a frame alone. With ``reference_CHW`` slot 0 is the reference, and frames take the others.
    """
    archive = archive_ACHW if reference_CHW is None else archive_ACHW[1:]
    slots = len(archive)
    if policy == "reservoir":
        for number, latent in enumerate(made_FCHW, start=position):
            slot = 0 if number < slots else _draw(seed, number)
            if slot < slots:
                archive = torch.cat([archive[:slot], archive[slot + 1 :], latent[None]])
    else:
        added = made_FCHW[-position % STRIDE :: STRIDE] if policy == "strided" else made_FCHW
        archive = torch.cat([archive, added])[len(added) :]
    if reference_CHW is not None:
        archive = torch.cat([reference_CHW[None], archive])
    return archive.clone() if archive is archive_ACHW else archive


def _draw(seed: int, number: int) -> int:
    """A uniform number in [0, ``number``], the same on every machine."""
    generator = torch.Generator().manual_seed((seed * 1_000_003 + number) % 2**63)
    return int(torch.randint(number + 1, (1,), generator=generator))


@dataclass
class GenerationState:
    """Everything the next clip depends on, beside the sound and the weights."""

    reference_CHW: Tensor
    image_SE: Tensor
    archive_ACHW: Tensor
    seed: int
    position: int = 0
    """Frames made so far."""
    tokens_FKT: Tensor | None = None
    """The motion tokens of the clip before, which the prior goes on from."""
    memory: dict[int, Carried] = field(default_factory=dict)
    """Motion memory by denoising step and block."""
    look: dict[str, float] = field(default_factory=dict)
    """What the drift gate compares with: statistics of the reference and the first clip."""
    retries: int = 0
    """Clips that the drift gate made again."""

    def to(self, device: torch.device | str) -> GenerationState:
        """The same on another device."""
        state = self.packed()
        tensors = {name: rows.to(device) for name, rows in state.tensors.items()}
        return self.unpacked(dataclasses.replace(state, tensors=tensors))

    def packed(self) -> State:
        """The same as named tensors and scalars, as ``core.generator`` saves them."""
        tensors = {
            "reference": self.reference_CHW,
            "image": self.image_SE,
            "archive": self.archive_ACHW,
        }
        if self.tokens_FKT is not None:
            tensors["tokens"] = self.tokens_FKT
        for step, blocks in self.memory.items():
            tensors |= {f"memory.{step}.{block}": rows for block, rows in blocks.items()}
        look = {f"look.{name}": value for name, value in self.look.items()}
        scalars = {"seed": self.seed, "retries": self.retries, **look}
        return State(self.position, tensors, scalars)

    @classmethod
    def unpacked(cls, state: State) -> GenerationState:
        """From what ``packed`` gives, or a file of it."""
        tensors, scalars = state.tensors, state.scalars
        memory: dict[int, Carried] = {}
        for name in tensors:
            if name.startswith("memory."):
                _, step, block = name.split(".")
                memory.setdefault(int(step), {})[int(block)] = tensors[name]
        return cls(
            tensors["reference"],
            tensors["image"],
            tensors["archive"],
            int(scalars["seed"]),
            state.position,
            tensors.get("tokens"),
            memory,
            {k.removeprefix("look."): float(v) for k, v in scalars.items() if k[:5] == "look."},
            int(scalars["retries"]),
        )


@dataclass
class MadeClip:
    """One clip: frames uint8 (F, H, W, 3), latents, its motion tokens, and the state after it.

    ``tokens_FKT`` are those that the pictures were made with; the state has them before an edit.
    """

    frames_FHWC: Tensor
    latents_FCHW: Tensor
    tokens_FKT: Tensor | None
    state: GenerationState


Edit = Callable[[Tensor], Tensor]
"""Changes motion tokens (F, K, T) before pictures are made of them."""


def clip_generator(seed: int, clip: int, purpose: int) -> torch.Generator:
    """The random numbers of one clip and purpose: no others depend on how far a run came."""
    mixed = (seed * 1_000_003 + clip) * 31 + purpose
    return torch.Generator().manual_seed(mixed % 2**63)


class Rollout:
    """Makes clips with a model's parts. It keeps nothing: all that goes on is the state."""

    PRIOR, PICTURE = 1, 2

    def __init__(self, parts: MCDMParts, sampling: SamplingConfig | None = None) -> None:
        self.parts = parts
        self.sampling = sampling or parts.config.sampling

    @torch.no_grad()
    def start(self, portrait_HWC: Tensor, seed: int) -> GenerationState:
        """The state before the first clip, from a portrait uint8 (side, side, 3)."""
        frame_1HWC = portrait_HWC[None]
        reference_1CHW = self.parts.codec.encode(frame_1HWC)
        image_SE = self.parts.image_features.rows(frame_1HWC, reference_1CHW)
        return self.begun(reference_1CHW[0], image_SE, seed)

    def begun(self, reference_CHW: Tensor, image_SE: Tensor, seed: int) -> GenerationState:
        """The state before the first clip, from the reference's latent and image features.

        Its archive is the reference, again and again (section 3.5).
        """
        device, slots = self.parts.device, self.parts.config.clip.archive_frames
        reference = reference_CHW.to(device, torch.float32)
        archive_ACHW = reference.expand(slots, *reference.shape).clone()
        return GenerationState(reference, image_SE.to(device), archive_ACHW, seed)

    def heard(self, sound: Samples, position: int) -> Tensor:
        """Sound windows (prior_frames, W, E) of the clip that begins at frame ``position``."""
        parts, present = self.parts, self.parts.config.present
        first = position - present.overlap
        return windows(parts.sound_features, sound, first, parts.prior_frames, present.audio_window)

    @torch.no_grad()
    def clip(
        self,
        state: GenerationState,
        sound_FWE: Tensor,
        *,
        landmarks_FHT: Tensor | None = None,
        present: bool = True,
        attempt: int = 0,
        watched: list[Tensor] | None = None,
        edit: Edit | None = None,
    ) -> MadeClip:
        """The next clip. ``sound_FWE`` has ``prior_frames`` windows, the overlap first.

        ``present=False`` leaves motion tokens out. ``attempt`` draws other noise for the same clip.
        ``edit`` changes the tokens that pictures are made of; the prior goes on from its own.
        ``state`` stays as it is.
        """
        config = self.parts.config
        overlap = config.present.overlap
        tokens = None
        if config.present.kind == "prior" and present:
            tokens = self.motion_tokens(state, sound_FWE, landmarks_FHT, attempt)
        shown = tokens if tokens is None or edit is None else edit(tokens)
        heard = sound_FWE[overlap:]
        latents, memory = self._denoise(state, shown, heard, attempt, present, watched)
        frames = self.parts.codec.decode(latents)
        kept = latents
        if config.archived.source == "reencode":
            kept = self.parts.codec.encode(frames).to(latents)
        anchor = state.reference_CHW if config.archived.anchor_reference else None
        archive_ACHW = updated_archive(
            state.archive_ACHW, kept, config.archived.policy, state.position, state.seed, anchor
        )
        after = dataclasses.replace(
            state,
            archive_ACHW=archive_ACHW,
            position=state.position + len(latents),
            memory=memory,
            tokens_FKT=tokens,
        )
        return MadeClip(frames, latents, shown, after)

    @torch.no_grad()
    def motion_tokens(
        self,
        state: GenerationState,
        sound_FWE: Tensor,
        landmarks_FHT: Tensor | None = None,
        attempt: int = 0,
    ) -> Tensor:
        """Motion tokens (F, K, T) of the next clip, going on from those of the clip before."""
        parts, config = self.parts, self.parts.config
        prior, overlap = parts.motion_prior, config.present.overlap
        if prior is None:
            raise RecipeError("Expected a model with motion tokens, found one that has none.")
        draws = self._draws(state, attempt, self.PRIOR)
        shape = (1, len(sound_FWE), prior.token_count, config.present.token_width)
        noise = torch.randn(shape, generator=draws).to(parts.device)
        before = None if state.tokens_FKT is None or not overlap else state.tokens_FKT[-overlap:]
        tokens = sampled_tokens(
            prior,
            parts.prior_noise,
            self.sampling.prior_steps,
            noise,
            sound_FWE[None].to(parts.device),
            state.image_SE[None],
            None if before is None else before[None],
            None if landmarks_FHT is None else landmarks_FHT[None].to(parts.device),
        )
        return tokens[0, overlap:]

    def _draws(self, state: GenerationState, attempt: int, purpose: int) -> torch.Generator:
        number = state.position // self.parts.config.clip.frames
        return clip_generator(state.seed + 7919 * attempt, number, purpose)

    def _denoise(
        self,
        state: GenerationState,
        tokens_FKT: Tensor | None,
        sound_FWE: Tensor,
        attempt: int,
        present: bool,
        watched: list[Tensor] | None,
    ) -> tuple[Tensor, dict[int, Carried]]:
        """Latents (F, C, H, W) of one clip, and the motion memory by step."""
        parts, config, sampling = self.parts, self.parts.config, self.sampling
        frames = config.clip.frames
        context = parts.clip_context(
            state.reference_CHW[None],
            state.archive_ACHW[None],
            state.image_SE[None],
            None if tokens_FKT is None or not present else tokens_FKT[None].to(parts.device),
            sound_FWE[None].to(parts.device) if present else None,
            frames=frames,
            guided=sampling.guidance != 1.0,
            kept={},
            watched=watched,
        )
        draws = self._draws(state, attempt, self.PICTURE)
        shape = (1, frames, *state.reference_CHW.shape)
        noise = torch.randn(shape, generator=draws).to(parts.device)
        memory: dict[int, Carried] = {}

        def predict(seen: Tensor, time: Tensor, step: int) -> Tensor:
            carried = state.memory.get(step)
            out = parts.unet(seen.to(parts.unet.dtype), time, context, carried)
            if out.memory:
                memory[step] = out.memory
            return out.sample.float()

        solver = make_solver(sampling.solver, parts.noise, sampling.steps, parts.device)
        latents = denoise(solver, noise, predict, guidance=sampling.guidance, draws=draws)
        return latents[0], memory
