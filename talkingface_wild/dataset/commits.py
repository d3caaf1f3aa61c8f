"""The commits of a data set: a list of them, going back to one, and removing old ones' tables."""

import datetime
import json
import shutil
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import yaml

from talkingface_wild.core.errors import InputUnreadable, UsageError
from talkingface_wild.core.paths import atomic_symlink, write_text
from talkingface_wild.core.version import __version__
from talkingface_wild.dataset.layout import Layout
from talkingface_wild.dataset.media_links import Linked, link_media, links_of

ORIGIN = "origin.json"
"""Where a commit came from: a document beside its tables, no part of what makes it equal."""


@dataclass(frozen=True)
class CommitSummary:
    """One commit. ``latest`` is the one that ``dataset`` points at.

    ``made_by`` is curate, recut or review; None for commits of version 0.3.0 and before.
    ``overwritten`` counts clips whose files such a version wrote over.
    """

    number: int
    latest: bool
    at: str
    made_by: str | None
    restored: tuple[str, ...]
    recipe: str
    clips: int
    hours: float
    overwritten: int


def list_commits(layout: Layout) -> list[CommitSummary]:
    """Every commit, the oldest first. Raises InputUnreadable where there is none."""
    latest = int(layout.latest().name)
    return [_summary(layout, number, number == latest) for number in layout.numbers()]


def commit_folder(layout: Layout, number: int) -> Path:
    """The folder of a commit. Raises UsageError where there is no such number."""
    folder = layout.commit(number)
    if not (folder / "manifest.json").is_file():
        numbers = ", ".join(str(each) for each in layout.numbers()) or "none"
        raise UsageError(
            f"Expected a commit of {layout.out}, found no number {number}; there are: {numbers}."
        )
    return folder


def restore(layout: Layout, number: int) -> Linked:
    """Let ``dataset`` point at a commit again; media/ and the folder's recipe follow it.

    Nothing is deleted, and what comes next gets the next higher number. The caller holds the lock.
    Raises UsageError for an unknown number, InputUnreadable for a commit of foreign paths.
    """
    folder = commit_folder(layout, number)
    links_of(folder)
    write_text(layout.out / "recipe.yaml", (folder / "recipe.yaml").read_text(encoding="utf-8"))
    atomic_symlink(layout.dataset, f"commits/{folder.name}")
    note_restored(folder)
    return link_media(layout)


def to_prune(layout: Layout, numbers: Sequence[int], keep: int | None) -> list[int]:
    """The commits to remove: those named, or all but the ``keep`` latest and the one in use.

    Raises UsageError for an unknown number, for the one that ``dataset`` points at, and where not
    exactly one of the two is asked for.
    """
    if bool(numbers) == (keep is not None):
        raise UsageError(
            "Expected either the numbers of commits or --keep N, found "
            f"{'both' if numbers else 'neither'}; for example `tfw commits {layout.out} prune "
            "--keep 3`."
        )
    in_use = int(layout.latest().name)
    if keep is not None:
        if keep < 1:
            raise UsageError(f"Expected --keep of at least 1, found {keep}; give a higher number.")
        return [number for number in layout.numbers()[:-keep] if number != in_use]
    for number in numbers:
        commit_folder(layout, number)
        if number == in_use:
            raise UsageError(
                f"Expected commits that are not in use, found {number}, which {layout.dataset} "
                f"points at; go to another first: `tfw commits {layout.out} restore NUMBER`."
            )
    return sorted(set(numbers))


def prune(layout: Layout, numbers: Sequence[int]) -> None:
    """Remove the tables of commits; their media stay until ``tfw purge``. Call under the lock."""
    for number in sorted(numbers, reverse=True):
        layout.note_pruned(number)
        going = layout.commits / f".building-{uuid.uuid4().hex}"
        layout.commit(number).rename(going)
        shutil.rmtree(going)


def _summary(layout: Layout, number: int, latest: bool) -> CommitSummary:
    folder = layout.commit(number)
    try:
        origin: dict[str, Any] = read_origin(folder)
        manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
        recipe = yaml.safe_load((folder / "recipe.yaml").read_text(encoding="utf-8"))
        seconds = pq.read_table(folder / "clips", columns=["clip_seconds"])["clip_seconds"]
        return CommitSummary(
            number,
            latest,
            str(origin["at"]),
            origin["made_by"],
            tuple(origin["restored"]),
            str(recipe.get("name", "")),
            int(manifest["rows"]["clips"]),
            round(float(sum(value or 0.0 for value in seconds.to_pylist())) / 3600, 6),
            int(origin["overwritten"]),
        )
    except (OSError, ValueError, KeyError, yaml.YAMLError) as error:
        raise InputUnreadable(
            f"Expected a whole commit in {folder}, found one that cannot be read ({error!r}); "
            f"delete that folder, or remove it with `tfw commits {layout.out} prune {number}`."
        ) from error


def write_origin(commit: Path, made_by: str) -> None:
    """Note in a commit's folder what makes it: curate, recut or review; now, by this version."""
    _write(commit, {"made_by": made_by, "at": _now(), "version": __version__})


def read_origin(commit: Path) -> dict[str, Any]:
    """``made_by``, ``at`` (local time, ISO 8601), ``restored`` (times), ``overwritten`` (clips).

    Commits of version 0.3.0 and before have no such document: their maker is None, their time that
    of their manifest.
    """
    stored: dict[str, Any] = {}
    if (commit / ORIGIN).is_file():
        stored = json.loads((commit / ORIGIN).read_text(encoding="utf-8"))
    written = (commit / "manifest.json").stat().st_mtime
    at = datetime.datetime.fromtimestamp(written).astimezone().isoformat(timespec="seconds")
    return {"made_by": None, "at": at, "restored": [], "overwritten": 0, **stored}


def note_restored(commit: Path) -> None:
    """Note that the data set was set back to this commit, now."""
    origin = read_origin(commit)
    _write(commit, {**origin, "restored": [*origin["restored"], _now()]})


def note_brought_over(commit: Path, overwritten: int) -> None:
    """Keep the time of a commit that is about to be rewritten, and how many clips' files it lost.

    Before its manifest is rewritten, so that the time is the manifest's.
    """
    _write(commit, {**read_origin(commit), "overwritten": overwritten})


def _write(commit: Path, origin: dict[str, Any]) -> None:
    write_text(commit / ORIGIN, json.dumps(origin, indent=1) + "\n")


def _now() -> str:
    return datetime.datetime.now().astimezone().isoformat(timespec="seconds")
