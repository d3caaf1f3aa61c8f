"""Tensors of a checkpoint's file, by name. Nothing in the file is executed.

safetensors are mapped; pickles go through torch's ``weights_only`` reader, mapped where their
format allows it.
"""

import json
import pickle
import struct
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor

from talkingface_wild.core.errors import InputUnreadable

SUFFIXES = (".safetensors", ".ckpt", ".pth", ".pt", ".bin")
"""Endings of files that hold tensors."""
INDEX = ".index.json"
"""Ending of the file that says which shard holds which tensor."""
_WRAPPERS = ("state_dict", "model_state_dict")
# All that torch's reader was seen to raise for broken files.
_BROKEN = (
    pickle.UnpicklingError, RuntimeError, EOFError, OSError, ValueError, KeyError, TypeError,
    AttributeError, IndexError, AssertionError, struct.error, zipfile.BadZipFile,
)  # fmt: skip


def read_tensors(path: Path) -> dict[str, Tensor]:
    """Every tensor of a file, or of the shards that an index names, on the CPU.

    Raises InputUnreadable for a file that is broken, would run code, or holds no named tensors.
    """
    if path.name.endswith(INDEX):
        return _read_shards(path)
    if path.suffix == ".safetensors":
        content: Any = _read_safetensors(path)
    else:
        content = _read_pickle(path)
    for wrapper in _WRAPPERS:
        if isinstance(content, Mapping) and isinstance(content.get(wrapper), Mapping):
            content = content[wrapper]
    named = content if isinstance(content, Mapping) else {}
    tensors = {str(name): value for name, value in named.items() if isinstance(value, Tensor)}
    if not tensors:
        raise InputUnreadable(
            f"Expected tensors by name in {path}, found none; take the file of weights."
        )
    if all(name.startswith("module.") for name in tensors):
        return {name.removeprefix("module."): value for name, value in tensors.items()}
    return tensors


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


def _read_safetensors(path: Path) -> dict[str, Tensor]:
    try:
        return load_file(path)
    except (SafetensorError, OSError, ValueError) as error:
        raise InputUnreadable(
            f"Expected a whole safetensors file in {path}, found a broken one ({error}); get it "
            "again from its source."
        ) from error


def _read_pickle(path: Path) -> Any:
    try:
        mapped = zipfile.is_zipfile(path)
        return torch.load(path, map_location="cpu", weights_only=True, mmap=mapped or None)
    except _BROKEN as error:
        reason = str(error).strip().splitlines()[0][:160] if str(error).strip() else ""
        raise InputUnreadable(
            f"Expected plain tensors in {path}, found what torch does not read without running "
            f"code ({type(error).__name__}: {reason}); take the same checkpoint as .safetensors."
        ) from error
