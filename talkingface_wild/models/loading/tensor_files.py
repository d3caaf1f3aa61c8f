"""A published checkpoint's tensors by name, its shards and wrappers included, and its settings."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from torch import Tensor

from talkingface_wild.core.errors import InputUnreadable
from talkingface_wild.weights.hub import INDEX
from talkingface_wild.weights.tensors import DamagedTensors, read_file, without_prefix

_WRAPPERS = ("state_dict", "model_state_dict")


def read_tensors(path: Path) -> dict[str, Tensor]:
    """Every tensor of a file, or of the shards that an index names, on the CPU.

    Raises InputUnreadable for a file that is broken, would run code, or holds no named tensors.
    """
    if path.name.endswith(INDEX):
        return _read_shards(path)
    try:
        content = read_file(path)
    except DamagedTensors as error:
        faults = (
            f"a whole safetensors file in {path}, found a broken one ({error.__cause__}); get it "
            "again from its source."
            if path.suffix == ".safetensors"
            else f"plain tensors in {path}, found what torch does not read without running code "
            f"({error}); take the same checkpoint as .safetensors."
        )
        raise InputUnreadable(f"Expected {faults}") from error
    for wrapper in _WRAPPERS:
        if isinstance(content, Mapping) and isinstance(content.get(wrapper), Mapping):
            content = content[wrapper]
    named = content if isinstance(content, Mapping) else {}
    tensors = {str(name): value for name, value in named.items() if isinstance(value, Tensor)}
    if not tensors:
        raise InputUnreadable(
            f"Expected tensors by name in {path}, found none; take the file of weights."
        )
    return without_prefix(tensors)


def read_json(path: Path) -> dict[str, Any]:
    """A configuration file. Raises InputUnreadable when it is not there or not JSON."""
    try:
        content = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise InputUnreadable(
            f"Expected a configuration in {path}, found none ({type(error).__name__}); take the "
            "whole folder of the checkpoint."
        ) from error
    if not isinstance(content, dict):
        raise InputUnreadable(
            f"Expected a configuration in {path}, found {type(content).__name__}; take the whole "
            "folder of the checkpoint."
        )
    return content


def _read_shards(index: Path) -> dict[str, Tensor]:
    where = read_json(index).get("weight_map")
    names = sorted(set(where.values())) if isinstance(where, dict) else []
    if not names or not all(isinstance(n, str) and n == Path(n).name for n in names):
        raise InputUnreadable(
            f"Expected the names of files beside it in {index}, found other things; get the index "
            "again from its source."
        )
    tensors: dict[str, Tensor] = {}
    for name in names:
        if not (index.parent / name).is_file():
            raise InputUnreadable(
                f"Expected the shard {name} beside {index}, found none; get all {len(names)} of "
                "its shards."
            )
        tensors |= read_tensors(index.parent / name)
    return tensors
