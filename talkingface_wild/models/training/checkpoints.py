"""Checkpoints of a stage: trained tensors, optimiser, average; each complete or not there."""

import os
import pickle
import shutil
import uuid
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import nn

from talkingface_wild.core.errors import InputUnreadable
from talkingface_wild.core.paths import NO_ROOM, disk_full, sync_file

_BROKEN = (OSError, SafetensorError, RuntimeError, pickle.UnpicklingError, EOFError, KeyError)
KEPT = 2
"""The latest so many stay."""


class Checkpoints:
    """Numbered folders ``00001000/`` in one folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def latest(self) -> Path | None:
        """The newest complete checkpoint."""
        folders = self._all()
        return folders[-1] if folders else None

    def _all(self) -> list[Path]:
        if not self.folder.is_dir():
            return []
        return sorted(path for path in self.folder.iterdir() if path.name.isdigit())

    def save(
        self,
        iteration: int,
        parameters: Mapping[str, nn.Parameter],
        optimizer: Mapping[str, Any],
        ema: Mapping[str, Any] | None,
    ) -> None:
        """Write one; older ones beyond the latest two go."""
        final = self.folder / f"{iteration:08d}"
        if final.is_dir():
            return
        temporary = self.folder / f".{uuid.uuid4().hex}.tmp"
        temporary.mkdir(parents=True)
        try:
            plain = {name: p.detach().cpu().contiguous() for name, p in parameters.items()}
            save_file(plain, temporary / "weights.safetensors")
            torch.save(dict(optimizer), temporary / "optimizer.pt")
            if ema is not None:
                torch.save(dict(ema), temporary / "ema.pt")
            for path in temporary.iterdir():
                sync_file(path)
            os.rename(temporary, final)
        except OSError as error:
            if error.errno in NO_ROOM:
                raise disk_full(final) from error
            raise
        finally:
            shutil.rmtree(temporary, ignore_errors=True)
        for old in self._all()[:-KEPT]:
            shutil.rmtree(old, ignore_errors=True)

    def load(
        self, parameters: Mapping[str, nn.Parameter], device: torch.device
    ) -> tuple[int, dict[str, Any], dict[str, Any] | None] | None:
        """Put the newest into ``parameters``; its number, optimiser and average. None without one.

        Raises InputUnreadable when it does not fit or is broken.
        """
        latest = self.latest()
        if latest is None:
            return None
        try:
            tensors = load_file(latest / "weights.safetensors")
            optimizer = torch.load(latest / "optimizer.pt", map_location=device, weights_only=True)
            average = latest / "ema.pt"
            ema = (
                torch.load(average, map_location=device, weights_only=True)
                if (average.is_file())
                else None
            )
        except _BROKEN as error:
            raise InputUnreadable(
                f"Expected a checkpoint in {latest}, found none that can be read "
                f"({type(error).__name__}); delete that folder and run again."
            ) from error
        if set(tensors) != set(parameters):
            raise InputUnreadable(
                f"Expected the checkpoint {latest} to hold what this stage trains, found other "
                "tensors; it is of another configuration, so choose another --out."
            )
        with torch.no_grad():
            for name, parameter in parameters.items():
                parameter.copy_(tensors[name])
        return int(latest.name), optimizer, ema
