"""Plain ONNX networks: one file to one session of onnxruntime with a bounded number of threads.
Knows files and names of inputs alone; what goes in and comes out is its callers' affair.
"""

from collections.abc import Collection
from pathlib import Path
from typing import Any

from talkingface_wild.core.errors import WeightMissing
from talkingface_wild.core.log import LOGGER

_REMEDY = "get the published file with 'tfw weights fetch' or 'tfw weights import DIR'."


def session_settings(path: Path, device: str, threads: int) -> dict[str, Any]:
    """``providers`` and ``sess_options`` of a session for the ONNX file at ``path``.

    Raises WeightMissing when there is no such file.
    """
    import onnxruntime

    if not path.is_file() or path.suffix != ".onnx":
        raise WeightMissing(f"Expected an ONNX file (*.onnx) at {path}, found none; {_REMEDY}")
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.log_severity_level = 3
    providers = ["CPUExecutionProvider"]
    if device != "cpu" and "CUDAExecutionProvider" in onnxruntime.get_available_providers():
        providers.insert(0, "CUDAExecutionProvider")
    elif device != "cpu":
        LOGGER.warning("onnxruntime has no CUDA here; %s runs on the CPU.", path.name)
    return {"providers": providers, "sess_options": options}


def open_session(path: Path, device: str, threads: int, inputs: Collection[str]) -> Any:
    """A session of the network in ``path`` that takes exactly the tensors named ``inputs``.

    Raises WeightMissing when the file is absent, damaged or another network.
    """
    import onnxruntime

    settings = session_settings(path, device, threads)
    try:
        session = onnxruntime.InferenceSession(str(path), **settings)
    except Exception as error:
        # Neither onnxruntime's nor protobuf's errors share a base below Exception.
        raise WeightMissing(
            f"Expected an ONNX network in {path}, found a damaged or foreign file; {_REMEDY}"
        ) from error
    names = [tensor.name for tensor in session.get_inputs()]
    if sorted(names) != sorted(inputs):
        raise WeightMissing(
            f"Expected a network with the inputs {', '.join(inputs)} in {path}, found one with "
            f"{', '.join(names)}; {_REMEDY}"
        )
    return session
