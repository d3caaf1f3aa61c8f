"""The one way trained numbers enter a network: tensors only, every key and shape accounted for.
Nothing in a checkpoint is ever executed, and nothing is filled in silently.
"""

from collections.abc import Callable, Collection, Mapping
from pathlib import Path

import torch
from torch import Tensor, nn

from talkingface_wild.core.errors import WeightMissing
from talkingface_wild.weights.tensors import DamagedTensors, read_file, without_prefix
from talkingface_wild.weights.torchscript import is_torchscript

_SHOWN = 5
_REMEDY = "get the published file with 'tfw weights fetch' or 'tfw weights import DIR'."


def load_state(path: Path, key: str | None = None) -> dict[str, Tensor]:
    """The tensors of a checkpoint by name, on the CPU: ``.safetensors``, or from ``torch.save``.

    ``key`` names the entry that holds the tensors where the file wraps them (``params``,
    ``net_recon``); a file without that entry is taken as it is. A prefix ``module.`` that all names
    carry is removed. Files are read by ``weights.tensors`` alone.

    Raises WeightMissing when the file is absent, damaged, a TorchScript archive, would run code,
    or holds something else than named tensors; ExtraMissing when safetensors is not installed.
    """
    if not path.is_file():
        raise WeightMissing(f"Expected a checkpoint at {path}, found no file; {_REMEDY}")
    is_safe = path.suffix == ".safetensors"
    if not is_safe and is_torchscript(path):
        raise WeightMissing(
            f"Expected a state dict in {path}, found a TorchScript archive, which holds code and "
            f"is never run; {_REMEDY}"
        )
    try:
        content = read_file(path)
    except DamagedTensors as error:
        faults = (
            f"a safetensors file at {path}, found a damaged one"
            if is_safe
            else f"a checkpoint of plain tensors in {path}, found a file that is damaged or that "
            "would run code, which is never loaded"
        )
        raise WeightMissing(f"Expected {faults}; {_REMEDY}") from error
    if key is not None and isinstance(content, Mapping) and isinstance(content.get(key), Mapping):
        content = content[key]
    if not isinstance(content, Mapping) or not content:
        raise WeightMissing(
            f"Expected named tensors in {path}, found {type(content).__name__}; {_REMEDY}"
        )
    others = [str(name) for name, value in content.items() if not isinstance(value, Tensor)]
    if others:
        raise WeightMissing(
            f"Expected nothing but named tensors in {path}, found other entries "
            f"({_listed(others)}); {_REMEDY}"
        )
    return without_prefix({str(name): tensor for name, tensor in content.items()})


def load_strict(
    module: nn.Module,
    state: Mapping[str, Tensor],
    path: Path,
    ignore: Collection[str] = ("num_batches_tracked",),
    file_name: Callable[[str], str] = str,
) -> None:
    """Copy ``state`` into ``module``, in place; every key and every shape must agree.

    ``path`` is named in errors. ``ignore`` lists last parts of names that may be absent on either
    side. ``file_name`` turns a name of the module into the file's where the two differ. Values are
    converted to the module's own type.

    Raises WeightMissing that names missing and unexpected keys and wrong shapes (the first five
    of each, and their count).
    """
    own = {file_name(name): tensor for name, tensor in module.state_dict().items()}
    counted = {name for name in own if name.rpartition(".")[2] not in ignore}
    present = {name for name in state if name.rpartition(".")[2] not in ignore}
    shapes = [
        f"{name} is {tuple(state[name].shape)} instead of {tuple(own[name].shape)}"
        for name in sorted(own.keys() & state.keys())
        if state[name].shape != own[name].shape
    ]
    faults = [
        f"{len(names)} {what} ({_listed(names)})"
        for what, names in (
            ("missing", sorted(counted - present)),
            ("unexpected", sorted(present - counted)),
            ("of a wrong shape", shapes),
        )
        if names
    ]
    if faults:
        raise WeightMissing(
            f"Expected the {len(counted)} tensors of {type(module).__name__} in {path}, "
            f"found {', '.join(faults)}; {_REMEDY}"
        )
    with torch.no_grad():
        for name in own.keys() & state.keys():
            own[name].copy_(state[name])


def _listed(names: list[str]) -> str:
    """The first five names, and an ellipsis when there are more."""
    return ", ".join(names[:_SHOWN]) + (", …" if len(names) > _SHOWN else "")
