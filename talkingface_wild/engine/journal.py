"""The journal: what each stage found for each item, by (item, stage fingerprint).

Survives kill -9: every worker appends finished results to a log of its own, one whole line per
``write``; opening the journal gathers the logs into Parquet parts (temporary name, fsync, rename)
and removes them.
"""

import json
import os
import uuid
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from talkingface_wild.core.errors import InputUnreadable
from talkingface_wild.core.log import LOGGER
from talkingface_wild.core.outcome import Value
from talkingface_wild.core.paths import NO_ROOM, atomic_path, disk_full

_TEXTS = ("item", "stage", "fingerprint", "state", "reason", "detail", "values", "children")
_NUMBERS = ("seconds", "cpu_seconds", "at")
_SCHEMA = pa.schema(
    dict.fromkeys(_TEXTS, pa.string())
    | {"attempts": pa.int32()}
    | dict.fromkeys(_NUMBERS, pa.float64())
    | {"given": pa.string()}
)
_MOST_PARTS = 32


@dataclass(frozen=True, slots=True)
class Record:
    """One result. ``state`` is done, rejected or failed; split items have ``children``."""

    item: str
    stage: str
    fingerprint: str
    state: str
    reason: str | None = None
    detail: str | None = None
    values: Mapping[str, Value] | None = None
    children: list[dict[str, Any]] | None = None
    attempts: int = 1
    seconds: float = 0.0
    cpu_seconds: float = 0.0
    at: float = 0.0
    given: str | None = None
    """What the stage was given by barriers, where it needs such columns."""


class JournalWriter:
    """Appends records to one log file; a record is safe from kill -9 when ``write`` returns."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._path = path
        self._handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)

    def write(self, records: Iterable[Record]) -> None:
        """Append records in one system call. Raises DiskFull when there is no room."""
        lines = [json.dumps(_plain(record), separators=(",", ":")) + "\n" for record in records]
        data = "".join(lines).encode()
        while data:
            try:
                data = data[os.write(self._handle, data) :]
            except OSError as error:
                if error.errno in NO_ROOM:
                    raise disk_full(self._path) from error
                raise

    def close(self) -> None:
        """Close the log; the journal gathers it later."""
        os.close(self._handle)


def open_log(folder: Path, name: str) -> JournalWriter:
    """A log for one worker in the journal's folder; the journal itself need not be read."""
    return JournalWriter(folder / "logs" / f"{name}-{uuid.uuid4().hex[:8]}.jsonl")


class Journal:
    """All results in one folder: ``parts/*.parquet`` and the logs of running workers."""

    def __init__(self, folder: Path, with_logs: bool = False) -> None:
        """Read the parts; ``with_logs`` also looks into the logs of a run that may still go on."""
        self.folder = folder
        self._records: dict[tuple[str, str], Record] = {}
        self._reopened: dict[tuple[str, str], Record] = {}
        for part in self._parts():
            self._take(_read_part(part))
        if with_logs:
            for log in sorted((folder / "logs").glob("*.jsonl")):
                self._take(_read_log(log))

    def __len__(self) -> int:
        return len(self._records)

    def get(self, item: str, fingerprint: str) -> Record | None:
        """The latest result of one item under one fingerprint."""
        return self._records.get((item, fingerprint))

    def attempts(self, item: str, fingerprint: str) -> int:
        """How often this was tried in earlier runs, without success."""
        record = self._reopened.get((item, fingerprint))
        return record.attempts if record else 0

    def reopen_failed(self) -> int:
        """Take failed results as not there, to be tried again; their attempts still count."""
        failed = [key for key, record in self._records.items() if record.state == "failed"]
        for key in failed:
            self._reopened[key] = self._records.pop(key)
        return len(failed)

    def reopen(self, records: Iterable[Record]) -> None:
        """Take results as not there, on the disk as well: what they stand for was lost since."""
        gone = {(record.item, record.fingerprint) for record in records}
        kept = [record for key, record in self._records.items() if key not in gone]
        self._replace_parts(kept)
        for key in gone:
            self._records.pop(key, None)

    def put(self, records: Iterable[Record]) -> None:
        """Commit records as a Parquet part at once."""
        rows = list(records)
        if rows:
            _write_part(self.folder / "parts", rows)
            self._take(rows)

    def gather(self) -> int:
        """Commit the records of all logs as a part, remove the logs. No worker may be writing."""
        logs = sorted((self.folder / "logs").glob("*.jsonl"))
        records = [record for log in logs for record in _read_log(log)]
        self.put(records)
        for log in logs:
            log.unlink()
        self._compact()
        return len(records)

    def _take(self, records: Iterable[Record]) -> None:
        for record in records:
            key = (record.item, record.fingerprint)
            earlier = self._records.get(key)
            if earlier is None or record.at >= earlier.at:
                self._records[key] = record

    def _compact(self) -> None:
        if len(self._parts()) > _MOST_PARTS:
            self._replace_parts(list((self._reopened | self._records).values()))

    def _parts(self) -> list[Path]:
        return sorted((self.folder / "parts").glob("part-*.parquet"))

    def _replace_parts(self, records: list[Record]) -> None:
        """Write one part of ``records`` in place of all that are there."""
        earlier = self._parts()
        if records:
            _write_part(self.folder / "parts", records)
        for part in earlier:
            part.unlink()


def _plain(record: Record) -> dict[str, Any]:
    return {name: getattr(record, name) for name in _SCHEMA.names}


def _write_part(folder: Path, records: list[Record]) -> None:
    rows = [_plain(record) for record in records]
    for row in rows:
        for name in ("values", "children"):
            row[name] = None if row[name] is None else json.dumps(row[name])
    with atomic_path(folder / f"part-{uuid.uuid4().hex}.parquet") as temporary:
        pq.write_table(pa.Table.from_pylist(rows, schema=_SCHEMA), temporary, compression="zstd")


def _read_part(path: Path) -> Iterator[Record]:
    try:
        rows = pq.read_table(path).to_pylist()
    except (OSError, pa.ArrowInvalid) as error:
        raise InputUnreadable(
            f"The journal expected a Parquet part in {path}, found something else ({error}); "
            "restore it, or delete that file to measure its items again."
        ) from error
    for row in rows:
        for name in ("values", "children"):
            row[name] = json.loads(row[name]) if row[name] else None
        yield Record(**row)


def _read_log(path: Path) -> Iterator[Record]:
    """Records of a log. An unfinished last line (the process was killed) is left out, and so is a
    line that is no record (the machine or the disk stopped within it): its items are done again.
    """
    with path.open("rb") as stream:
        for line in stream:
            if line.endswith(b"\n"):
                try:
                    yield Record(**json.loads(line))
                except (ValueError, TypeError):
                    LOGGER.warning(
                        "A damaged line of %s is left out; its items are done again.", path
                    )
