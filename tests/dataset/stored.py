"""Folders with a store, written by hand: clips of a few bytes, commits with what is read."""

import hashlib
import json
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import yaml

from talkingface_wild.core.fingerprint import file_sha256
from talkingface_wild.core.paths import atomic_symlink

RECIPE = {"name": "by_hand", "stages": [{"faces": {"detector": "yunet"}}], "gates": {}}


def clip_id(number: int) -> str:
    return f"c{number:015x}"


def put(out: Path, clip: str, suffix: str, data: bytes) -> tuple[str, str]:
    """A file of the store with these bytes: (path below ``out``, sha256)."""
    sha256 = hashlib.sha256(data).hexdigest()
    path = out / "store" / clip[:2] / f"{clip}-{sha256[:16]}{suffix}"
    path.parent.mkdir(parents=True, exist_ok=True)
    if not path.exists():
        path.write_bytes(data)
    return path.relative_to(out).as_posix(), sha256


def commit(out: Path, number: int, clips: dict[str, tuple[str, str]], recipe=None) -> Path:
    """Commit ``{clip: (language, what its media say)}`` and let ``dataset`` point at it."""
    rows = [_row(out, clip, language, text) for clip, (language, text) in sorted(clips.items())]
    return write(out, number, rows, 2, recipe or RECIPE)


def old_commit(out: Path, number: int, clips: dict[str, tuple[str, str]]) -> Path:
    """The same as version 0.3.0 did: over the files of media/, which the tables name."""
    rows = []
    for clip, (language, text) in sorted(clips.items()):
        row = {"clip_id": clip, "language": language, "clip_seconds": 3.6}
        for column, suffix in (("media", ".mp4"), ("audio", ".wav")):
            path = out / "media" / language / f"{clip}{suffix}"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.unlink(missing_ok=True)
            path.write_text(text + suffix)
            row |= {f"{column}_path": path.relative_to(out).as_posix()}
            row |= {f"{column}_sha256": file_sha256(path)}
        rows.append(row)
    return write(out, number, rows, 1, RECIPE)


def _row(out: Path, clip: str, language: str, text: str) -> dict[str, object]:
    row: dict[str, object] = {"clip_id": clip, "language": language, "clip_seconds": 3.6}
    for column, suffix in (("media", ".mp4"), ("audio", ".wav")):
        row[f"{column}_path"], row[f"{column}_sha256"] = put(
            out, clip, suffix, (text + suffix).encode()
        )
    return row


def write(out: Path, number: int, rows: list[dict[str, object]], format_: int, recipe) -> Path:
    folder = out / "commits" / f"{number:06d}"
    for language in sorted({str(row["language"]) for row in rows}):
        part = folder / "clips" / f"language={language}"
        part.mkdir(parents=True)
        mine = [
            {name: value for name, value in row.items() if name != "language"}
            for row in rows
            if row["language"] == language
        ]
        pq.write_table(pa.Table.from_pylist(mine), part / "part-0.parquet")
    (folder / "items").mkdir(parents=True)
    items = [{"item_id": row["clip_id"], **row} for row in rows]
    pq.write_table(pa.Table.from_pylist(items), folder / "items" / "part-0.parquet")
    (folder / "recipe.yaml").write_text(yaml.safe_dump(recipe))
    files = {
        path.relative_to(folder).as_posix(): {"sha256": file_sha256(path)}
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }
    manifest = {"files": files, "rows": {"clips": len(rows)}, "format": format_}
    (folder / "manifest.json").write_text(json.dumps(manifest))
    atomic_symlink(out / "dataset", f"commits/{folder.name}")
    return folder


def table_of(folder: Path) -> list[dict[str, object]]:
    return pq.read_table(folder / "clips").to_pylist()


def broken(out: Path) -> list[str]:
    """Rows of any commit whose file is not what its hash says: commit/clip/column."""
    wrong = []
    for folder in sorted((out / "commits").iterdir()):
        if folder.name.isdigit():
            for row in table_of(folder):
                for column in ("media", "audio"):
                    path = out / str(row[f"{column}_path"])
                    if not path.is_file() or file_sha256(path) != row[f"{column}_sha256"]:
                        wrong.append(f"{folder.name}/{row['clip_id']}/{column}")
    return wrong


def media_equal_clips(out: Path) -> bool:
    """Whether media/ holds each clip of clips/ with the recorded bytes, and nothing else."""
    expected = {}
    for row in table_of(out / "dataset"):
        for column, suffix in (("media", ".mp4"), ("audio", ".wav")):
            name = f"{row['language']}/{row['clip_id']}{suffix}"
            expected[name] = row[f"{column}_sha256"]
    media = out / "media"
    present = {
        path.relative_to(media).as_posix(): file_sha256(path)
        for path in media.rglob("*")
        if path.is_file()
    }
    folders = {path.name for path in media.iterdir()} if media.is_dir() else set()
    return present == expected and folders == {name.split("/")[0] for name in expected}
