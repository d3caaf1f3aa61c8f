"""Small files in the layouts of real checkpoints, made by onnx and torch themselves."""

from pathlib import Path

import onnx
import torch
from onnx import TensorProto, helper


def onnx_model(path: Path, outputs: int, last: int) -> Path:
    """A graph of identities with so many outputs that end in ``last`` values."""
    names = [f"out{i}" for i in range(outputs)]
    shape = [1, last]
    graph = helper.make_graph(
        [helper.make_node("Identity", ["in"], [name]) for name in names],
        "graph",
        [helper.make_tensor_value_info("in", TensorProto.FLOAT, shape)],
        [helper.make_tensor_value_info(name, TensorProto.FLOAT, shape) for name in names],
    )
    onnx.save(helper.make_model(graph), str(path))
    return path


def torch_state(path: Path, shapes: dict[str, tuple[int, ...]], within: str | None = None) -> Path:
    """A saved dict of zero tensors, under the key ``within`` when one is given."""
    state = {name: torch.zeros(shape) for name, shape in shapes.items()}
    torch.save({within: state} if within else state, path)
    return path
