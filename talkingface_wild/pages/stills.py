"""Where an item's pictures lie, and small stills of it for the report and contact sheets."""

from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt
import pandas as pd

from talkingface_wild.core.outcome import ItemFailed
from talkingface_wild.dataset.snapshot import Recorded
from talkingface_wild.media.decode import frames

Picture = npt.NDArray[np.uint8]


@dataclass(frozen=True)
class FileSpan:
    """A file and the span of it that shows an item, in seconds on the file's own clock."""

    path: Path
    start_seconds: float
    end_seconds: float


def source_span(recorded: Recorded, item: str) -> FileSpan:
    """The item's span in its source. Raises ItemFailed ``file_missing`` when the source is gone."""
    row = recorded.row(item)
    origin = recorded.origins.get(str(row["root_id"]))
    path = None
    if origin is not None and origin.path is not None:
        path = Path(origin.root or ".") / origin.path
    elif isinstance(row.get("download_path"), str):
        path = recorded.layout.out / row["download_path"]
    if path is None or not path.is_file():
        raise ItemFailed("file_missing", "the source's file is not there")
    start = _number(row, "start_seconds", "usable_start_seconds")
    end = _number(row, "end_seconds", "usable_end_seconds", "source_seconds")
    return FileSpan(path, start, max(start, end))


def finished_span(recorded: Recorded, item: str) -> FileSpan | None:
    """The finished clip, or None where there is none; never a file outside store/ and media/."""
    row = recorded.row(item)
    relative = row.get("media_path")
    if not isinstance(relative, str):
        return None
    path = (recorded.layout.out / relative).resolve()
    folders = (recorded.layout.store, recorded.layout.media)
    inside = any(path.is_relative_to(folder.resolve()) for folder in folders)
    if not inside or not path.is_file():
        return None
    return FileSpan(path, 0.0, _number(row, "clip_seconds"))


def stills(span: FileSpan, count: int, max_side: int) -> list[Picture]:
    """``count`` pictures of the span, (H, W, 3) uint8 RGB, longer side at most ``max_side``.

    The k-th shows the middle of the k-th of ``count`` equal parts. Fewer where the pictures end
    early. Raises ItemRejected and ItemFailed as the decoder does.
    """
    step = max((span.end_seconds - span.start_seconds) / count, 0.04)
    first = span.start_seconds + step / 2
    # The end lies beyond the last wanted picture by more than half a step, whatever the rounding.
    end = first + step * (count - 0.3)
    shown = frames(span.path, start=first, end=end, fps=1 / step, max_side=max_side)
    return [frame.rgb for frame in shown][:count]


def jpeg(picture: Picture, quality: int = 82) -> bytes:
    """An RGB picture as a JPEG file's bytes."""
    bgr = cv2.cvtColor(picture, cv2.COLOR_RGB2BGR)
    _, data = cv2.imencode(".jpg", bgr, [cv2.IMWRITE_JPEG_QUALITY, quality])
    return bytes(data)


def _number(row: pd.Series, *names: str) -> float:
    """The first of the columns that holds a number, else 0."""
    for name in names:
        if name in row.index and pd.notna(row[name]):
            return float(row[name])
    return 0.0
