"""Hashes of weights: of a folder's files, of networks in memory."""

import hashlib
from collections.abc import Collection, Mapping
from pathlib import Path

import torch
from torch import nn

from talkingface_wild.core.fingerprint import file_sha256


def weights_sha256(folder: Path) -> str:
    """One sha256 over every safetensors file of a folder: their relative names and own hashes."""
    hashed = hashlib.sha256()
    for path in sorted(folder.rglob("*.safetensors")):
        name = path.relative_to(folder).as_posix()
        hashed.update(f"{name} {file_sha256(path)}\n".encode())
    return hashed.hexdigest()


def tensors_sha256(modules: Mapping[str, nn.Module], but: Collection[str] = ()) -> str:
    """One sha256 over the tensors of networks, saved or not, without those named in ``but``."""
    hashed = hashlib.sha256()
    for network, module in sorted(modules.items()):
        for name, tensor in sorted(module.state_dict().items()):
            if f"{network}.{name}" in but:
                continue
            plain = tensor.detach().cpu().contiguous().flatten()
            hashed.update(f"{network}.{name} {plain.dtype} {list(tensor.shape)}\n".encode())
            hashed.update(plain.view(torch.uint8).numpy())
    return hashed.hexdigest()
