"""The tensors of a TorchScript archive, read as data: its code is neither compiled nor run.

``torch.jit.load`` is not used, of which torch's documentation says that a crafted file can run
code. The archive is a zip; its ``data.pkl`` is read by an unpickler that imports nothing.
"""

import io
import pickle
import re
import struct
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

_TYPES: dict[str, torch.dtype] = {
    "DoubleStorage": torch.float64,
    "FloatStorage": torch.float32,
    "HalfStorage": torch.float16,
    "BFloat16Storage": torch.bfloat16,
    "LongStorage": torch.int64,
    "IntStorage": torch.int32,
    "ShortStorage": torch.int16,
    "CharStorage": torch.int8,
    "ByteStorage": torch.uint8,
    "BoolStorage": torch.bool,
}
_DAMAGED = (
    zipfile.BadZipFile,
    pickle.UnpicklingError,
    RuntimeError,
    NotImplementedError,
    EOFError,
    LookupError,
    TypeError,
    AttributeError,
    OverflowError,
    MemoryError,
    OSError,
    struct.error,
)
_NORM_EPSILON = re.compile(rb"^\s*eps : Final\[float\] = ([0-9.e+-]+)\s*$", re.MULTILINE)


def is_torchscript(path: Path) -> bool:
    """Whether the file is a zip that holds what only ``torch.jit.save`` writes."""
    if not zipfile.is_zipfile(path):
        return False
    try:
        with zipfile.ZipFile(path) as archive:
            names = archive.namelist()
    except (zipfile.BadZipFile, OSError):
        return False
    return any(name.endswith("/constants.pkl") or "/code/" in name for name in names)


def read_torchscript(path: Path) -> dict[str, Tensor]:
    """The parameters and buffers of an archive by their names, on the CPU.

    A module that stands in several places is named by the first. Raises ValueError, with what is
    wrong, when the archive is damaged or its data name anything but modules, tensors and lists.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            (pickled,) = (n for n in archive.namelist() if re.fullmatch(r"[^/]+/data\.pkl", n))
            root = _Reader(archive, pickled.removesuffix("data.pkl"), path.stat().st_size).load()
        if not isinstance(root, _Part):
            raise pickle.UnpicklingError(f"it holds a {type(root).__name__} and no module")
        return dict(_tensors(root, "", set()))
    except ValueError as error:
        raise ValueError(f"its zip or its sizes are damaged ({error})") from error
    except _DAMAGED as error:
        raise ValueError(f"its data are damaged or unlike a module's ({error})") from error


def norm_epsilons(path: Path) -> set[float]:
    """The floors ``eps`` that the text of the archive's code declares; some files declare none.

    The text is searched and not run. Raises ValueError when the zip is damaged.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            texts = [
                archive.read(entry)
                for entry in archive.infolist()
                if entry.filename.endswith(".py") and entry.file_size < 1 << 20
            ]
    except _DAMAGED as error:
        raise ValueError(f"its code cannot be read as text ({error})") from error
    return {float(epsilon) for text in texts for epsilon in _NORM_EPSILON.findall(text)}


class _Part:
    """A module of the archive: its attributes, without its class."""


class _Reader(pickle.Unpickler):
    """An unpickler that knows modules, tensors and plain values, and imports nothing."""

    def __init__(self, archive: zipfile.ZipFile, folder: str, most_bytes: int) -> None:
        self._archive = archive
        self._folder = folder
        self._most_bytes = most_bytes
        self._storages: dict[str, Tensor] = {}
        super().__init__(io.BytesIO(self._entry("data.pkl")))

    def find_class(self, module: str, name: str) -> Any:
        if module == "__torch__" or module.startswith("__torch__."):
            return type("Part", (_Part,), {})
        if module == "torch" and name in _TYPES:
            return _TYPES[name]
        if (module, name) == ("torch._utils", "_rebuild_tensor_v2"):
            return self._tensor
        if (module, name) == ("collections", "OrderedDict"):
            return dict
        if module == "torch.jit._pickle":
            return self._value
        raise pickle.UnpicklingError(f"it names {module}.{name}, which is not resolved")

    def persistent_load(self, pid: Any) -> Tensor:
        kind, dtype, key, _location, count = pid
        if kind != "storage" or not isinstance(dtype, torch.dtype):
            raise pickle.UnpicklingError(f"it refers to {kind!r}")
        if key not in self._storages:
            data = self._entry(f"data/{key}")
            if len(data) != count * dtype.itemsize:
                raise pickle.UnpicklingError(f"storage {key} has {len(data)} bytes")
            empty = torch.empty(0, dtype=dtype)
            self._storages[key] = torch.frombuffer(bytearray(data), dtype=dtype) if data else empty
        return self._storages[key]

    def _entry(self, name: str) -> bytes:
        """One member; the archive's members are not compressed, so none exceeds the file."""
        entry = self._archive.getinfo(self._folder + name)
        if entry.file_size > self._most_bytes:
            raise pickle.UnpicklingError(f"{name} claims {entry.file_size} bytes")
        return self._archive.read(entry)

    def _tensor(
        self, storage: Tensor, offset: int, size: tuple[int, ...], stride: tuple[int, ...], *_: Any
    ) -> Tensor:
        """A view of a storage; torch refuses one that reaches beyond it."""
        return torch.as_strided(storage, size, stride, offset)

    def _value(self, value: Any, *_type: Any) -> Any:
        """A list as it is; the archive only adds its type."""
        return value


def _tensors(part: _Part, prefix: str, seen: set[int]) -> Iterator[tuple[str, Tensor]]:
    """Names and tensors of a module and of the modules in it."""
    seen.add(id(part))
    for name, value in vars(part).items():
        if isinstance(value, Tensor):
            yield f"{prefix}{name}", value
        elif isinstance(value, _Part) and id(value) not in seen:
            yield from _tensors(value, f"{prefix}{name}.", seen)
