"""Goldens: filler.py, and JSON files whose ``meta`` says how inputs are made, results accepted."""

import contextlib
import functools
import importlib.util
import json
import re
import sys
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import torch


@dataclass(frozen=True)
class Golden:
    """One JSON file of the folder, with the filler that made its weights and inputs."""

    folder: Path
    data: dict[str, Any]
    filler: ModuleType

    @property
    def seed(self) -> int:
        return self.data["meta"]["base_seed"]

    def tolerance(self, kind: str) -> float:
        """The number after ``kind`` ("relative" or "absolute") in the acceptance text."""
        text = self.data["meta"]["acceptance"]
        found = re.search(rf"{kind}\s+([0-9.]+(?:e[+-]?\d+)?)", text)
        if found is None:
            raise AssertionError(f"no {kind} bound in {text!r}")
        return float(found[1])

    def shapes(self, layout: str) -> dict[str, list[int]]:
        """Names and shapes of an official checkpoint."""
        return json.loads((self.folder / "state_dicts" / f"{layout}.json").read_text())

    def arrays(self, layout: str) -> dict[str, np.ndarray]:
        """Weights in an official layout, as this golden's reference had them."""
        meta = self.data["meta"]
        shapes, scale = self.shapes(layout), self.data.get("scale")
        return self.filler.fill_shapes(shapes, self.seed, meta["gain"], scale)

    def state(self, layout: str) -> dict[str, torch.Tensor]:
        """The same weights as tensors."""
        return {name: torch.from_numpy(np.array(a)) for name, a in self.arrays(layout).items()}


@functools.cache
def load(folder: Path, name: str) -> Golden:
    """The golden ``name`` of a folder."""
    data = json.loads((folder / f"{name}.json").read_text())
    return Golden(folder, data, _filler(folder / "filler.py"))


@functools.cache
def _filler(path: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location("golden_filler", path)
    module = importlib.util.module_from_spec(spec)
    with _no_bytecode():
        spec.loader.exec_module(module)
    return module


@contextlib.contextmanager
def _no_bytecode():
    """The goldens' folder may be read-only and stays as it is."""
    before, sys.dont_write_bytecode = sys.dont_write_bytecode, True
    try:
        yield
    finally:
        sys.dont_write_bytecode = before


def assert_summary(array: np.ndarray, summary: dict[str, Any], tolerance: float) -> None:
    """``array`` agrees with a stored summary: shape, both ends, mean, spread, length, extreme."""
    values = np.asarray(array, dtype=np.float64)
    assert list(values.shape) == summary["shape"]
    flat = values.ravel()
    head, tail = summary["first"], summary["last"]
    np.testing.assert_allclose(flat[: len(head)], head, rtol=0, atol=tolerance)
    np.testing.assert_allclose(flat[-len(tail) :], tail, rtol=0, atol=tolerance)
    assert abs(flat.mean() - summary["mean"]) <= tolerance
    assert abs(flat.std() - summary["std"]) <= tolerance
    assert abs(np.linalg.norm(flat) - summary["l2"]) <= tolerance * np.sqrt(flat.size)
    assert abs(np.abs(flat).max() - summary["absmax"]) <= tolerance
