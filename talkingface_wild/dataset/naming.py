"""The many ways to name an item of a data set: ids and their beginnings, sources, files, links."""

from collections.abc import Iterator
from pathlib import Path

from talkingface_wild.core.errors import UsageError, nearest
from talkingface_wild.dataset.snapshot import Recorded

_MOST_SHOWN = 8
_FILES = {"media_path": "clip", "audio_path": "clip", "download_path": "source"}
"""Columns of items/ that hold a file's path, relative to the output folder, and whose they are."""


def find_item(recorded: Recorded, name: str) -> str:
    """The id that ``name`` means.

    That is an id, a source's path as listed, file name, stem or address, a file on the disk (a
    source's, or a finished clip's), or any beginning of an id that no other id shares. Raises
    UsageError with the nearest names, or with those that it could mean.
    """
    items = recorded.items
    if name in items.index:
        return name
    names = _source_names(recorded)
    meant = {source for source, spellings in names.items() if name in spellings}
    meant = meant or _by_file(recorded, name)
    if not meant and name:
        meant = {str(item) for item in items.index if str(item).startswith(name)}
    if len(meant) == 1:
        return meant.pop()
    out = recorded.layout.out
    if meant:
        shown = ", ".join(_described(recorded, item) for item in sorted(meant)[:_MOST_SHOWN])
        more = len(meant) - _MOST_SHOWN
        raise UsageError(
            f"Expected one item, found that {name!r} means {len(meant)} of them; choose from "
            f"{shown}{f' and {more} more' if more > 0 else ''}."
        )
    every = [*map(str, items.index), *(one for spellings in names.values() for one in spellings)]
    raise UsageError(
        f"Expected a clip or a source of {out}, by its id, file or address, found nothing called "
        f"{name!r}{nearest(name, every)}; `tfw ls {out} --all` lists them."
    )


def _source_names(recorded: Recorded) -> dict[str, tuple[str, ...]]:
    """What each source may be called, by its id."""
    names: dict[str, tuple[str, ...]] = {}
    for row in recorded.sources.itertuples():
        spellings = [
            str(text)
            for text in (row.source_path, row.source_url, row.media_key)
            if isinstance(text, str)
        ]
        if isinstance(row.source_path, str):
            file = row.source_path.rsplit("/", 1)[-1]
            spellings += [file, file.rsplit(".", 1)[0]]
        names[str(row.source_id)] = tuple(spellings)
    return names


def _by_file(recorded: Recorded, name: str) -> set[str]:
    """The items that a path means: finished clips of that file, else the sources of it.

    A file that is no longer there is known by its path, or by the clip's id in its name.
    """
    try:
        if not (name and ("/" in name or Path(name).suffix or Path(name).exists())):
            return set()
        path = Path(name).resolve()
        inside = (recorded.layout.out / name).resolve()
    except (OSError, ValueError, RuntimeError):
        return set()
    if Path(name).stem in recorded.items.index:
        return {Path(name).stem}
    clips = {item for item, file in _files(recorded) if file in (path, inside)}
    if clips:
        return clips
    listed = [
        source
        for source in recorded.origins.values()
        if source.path is not None and source.id in recorded.items.index
    ]
    there = {s.id for s in listed if (Path(s.root or ".") / str(s.path)).resolve() == path}
    # A copied or moved folder is not where its sources were recorded.
    return there or {s.id for s in listed if f"{path}".endswith(f"/{s.path}")}


def _files(recorded: Recorded) -> Iterator[tuple[str, Path]]:
    """Every item with each file that is its own: clips inherit their source's columns."""
    out = recorded.layout.out.resolve()
    level = recorded.items["level"]
    for column, owner in _FILES.items():
        if column in recorded.items:
            for item, path in recorded.items.loc[level == owner, column].dropna().items():
                yield str(item), (out / str(path)).resolve()


def _described(recorded: Recorded, item: str) -> str:
    """An id with the name of its source, and the span of a clip."""
    row = recorded.row(item)
    source = recorded.origins.get(str(row["root_id"]))
    name = "" if source is None else source.path or source.url or ""
    start, end = row.get("start_seconds"), row.get("end_seconds")
    span = "" if start is None or start != start else f" {start:.1f}–{end:.1f} s"
    return f"{item} ({name}{span})" if name else item
