"""Trains the encoders of lips, expression and head; then they are frozen and tokens are taken.

Lips: a decoder must rebuild the mouth from its tokens, and tokens must tell their own sound from
others' (InfoNCE). Expression: the decoder is told who it is, and tokens pay for what identity
explains of them; emotion labels, where there are any, must be told from tokens. Head: rebuilding.
Shapes: B items, L crops of a window, S side, T frames, K tokens, W T their width, E sound features.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from accelerate import Accelerator
from torch import Tensor, nn
from torch.nn import functional

from talkingface_wild.core.errors import RecipeError
from talkingface_wild.models.conditions.codec import to_unit
from talkingface_wild.models.conditions.sound_features import sound_windows
from talkingface_wild.models.mcdm.config import MCDMConfig
from talkingface_wild.models.mcdm.encoders import CropDecoder, CropEncoder
from talkingface_wild.models.mcdm.networks import MCDMParts
from talkingface_wild.models.mcdm.training.clip_features import CachedClip
from talkingface_wild.models.training.loop import LoopSettings, TrainingLoop, Watch
from talkingface_wild.models.training.training_stage import StageOutcome

TEMPERATURE = 0.1
CONTRAST_WEIGHT = 0.05
EMBEDDING = 64
IDENTITY_WEIGHT, EMOTION_WEIGHT = 0.1, 0.1
CLIPS_AT_ONCE = 4
"""Clips in a batch of the expression encoder, which must see several persons at once."""


def crop_windows(crops_TSSC: Tensor, frames: Tensor, window: int) -> Tensor:
    """(B, L, 3, S, S) in [-1, 1] around each frame; the ends repeat."""
    reach = window // 2
    index = frames[:, None] + torch.arange(-reach, reach + 1)
    return to_unit(crops_TSSC[index.clamp(0, len(crops_TSSC) - 1)])


@dataclass
class EncoderTask:
    """One encoder, what it looks at, and the networks that only its training needs."""

    name: str
    encoder: CropEncoder
    decoder: CropDecoder
    crops: Callable[[CachedClip], Tensor]
    sound_side: nn.Module | None = None
    token_side: nn.Module | None = None
    person_tokens: nn.Embedding | None = None
    """What the decoder is told of each person, in the shape of the tokens."""
    emotion_side: nn.Module | None = None
    persons: tuple[str, ...] = ()
    emotions: tuple[str, ...] = ()

    def networks(self) -> dict[str, nn.Module]:
        """All that is trained, under the names that checkpoints have for it."""
        networks: dict[str, nn.Module | None] = {
            "encoder": self.encoder,
            "decoder": self.decoder,
            "heard": self.sound_side,
            "told": self.token_side,
            "who": self.person_tokens,
            "felt": self.emotion_side,
        }
        return {name: network for name, network in networks.items() if network is not None}


def make_task(
    name: str,
    encoder: CropEncoder,
    crops: Callable[[CachedClip], Tensor],
    config: MCDMConfig,
    clips: Sequence[CachedClip] = (),
) -> EncoderTask:
    """The task of an encoder; the lips' has a sound side, the expression's knows who and how."""
    settings = encoder.config
    width = settings.tokens * settings.token_width
    decoder = CropDecoder(settings.tokens, settings.token_width, settings.side)
    task = EncoderTask(name, encoder, decoder, crops)
    if name == "lips":
        features = (2 * config.present.audio_window + 1) * config.present.audio_width
        task.sound_side = nn.Sequential(
            nn.Linear(features, 128), nn.SiLU(), nn.Linear(128, EMBEDDING)
        )
        task.token_side = nn.Linear(width, EMBEDDING)
    if name == "expression":
        task.persons = tuple(sorted({_fact(clip, "identity") for clip in clips}))
        task.emotions = tuple(sorted({_fact(clip, "emotion") for clip in clips} - {""}))
        if len(task.persons) > 1:
            task.person_tokens = nn.Embedding(len(task.persons), width)
            nn.init.zeros_(task.person_tokens.weight)
        if len(task.emotions) > 1:
            task.emotion_side = nn.Linear(width, len(task.emotions))
    return task


def _fact(clip: CachedClip, name: str) -> str:
    return str(clip.facts.get(name) or "")


def encoder_loss(
    task: EncoderTask,
    clips: Sequence[CachedClip],
    draws: torch.Generator,
    size: int,
    reach: int,
    device: torch.device,
) -> Tensor:
    """Rebuilding error of one batch, and what the encoder's kind asks for beside it."""
    count = CLIPS_AT_ONCE if task.person_tokens is not None or task.emotion_side is not None else 1
    numbers = torch.randint(len(clips), (count,), generator=draws).tolist()
    each = max(1, size // count)
    picked = [(clips[k], torch.randint(clips[k].frames, (each,), generator=draws)) for k in numbers]
    reading = task.encoder.config.window
    window = torch.cat([crop_windows(task.crops(c), f, reading) for c, f in picked]).to(device)
    raw = task.encoder.raw(window)
    middle = window[:, window.shape[1] // 2]
    shown, raw_loss = raw, raw.new_zeros(())
    if task.person_tokens is not None:
        names = [_fact(clip, "identity") for clip, frames in picked for _ in frames]
        person_B = torch.tensor([task.persons.index(name) for name in names], device=device)
        shown = raw + task.person_tokens(person_B).view_as(raw)
        raw_loss = IDENTITY_WEIGHT * explained(raw.flatten(1), person_B)
    loss = functional.mse_loss(task.decoder(shown), middle) + raw_loss
    # A weak pull keeps tokens small, so that setting them to unit scale stays well posed.
    loss = loss + 1e-4 * raw.square().mean()
    if task.emotion_side is not None:
        logits_BE = task.emotion_side(raw.flatten(1))
        loss = loss + EMOTION_WEIGHT * _emotion_loss(task, logits_BE, picked)
    if task.sound_side is not None and task.token_side is not None:
        clip, frames = picked[0]
        sound = torch.cat([sound_windows(clip.sound_TE, int(f), 1, reach) for f in frames])
        sounds = task.sound_side(sound.flatten(1).to(device))
        loss = loss + CONTRAST_WEIGHT * contrast(task.token_side(raw.flatten(1)), sounds, frames)
    return loss


def explained(tokens_BD: Tensor, group_B: Tensor) -> Tensor:
    """Share of the tokens' variance that lies between groups, 0 to 1; 0 for a single group."""
    centred = tokens_BD - tokens_BD.mean(dim=0)
    total = centred.square().sum().clamp(min=1e-8)
    between = tokens_BD.new_zeros(())
    for group in group_B.unique():
        members = centred[group_B == group]
        between = between + len(members) * members.mean(dim=0).square().sum()
    return between / total


def contrast(tokens_BD: Tensor, sounds_BD: Tensor, frames_B: Tensor) -> Tensor:
    """InfoNCE both ways between mouths and sounds of the same frames (van den Oord et al. 2018)."""
    tokens, sounds = functional.normalize(tokens_BD, dim=1), functional.normalize(sounds_BD, dim=1)
    logits = tokens @ sounds.T / TEMPERATURE
    own = torch.arange(len(logits), device=logits.device)
    # The same frame drawn twice is no negative.
    same = (frames_B[:, None] == frames_B[None]).to(logits.device)
    same.fill_diagonal_(False)
    logits = logits.masked_fill(same, -1e4)
    return (functional.cross_entropy(logits, own) + functional.cross_entropy(logits.T, own)) / 2


def _emotion_loss(
    task: EncoderTask, logits_BE: Tensor, picked: Sequence[tuple[CachedClip, Tensor]]
) -> Tensor:
    """Cross entropy over the clips that have a label."""
    names = [_fact(clip, "emotion") for clip, frames in picked for _ in frames]
    labelled = [place for place, name in enumerate(names) if name]
    if not labelled:
        return logits_BE.sum() * 0
    classes = [task.emotions.index(names[place]) for place in labelled]
    class_B = torch.tensor(classes, device=logits_BE.device)
    return functional.cross_entropy(logits_BE[labelled], class_B)


@torch.no_grad()
def raw_tokens(encoder: CropEncoder, crops_TSSC: Tensor, device: torch.device) -> Tensor:
    """Tokens (T, K, W) of every frame of a clip, before they are set to unit scale."""
    frames = torch.arange(len(crops_TSSC))
    window = encoder.config.window
    windows = (crop_windows(crops_TSSC, part, window) for part in frames.split(64))
    return torch.cat([encoder.raw(window_BLCSS.to(device)) for window_BLCSS in windows]).cpu()


def encoder_tasks(parts: MCDMParts, clips: Sequence[CachedClip] = ()) -> list[EncoderTask]:
    """The encoders to train: lips, expression, and head where no landmarks give it."""
    encoders: list[tuple[str, CropEncoder | None, Callable[[CachedClip], Tensor]]] = [
        ("lips", parts.lip_encoder, lambda clip: clip.lips_TSSC),
        ("expression", parts.expression_encoder, lambda clip: clip.face_TSSC),
        ("head", parts.head_encoder, _head_crops),
    ]
    return [
        make_task(name, encoder, crops, parts.config, clips)
        for name, encoder, crops in encoders
        if encoder is not None
    ]


def _head_crops(clip: CachedClip) -> Tensor:
    if clip.head_TSSC is None:
        raise RecipeError(
            f"Expected head crops of clip {clip.clip_id!r}, found none; run --stage features again."
        )
    return clip.head_TSSC


def run_encoders(
    parts: MCDMParts,
    clips: Sequence[CachedClip],
    folder: Path,
    watch: Watch | None = None,
    accelerator: Accelerator | None = None,
) -> list[StageOutcome]:
    """Train the encoders one after another, then set their tokens to unit scale."""
    training = parts.config.training
    accelerator = accelerator or Accelerator(mixed_precision=training.precision)
    reach = parts.config.present.audio_window
    outcomes = []
    with torch.random.fork_rng():
        torch.manual_seed(training.seed)
        tasks = encoder_tasks(parts, clips)
    for number, task in enumerate(tasks):
        networks = task.networks()

        def loss(_: Any, draws: torch.Generator, task: EncoderTask = task) -> Tensor:
            size = training.encoders.batch
            return encoder_loss(task, clips, draws, size, reach, accelerator.device)

        loop = TrainingLoop(
            f"{task.name} encoder",
            networks,
            dict(nn.ModuleDict(networks).named_parameters()),
            LoopSettings.of(training, training.encoders, 10 + number),
            lambda draws: None,
            loss,
            folder / task.name,
            accelerator=accelerator,
        )
        after = loop.run(watch)
        task.encoder.eval().requires_grad_(False)
        device = accelerator.device
        tokens = [raw_tokens(task.encoder, task.crops(clip), device) for clip in clips]
        task.encoder.set_scale(torch.cat(tokens).to(device))
        outcomes.append(StageOutcome(task.name, loop.iteration, None, after))
    return outcomes


@torch.no_grad()
def take_tokens(parts: MCDMParts, clip: CachedClip) -> Tensor:
    """Motion tokens (T, K, W) of a clip: head, lips, expression. Needs the clip's crops."""
    device = parts.device
    streams = []
    if parts.config.present.head == "landmarks":
        if clip.head_TKW is None:
            raise RecipeError(
                f"Expected head tokens of clip {clip.clip_id!r}, found none; landmarks are needed: "
                "see docs/mcdm.md, or take --set present.head=face_crop."
            )
        streams.append(clip.head_TKW.float())
    order = ("head", "lips", "expression")
    for task in sorted(encoder_tasks(parts), key=lambda task: order.index(task.name)):
        raw = raw_tokens(task.encoder, task.crops(clip), device).to(device)
        streams.append(((raw - task.encoder.mean_KT) / task.encoder.std_KT).cpu())
    return torch.cat(streams, dim=1)
