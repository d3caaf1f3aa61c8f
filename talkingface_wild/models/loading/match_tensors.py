"""Pairs a network's tensors with a checkpoint's by name, and puts them in once all is checked."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

import torch
from torch import Tensor, nn

from talkingface_wild.models.loading.coverage import Coverage, Mismatch

Names = Mapping[str, tuple[str, ...]]
"""Each tensor of the network, with the names a checkpoint may have for it, the likeliest first."""


class WeightFile(NamedTuple):
    """The tensors of a published file, where it lies, and how a sentence names it."""

    tensors: Mapping[str, Tensor]
    path: Path
    source: str


@dataclass
class Placement:
    """What would be put where; nothing is changed before ``put``."""

    coverage: Coverage
    module: nn.Module
    values: dict[str, Tensor] = field(default_factory=dict)
    attach: Callable[[nn.Module], None] | None = None
    """Called with the filled module, where that is a new one."""

    @torch.no_grad()
    def put(self) -> None:
        """Copy the values; kind of number and device are those of the network."""
        state = self.module.state_dict()
        for name, value in self.values.items():
            state[name].copy_(value.reshape(state[name].shape))
        if self.attach is not None:
            self.attach(self.module)


def place(
    group: str,
    source: str,
    module: nn.Module,
    names: Names,
    tensors: Mapping[str, Tensor],
    *,
    left_out: str | None = None,
    idle: str | None = None,
    derived: bool = False,
    advice: str = "take the complete checkpoint",
    attach: Callable[[nn.Module], None] | None = None,
) -> Placement:
    """Pair the tensors of ``names`` with those of a checkpoint.

    ``left_out`` is a pattern of the checkpoint's names that belong to other parts, ``idle`` one of
    the network's that nothing reads, so that they may be missing.
    """
    state = module.state_dict()
    values: dict[str, Tensor] = {}
    missing: list[str] = []
    unread: list[str] = []
    mismatched: list[Mismatch] = []
    used: set[str] = set()
    for name, candidates in names.items():
        match = next((other for other in candidates if other in tensors), None)
        if match is None:
            (unread if idle and re.search(idle, name) else missing).append(name)
            continue
        used.add(match)
        if _fits(state[name], tensors[match]):
            values[name] = tensors[match]
        else:
            mismatched.append(Mismatch(name, _kind(state[name]), _kind(tensors[match])))
    rest = [name for name in tensors if name not in used]
    others = {name for name in rest if left_out and re.search(left_out, name)}
    coverage = Coverage(
        group=group,
        source=source,
        loaded=tuple(values),
        missing=tuple(missing),
        mismatched=tuple(mismatched),
        unexpected=tuple(name for name in rest if name not in others),
        left_out=tuple(name for name in rest if name in others),
        idle=tuple(unread),
        values=sum(value.numel() for value in values.values()),
        derived=derived,
        advice=advice,
    )
    return Placement(coverage, module, values, attach)


def _fits(ours: Tensor, theirs: Tensor) -> bool:
    """Same kind of number and shape; a 1 x 1 convolution fits the linear layer that it is."""
    if ours.is_floating_point() != theirs.is_floating_point():
        return False
    shape = tuple(theirs.shape)
    while len(shape) > ours.ndim and shape[-1] == 1:
        shape = shape[:-1]
    return shape == tuple(ours.shape)


def _kind(tensor: Tensor) -> str:
    number = "" if tensor.is_floating_point() else f" {str(tensor.dtype).removeprefix('torch.')}"
    return f"{tuple(tensor.shape)}{number}"
