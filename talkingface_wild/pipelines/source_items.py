"""Sources and clips as the engine's items: how one becomes the other, and where media lie."""

import abc
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from talkingface_wild.core.clip import Clip, Source, source_from_json
from talkingface_wild.core.fingerprint import digest
from talkingface_wild.core.outcome import Child, ItemFailed, Outcome, Value
from talkingface_wild.engine.stage import Item, Stage, Workplace
from talkingface_wild.pipelines.column_kinds import measure

SPAN = (
    measure("start_seconds", "start of the clip on the source's clock", "s"),
    measure("end_seconds", "end of the clip on the source's clock", "s"),
    measure("clip_seconds", "length of the clip", "s"),
)
"""The columns that ``clip_child`` fills."""


class ItemByItem(Stage):
    """A stage that looks at one item at a time."""

    def process(self, items: Sequence[Item]) -> list[Outcome]:
        """One outcome per item, in order."""
        return [self.answer(item) for item in items]

    @abc.abstractmethod
    def answer(self, item: Item) -> Outcome:
        """The outcome of one item."""


def root_item(source: Source) -> Item:
    """The engine's item for a source; its group is the language as listed."""
    return Item(source.id, "source", source.language, {"source": source.to_json()})


def clip_child(clip: Clip, values: Mapping[str, Value]) -> Child:
    """A clip as the child of a Split, with what is known of it and its span as columns."""
    span: dict[str, Value] = {
        "start_seconds": clip.start_seconds,
        "end_seconds": clip.end_seconds,
        "clip_seconds": clip.seconds,
    }
    return Child(clip.id, {"clip": clip.to_json()}, {**span, **values})


def source_of(item: Item) -> Source:
    """The source that an item is, or comes from."""
    return source_from_json(item.payload["source"])


def clip_of(item: Item) -> Clip:
    """The clip that an item is."""
    return Clip(**item.payload["clip"])


def download_name(source: Source) -> str:
    """The name, without suffix, under which a remote video is kept, so that it is fetched once."""
    return digest(source.media_key, 24)


def media_file(item: Item, place: Workplace) -> Path:
    """The video of an item. Raises ItemFailed ``file_missing`` or ``unreadable``."""
    source = source_of(item)
    if source.path is not None:
        path = Path(source.root or ".") / source.path
    else:
        path = place.out / str(
            item.values.get("download_path") or f"downloads/{download_name(source)}"
        )
    if not path.is_file():
        raise ItemFailed("file_missing", f"{source.path or source.url} is not there")
    if not os.access(path, os.R_OK):
        raise ItemFailed("unreadable", f"{source.path or source.url} cannot be opened")
    return path


def number(item: Item, column: str) -> float:
    """A measured number of an item; KeyError when a stage that should have given it did not."""
    value: Any = item.values.get(column)
    if value is None:
        raise KeyError(f"item {item.id} has no {column}")
    return float(value)
