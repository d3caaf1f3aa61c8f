"""The one reader of tensors: safetensors, and what ``torch.save`` wrote, in both its formats.

Nothing in a file is executed: pickles go through torch's ``weights_only`` reader alone. Several
gigabytes are mapped, not copied, where the format allows it. Callers say what a fault means.
"""

from __future__ import annotations

import pickle
import struct
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from talkingface_wild.core.errors import ExtraMissing

if TYPE_CHECKING:
    from torch import Tensor

PREFIX = "module."
"""What data-parallel training puts before all names."""
# All that torch's reader was seen to raise for broken files.
_BROKEN = (
    pickle.UnpicklingError, RuntimeError, EOFError, OSError, ValueError, LookupError, TypeError,
    AttributeError, AssertionError, struct.error, zipfile.BadZipFile,
)  # fmt: skip


class DamagedTensors(ValueError):
    """A file that is broken or would run code; the text says how the reader put it."""


def read_file(path: Path) -> Any:
    """The plain data of a file, its tensors on the CPU; a mapping of tensors in most.

    Raises DamagedTensors, or ExtraMissing when safetensors is not installed.
    """
    try:
        return _safetensors(path) if path.suffix == ".safetensors" else _torch_data(path)
    except _BROKEN as error:
        lines = str(error).strip().splitlines()
        reason = lines[0][:160] if lines else ""
        raise DamagedTensors(f"{type(error).__name__}: {reason}") from error


def without_prefix(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The tensors without ``PREFIX``, where all names have it."""
    common = PREFIX if all(name.startswith(PREFIX) for name in tensors) else ""
    return {name.removeprefix(common): tensor for name, tensor in tensors.items()}


def _torch_data(path: Path) -> Any:
    import torch

    mapped = zipfile.is_zipfile(path) or None
    return torch.load(path, map_location="cpu", weights_only=True, mmap=mapped)


def _safetensors(path: Path) -> dict[str, Tensor]:
    try:
        from safetensors import SafetensorError
        from safetensors.torch import load_file
    except ImportError as error:
        raise ExtraMissing(
            f"Expected the package safetensors to read {path}, found none installed; "
            "run: pip install 'talkingface-wild[models]'"
        ) from error
    try:
        return load_file(path, device="cpu")
    except SafetensorError as error:
        raise ValueError(str(error)) from error
