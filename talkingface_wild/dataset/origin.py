"""Where a commit came from: a small document beside its tables, no part of what makes it equal."""

import datetime
import json
from pathlib import Path
from typing import Any

from talkingface_wild.core.paths import write_text
from talkingface_wild.core.version import __version__

NAME = "origin.json"


def write_origin(commit: Path, made_by: str) -> None:
    """Note in a commit's folder what makes it: curate, recut or review; now, by this version."""
    _write(commit, {"made_by": made_by, "at": _now(), "version": __version__})


def read_origin(commit: Path) -> dict[str, Any]:
    """``made_by``, ``at`` (local time, ISO 8601), ``restored`` (times), ``overwritten`` (clips).

    Commits of version 0.3.0 and before have no such document: their maker is None, their time that
    of their manifest.
    """
    stored: dict[str, Any] = {}
    if (commit / NAME).is_file():
        stored = json.loads((commit / NAME).read_text(encoding="utf-8"))
    written = (commit / "manifest.json").stat().st_mtime
    return {"made_by": None, "at": _iso(written), "restored": [], "overwritten": 0, **stored}


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
    write_text(commit / NAME, json.dumps(origin, indent=1) + "\n")


def _now() -> str:
    return datetime.datetime.now().astimezone().isoformat(timespec="seconds")


def _iso(seconds: float) -> str:
    moment = datetime.datetime.fromtimestamp(seconds).astimezone()
    return moment.isoformat(timespec="seconds")
