"""ONNX networks, InsightFace's above all, opened quietly on a device with a bounded number of
threads. Knows files and sessions alone; what goes in and comes out is the detectors' affair.
"""

import contextlib
import io
from pathlib import Path
from types import ModuleType
from typing import Any

from talkingface_wild.core.errors import ExtraMissing, WeightMissing
from talkingface_wild.perception.onnx_session import session_settings

_REMEDY = "get the published file with 'tfw weights fetch' or 'tfw weights import DIR'."


def load_onnx(path: Path, device: str, threads: int, kind: str) -> Any:
    """The model that insightface makes of one ONNX file, on ``device`` (``cpu``, ``cuda``).

    ``threads`` bounds what one run may take; ``kind`` is the name of the class expected, ``SCRFD``
    or ``ArcFaceONNX``. Without CUDA in onnxruntime the CPU is used, and that is logged.

    Raises WeightMissing when the file is absent, damaged or another network.
    """
    import_cv2()
    from insightface import model_zoo

    settings = session_settings(path, device, threads)
    try:
        with contextlib.redirect_stdout(io.StringIO()):
            model = model_zoo.get_model(str(path), **settings)
    except Exception as error:
        # Neither onnxruntime's nor protobuf's errors share a base below Exception.
        raise WeightMissing(
            f"Expected a network of InsightFace in {path}, found a damaged or foreign file; "
            f"{_REMEDY}"
        ) from error
    if type(model).__name__ != kind:
        raise WeightMissing(
            f"Expected a network of the class {kind} in {path}, found "
            f"{'another one' if model is None else type(model).__name__}; {_REMEDY}"
        )
    return model


def import_cv2() -> ModuleType:
    """The module cv2, or ExtraMissing that names the apt line when a system library is absent."""
    try:
        import cv2
    except ImportError as error:
        raise ExtraMissing(
            f"Expected OpenCV to load, found a system library missing ({error}); "
            "run: apt install libgl1 libglib2.0-0"
        ) from error
    return cv2
