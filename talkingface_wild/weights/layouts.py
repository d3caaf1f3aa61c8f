"""Does a file look like the weight it is named after? Read without running anything in it.

ONNX files are parsed as data, of MATLAB files the directory alone is read, of TFLite and dlib files
the first bytes; torch files go through
``weights_only=True``; of TorchScript archives the tensors are read, and the code is left alone.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from talkingface_wild.weights.manifest import WeightLayout
from talkingface_wild.weights.tensors import DamagedTensors, read_file


def misfit(path: Path, layout: WeightLayout) -> str | None:
    """None when the file has the layout, else what is wrong with it, as the end of a sentence."""
    judges = {
        "onnx": _onnx_misfit,
        "torch": _torch_misfit,
        "mat": _mat_misfit,
        "tflite": _tflite_misfit,
        "dlib": _dlib_misfit,
    }
    return judges.get(layout.format, _torchscript_misfit)(path, layout)


def _onnx_misfit(path: Path, layout: WeightLayout) -> str | None:
    import onnx
    from google.protobuf.message import DecodeError  # type: ignore[import-untyped]

    try:
        graph = onnx.load(str(path), load_external_data=False).graph
    except (DecodeError, OSError, ValueError) as error:
        return f"it is no ONNX model ({type(error).__name__})"
    if not graph.node:
        return "it is no ONNX model (its graph has no nodes)"
    if layout.outputs is not None and len(graph.output) != layout.outputs:
        return f"it has {len(graph.output)} outputs instead of {layout.outputs}"
    if layout.last_dimension is not None:
        dimensions = graph.output[0].type.tensor_type.shape.dim
        last = dimensions[-1].dim_value if len(dimensions) else None
        if last != layout.last_dimension:
            return f"its output ends in {last} values instead of {layout.last_dimension}"
    return None


def _torch_misfit(path: Path, layout: WeightLayout) -> str | None:
    try:
        content = read_file(path)
    except DamagedTensors as error:
        return f"torch does not read it as plain tensors ({error})"
    if layout.within is not None:
        content = content.get(layout.within) if isinstance(content, Mapping) else None
    if not isinstance(content, Mapping):
        return f"it holds no dict of tensors{f' under {layout.within!r}' if layout.within else ''}"
    shapes = {name: tuple(getattr(value, "shape", ())) for name, value in content.items()}
    return _shapes_misfit(shapes, layout)


def _torchscript_misfit(path: Path, layout: WeightLayout) -> str | None:
    from talkingface_wild.weights.torchscript import is_torchscript, read_torchscript

    if not is_torchscript(path):
        return "it is no TorchScript archive"
    try:
        state = read_torchscript(path)
    except ValueError as error:
        return f"its tensors cannot be read without running it: {error}"
    return _shapes_misfit({name: tuple(tensor.shape) for name, tensor in state.items()}, layout)


def _tflite_misfit(path: Path, layout: WeightLayout) -> str | None:
    """The file identifier of the format's schema stands after the root's offset."""
    with path.open("rb") as stream:
        return None if stream.read(8)[4:] == b"TFL3" else "it is no TFLite model"


def _dlib_misfit(path: Path, layout: WeightLayout) -> str | None:
    """A file begins with a small integer: its length in bytes, then these."""
    with path.open("rb") as stream:
        return None if stream.read(2) == b"\x01\x01" else "it is no file of dlib's"


def _mat_misfit(path: Path, layout: WeightLayout) -> str | None:
    from scipy.io import whosmat

    try:
        shapes = {name: tuple(shape) for name, shape, _ in whosmat(str(path), appendmat=False)}
    except Exception as error:
        # What a foreign file raises depends on its first bytes; scipy promises no base class.
        return f"it is no MATLAB file ({type(error).__name__})"
    return _shapes_misfit(shapes, layout)


def _shapes_misfit(shapes: Mapping[Any, tuple[int, ...]], layout: WeightLayout) -> str | None:
    for name, shape in layout.tensors.items():
        if name not in shapes:
            return f"it has no tensor {name!r}"
        if shapes[name] != tuple(shape):
            return f"its tensor {name!r} is {shapes[name]} instead of {tuple(shape)}"
    return None
