"""Plain ONNX networks: one file to one session of onnxruntime with a bounded number of threads.
Knows files and names of inputs alone; what goes in and comes out is its callers' affair.
"""

from collections.abc import Collection
from pathlib import Path
from typing import Any

from talkingface_wild.core.errors import WeightMissing
from talkingface_wild.core.log import LOGGER

_REMEDY = "get the published file with 'tfw weights fetch' or 'tfw weights import DIR'."


def session_settings(device: str, threads: int, name: str) -> tuple[Any, list[str]]:
    """Options and providers for a network ``name`` on ``device`` (``cpu``, ``cuda``).

    ``threads`` bounds what one run may take. Without CUDA in onnxruntime the CPU is used, and that
    is logged.
    """
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.log_severity_level = 3
    providers = ["CPUExecutionProvider"]
    if device != "cpu" and "CUDAExecutionProvider" in onnxruntime.get_available_providers():
        providers.insert(0, "CUDAExecutionProvider")
    elif device != "cpu":
        LOGGER.warning("onnxruntime has no CUDA here; %s runs on the CPU.", name)
    return options, providers


def open_session(path: Path, device: str, threads: int, inputs: Collection[str]) -> Any:
    """A session of the network in ``path`` that takes exactly the tensors named ``inputs``.

    Raises WeightMissing when the file is absent, damaged or another network.
    """
    import onnxruntime

    if not path.is_file():
        raise WeightMissing(f"Expected an ONNX file at {path}, found none; {_REMEDY}")
    options, providers = session_settings(device, threads, path.name)
    try:
        session = onnxruntime.InferenceSession(str(path), options, providers=providers)
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
