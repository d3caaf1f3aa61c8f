"""What the full-size network costs, counted on the meta device: operations, memory, state.

Nothing is computed, so it needs neither weights nor a GPU.
"""

import itertools
import weakref
from collections.abc import Iterator
from typing import Any
from unittest import mock

import torch
from torch import Tensor, nn
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils.flop_counter import FlopCounterMode

from talkingface_wild.models.mcdm import MCDMConfig, MCDMUNet, preset
from talkingface_wild.models.mcdm.block import ClipContext
from tests.speed.mcdm_findings import Finding
from tests.speed.mcdm_models import random_parts

ATTENTION = "torch.nn.functional.scaled_dot_product_attention"


class LiveBytes(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """Most bytes of tensors made inside it that lived at once."""

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.now = self.peak = 0
        self._known = dict[int, weakref.ref[Any]]()

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        out = func(*args, **(kwargs or {}))
        flat, _ = torch.utils._pytree.tree_flatten(out)
        given, _ = torch.utils._pytree.tree_flatten(args)
        old = {id(t.untyped_storage()) for t in given if isinstance(t, Tensor)}
        for tensor in flat:
            if isinstance(tensor, Tensor) and id(tensor.untyped_storage()) not in old:
                self._add(tensor.untyped_storage())
        return out

    def _add(self, storage: torch.UntypedStorage) -> None:
        key, size = id(storage), storage.nbytes()
        if key in self._known:
            return

        def gone(_: Any) -> None:
            self.now -= size
            del self._known[key]

        self._known[key] = weakref.ref(storage, gone)
        self.now += size
        self.peak = max(self.peak, self.now)


def meta_unet(config: MCDMConfig, dtype: torch.dtype = torch.bfloat16) -> Any:
    """The denoising network without any numbers in it."""
    with torch.device("meta"):
        unet = MCDMUNet.of(config)
    nn.Module.to(unet, dtype)
    return unet.eval()


def meta_step(unet: Any, config: MCDMConfig, batch: int) -> tuple[Tensor, ClipContext]:
    """The input of one step of ``batch`` clips, keys and values of the contexts made already."""
    clip, picture, present = config.clip, config.picture, config.present
    dtype, side = unet.dtype, picture.latent_side
    with torch.device("meta"), torch.no_grad():
        shape = (batch, clip.archive_frames, config.archived.queries, config.trunk.context_width)
        motion = torch.empty(batch, clip.frames, present.tokens, present.token_width, dtype=dtype)
        archived = torch.empty(shape, dtype=dtype)
        context = unet.clip_context(archived, motion, frames=clip.frames, kept={})
        noised = torch.empty((batch, clip.frames, picture.latent_channels, side, side), dtype=dtype)
        unet(noised, 0, context)
    return noised, context


def step_flops(config: MCDMConfig, batch: int = 1) -> int:
    """Operations of one denoising step, a multiplication and an addition each one."""
    unet = meta_unet(config)
    noised, context = meta_step(unet, config, batch)
    with torch.no_grad(), FlopCounterMode(display=False) as counted:
        unet(noised, 0, context)
    return int(counted.get_total_flops())


def step_bytes(config: MCDMConfig, batch: int = 1) -> tuple[int, int]:
    """Most bytes that one step's tensors take at once, and bytes of the memory that it leaves.

    Attention counts its result alone, as fused kernels do; no library's own workspace is in it.
    """
    unet = meta_unet(config)
    noised, context = meta_step(unet, config, batch)

    def fused(query: Tensor, key: Tensor, value: Tensor, **_: Any) -> Tensor:
        return query.new_empty(*query.shape[:-1], value.shape[-1])

    with torch.no_grad(), mock.patch(ATTENTION, fused), LiveBytes() as live:
        left = unet(noised, 0, context).memory
    return live.peak, sum(rows.nbytes for rows in left.values())


def counted() -> Iterator[Finding]:
    """Operations, weights, memory of a step and size of the state of the preset ``paper``."""
    weights = _weights(preset("paper"))
    for attention, guided in itertools.product(("favor", "softmax"), (False, True)):
        config = preset("paper").changed([f"temporal.attention={attention}"])
        flops, (peak, left) = step_flops(config, 1 + guided), step_bytes(config, 1 + guided)
        carried = left * config.sampling.steps
        total = weights + 2 * carried + peak
        name = f"paper, {attention}{', CFG' if guided else ''}, computed on the meta device"
        figure = (
            f"{flops / 1e12:.2f} TFLOP a step; weights {weights / 1e9:.2f} GB, a step's tensors "
            f"{peak / 1e9:.2f} GB, motion memory of 25 steps {carried / 1e9:.2f} GB (twice: old "
            f"and new), together {total / 1e9:.2f} GB"
        )
        numbers = {"flops": flops, "weights": weights, "step": peak, "carried": carried}
        yield Finding(name, figure, "≤ 8 GB with CFG" if guided else "–", numbers)


def _weights(config: MCDMConfig) -> int:
    """Bytes of all networks as ``MCDMPipeline`` holds them: UNet and VAE in bf16."""
    with torch.device("meta"):
        parts = random_parts(config, small=False)
    half = ("unet", "reference_unet", "vae")
    return sum(
        tensor.numel() * (2 if name in half else tensor.element_size())
        for name, module in parts.modules().items()
        for tensor in (*module.parameters(), *module.buffers())
    )
