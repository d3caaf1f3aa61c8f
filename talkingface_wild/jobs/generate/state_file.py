"""A generator's State as one small safetensors file, with the caller's own notes."""

import json
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from talkingface_wild.core.errors import InputUnreadable
from talkingface_wild.core.generator import State
from talkingface_wild.core.paths import atomic_path

FORMAT = "tfw-state-1"
_MCDM_FORMAT = "tfw-mcdm-state-1"
"""Of version 0.3.0, for one generator: its scalars lie in the header, each by its name."""


def save_state(path: Path, state: State, notes: Mapping[str, str]) -> None:
    """Write a state in one step; arrays of numpy and torch come back as what they were."""
    import torch
    from safetensors.torch import save_file

    arrays = [name for name, rows in state.tensors.items() if isinstance(rows, np.ndarray)]
    header = {
        "format": FORMAT,
        "position": str(state.position),
        "scalars": json.dumps(dict(state.scalars)),
        "arrays": json.dumps(arrays),
        "notes": json.dumps(dict(notes)),
    }
    with atomic_path(path) as temporary:
        plain = {
            name: torch.as_tensor(rows).detach().cpu().contiguous()
            for name, rows in state.tensors.items()
        }
        save_file(plain, temporary, header)


def load_state(path: Path) -> tuple[State, dict[str, str]]:
    """The state, without its drive and options, and the notes. Raises InputUnreadable."""
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(path, "pt") as file:
            header = file.metadata() or {}
            if header.get("format") not in (FORMAT, _MCDM_FORMAT):
                raise InputUnreadable(
                    f"Expected a state of tfw generate in {path}, found another file; "
                    "start anew with --fresh."
                )
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
        for name in json.loads(header.get("arrays", "[]")):
            tensors[name] = tensors[name].numpy()
        state = State(int(header["position"]), tensors, _scalars(header))
        return state, json.loads(header["notes"])
    except (SafetensorError, OSError, KeyError, ValueError) as error:
        raise InputUnreadable(
            f"Expected a state of tfw generate in {path}, found none that can be read "
            f"({type(error).__name__}); start anew with --fresh."
        ) from error


def _scalars(header: Mapping[str, str]) -> dict[str, int | float | str]:
    if header["format"] == FORMAT:
        return dict(json.loads(header["scalars"]))
    look = {f"look.{name}": value for name, value in json.loads(header["look"]).items()}
    return {"seed": int(header["seed"]), "retries": int(header["retries"]), **look}
