"""Generation at full size on a GPU, random weights in bf16: clips, steps, the VAE, whole videos.

A clip goes on from one before it, as all but the first of a video do.
"""

import itertools
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from typing import Any, cast

import torch
from torch import Tensor

from talkingface_wild.models.conditions.codec import VaeCodec
from talkingface_wild.models.mcdm import MCDMParts, MCDMPipeline
from talkingface_wild.models.mcdm.rollout import GenerationState, Rollout
from tests.speed.mcdm_counted import step_flops
from tests.speed.mcdm_findings import (
    DEVICE,
    MODEL,
    SMALL,
    Finding,
    forget_peak,
    gigabytes,
    guarded,
    peak_gigabytes,
    seconds,
)
from tests.speed.mcdm_models import full_size, portrait, random_parts, random_vae, speech
from tests.speed.mcdm_variants import VARIANTS, Variant, matrix_rate, run_as

STEPS = (1, 2) if SMALL else (4, 8, 25)
GUIDANCE = (1.0, 3.5)
"""Off, and what is usual: then every step makes two clips."""
LEAST_FRAMES_A_SECOND, LEAST_SHARE, MOST_GIGABYTES = 12, 0.4, 8
"""The goals: 25 steps without guidance; of the matrix rate; with guidance."""


def clips(attention: str, compiled: bool) -> Iterator[Finding]:
    """Seconds of a clip and of a step in each variant, and the share of the matrix rate."""
    best = matrix_rate()
    config = full_size(SMALL, f"temporal.attention={attention}")
    parts = _ready(random_parts(config, SMALL))
    flops = step_flops(config)
    variants = [v for v in VARIANTS if (v.attention, v.compiled) == (attention, compiled)]
    for variant, guidance in itertools.product(variants, GUIDANCE):
        with run_as(parts, variant):
            name = _named(variant, guidance)
            step = partial(_step, parts, variant, guidance, flops, best)
            yield from guarded(f"{name}, a step", step)
            for steps in STEPS:
                clip = partial(_clip, parts, variant, guidance, steps)
                yield from guarded(f"{name}, {steps} steps", clip)


def _ready(parts: MCDMParts) -> MCDMParts:
    return parts.eval().to(DEVICE, torch.bfloat16)


def _named(variant: Variant, guidance: float) -> str:
    return f"{MODEL}, {variant.name}{', CFG' if guidance != 1 else ''}"


def _sound(parts: MCDMParts) -> Tensor:
    present = parts.config.present
    draws = torch.Generator().manual_seed(1)
    window = 2 * present.audio_window + 1
    return torch.randn(parts.prior_frames, window, present.audio_width, generator=draws)


def _after_one(parts: MCDMParts, guidance: float, steps: int) -> tuple[Rollout, GenerationState]:
    """The state after a first clip, which is made without the compiler."""
    asked = replace(parts.config.sampling, guidance=guidance, steps=steps, prior_steps=steps)
    rollout = Rollout(parts, asked)
    with torch.compiler.set_stance("force_eager"):
        state = rollout.start(portrait(parts.config.picture.side), seed=0)
        return rollout, rollout.clip(state, _sound(parts)).state


def _clip(parts: MCDMParts, variant: Variant, guidance: float, steps: int) -> Iterator[Finding]:
    """A whole clip: motion tokens, denoising, decoding, and encoding it again for the archive."""
    rollout, state = _after_one(parts, guidance, steps)
    sound, frames = _sound(parts), parts.config.clip.frames
    rollout.clip(state, sound)
    forget_peak()
    spent = seconds(lambda: rollout.clip(state, sound), warm=0)
    peak, tokens = peak_gigabytes(), seconds(lambda: rollout.motion_tokens(state, sound))
    figure = (
        f"{spent:.3f} s, that is {frames / spent:.1f} frames/s, peak {gigabytes(peak)}; "
        f"motion tokens take {tokens:.3f} s of it"
    )
    goals = [f"≥ {LEAST_FRAMES_A_SECOND} frames/s"] if (guidance, steps) == (1.0, STEPS[-1]) else []
    goals += [f"≤ {MOST_GIGABYTES} GB"] if guidance != 1 else []
    numbers = {
        "seconds": spent, "frames_a_second": frames / spent, "peak_gigabytes": peak,
        "tokens_seconds": tokens, "steps": steps, "guidance": guidance,
    }  # fmt: skip
    name = f"{_named(variant, guidance)}, {steps} steps: a clip of {frames} frames"
    yield Finding(name, figure, ", ".join(goals) or "–", numbers)


@torch.no_grad()
def _step(
    parts: MCDMParts, variant: Variant, guidance: float, flops: int, best: float
) -> Iterator[Finding]:
    """One step of the denoising network with the contexts' keys and values made already."""
    _, state = _after_one(parts, guidance, 1)
    config, batch, unet = parts.config, 1 if guidance == 1 else 2, cast(Any, parts.unet)
    tokens = None if state.tokens_FKT is None else state.tokens_FKT[None]
    context = parts.clip_context(
        state.reference_CHW[None],
        state.archive_ACHW[None],
        state.image_SE[None],
        tokens,
        None,
        frames=config.clip.frames,
        guided=batch == 2,
        kept={},
    )
    shape = (batch, config.clip.frames, *state.reference_CHW.shape)
    noised = torch.randn(shape, device=parts.device, dtype=unet.dtype)
    time = torch.tensor(500, device=parts.device)

    def run() -> None:
        unet(noised, time, context, state.memory[0])

    first = seconds(run, times=1, warm=0)
    forget_peak()
    spent = seconds(run, times=10, warm=3, most=5.0)
    share = flops * batch / spent / best
    figure = (
        f"{1000 * spent:.1f} ms, {100 * share:.0f} % of the matrix rate; the first {first:.1f} s"
    )
    numbers = {"seconds": spent, "share": share, "first": first, "peak": peak_gigabytes()}
    yield Finding(
        f"{_named(variant, guidance)}: a step", figure, f"≥ {100 * LEAST_SHARE:.0f} %", numbers
    )


def vae() -> Iterator[Finding]:
    """The VAE on a clip, by how many frames it takes at once."""
    frames, side = 16, 64 if SMALL else 512
    network = random_vae(SMALL).eval().requires_grad_(False)
    torch.nn.Module.to(network, DEVICE, torch.bfloat16)
    pictures = torch.stack([portrait(side)] * frames).to(DEVICE)
    for layout, at_once in itertools.product(("contiguous", "channels-last"), (1, 4, 16)):
        name = f"VAE, {frames} frames of {side}², {at_once} at a time, {layout}"
        last = layout == "channels-last"
        network.to(memory_format=torch.channels_last if last else torch.contiguous_format)
        codec = VaeCodec(network, at_once)
        yield from guarded(name, partial(_codec, name, codec, pictures))


def _codec(name: str, codec: VaeCodec, pictures: Tensor) -> Iterator[Finding]:
    latents = codec.encode(pictures)
    forget_peak()
    decode = seconds(lambda: codec.decode(latents))
    peak = peak_gigabytes()
    encode = seconds(lambda: codec.encode(pictures))
    figure = f"decoding {decode:.3f} s, peak {gigabytes(peak)}; encoding {encode:.3f} s"
    numbers = {"decode": decode, "encode": encode, "peak_gigabytes": peak}
    yield Finding(name, figure, "–", numbers)


def videos() -> Iterator[Finding]:
    """Whole videos through the pipeline: portrait and sound in, frames out, 25 steps."""
    parts = _ready(random_parts(full_size(SMALL), SMALL))
    for variant in (Variant(tf32=True), Variant(tf32=True, compiled=True, channels_last=True)):
        with run_as(parts, variant):
            yield from guarded(f"a video, {variant.name}", partial(_video, parts, variant))


def _video(parts: MCDMParts, variant: Variant, count: int = 6) -> Iterator[Finding]:
    config = parts.config
    pipeline = MCDMPipeline.of(parts)
    frames = count * config.clip.frames
    sound, face = speech(frames / config.picture.fps), portrait(config.picture.side).numpy()

    def make() -> None:
        for _ in pipeline.stream(
            face, sound, frames=frames, steps=STEPS[-1], prior_steps=STEPS[-1]
        ):
            pass

    first = seconds(make, times=1, warm=0)
    forget_peak()
    spent = seconds(make, times=1, warm=0)
    peak = gigabytes(peak_gigabytes())
    figure = f"{spent:.2f} s, that is {frames / spent:.1f} frames/s, peak {peak}; "
    figure += f"the first time {first:.1f} s"
    name = f"{MODEL}, {variant.name}: a video of {frames} frames from portrait and sound"
    numbers = {"seconds": spent, "first": first, "frames_a_second": frames / spent}
    yield Finding(name, figure, f"≥ {LEAST_FRAMES_A_SECOND} frames/s", numbers)
