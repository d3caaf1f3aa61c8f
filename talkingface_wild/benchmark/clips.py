"""What is scored: clips of a data set or a list, or pairs of finished videos. Opens none."""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from talkingface_wild.core.counting import counted
from talkingface_wild.core.csv_rows import csv_rows
from talkingface_wild.core.errors import InputUnreadable
from talkingface_wild.core.fingerprint import digest, file_sha256
from talkingface_wild.dataset.load import load

if TYPE_CHECKING:
    import pandas as pd

VIDEOS = (".mp4", ".mov", ".mkv", ".avi", ".webm", ".m4v", ".mpg", ".ts")


@dataclass(frozen=True)
class BenchClip:
    """One clip of a list. Paths are absolute; empty ``reference`` means that no real video exists
    (open set), empty ``sound`` that the reference's own sound drives.
    """

    id: str
    reference: str = ""
    sound: str = ""
    portrait: str = ""
    """A picture, where there is no reference to take frame 0 of."""
    generated: str = ""
    """The finished video that a pair names; candidates of models find their own."""
    group: str = ""
    """The identity: clips of one are kept together in every interval."""
    language: str = ""
    split: str = ""
    start_seconds: float | None = None
    frames: int = 0
    """Frames to score, 0 for as many as the protocol allows."""
    crop: tuple[float, float, float] | None = None
    source: str = ""


@dataclass(frozen=True)
class ClipSet:
    """Clips under a name; ``sha8`` covers who they are and what they contain."""

    name: str
    sha8: str
    clips: tuple[BenchClip, ...]
    notes: tuple[str, ...] = ()
    listed: int = 0
    """Clips of the whole list, before ``--limit``."""

    def limited(self, limit: int | None) -> ClipSet:
        """The first ``limit`` clips, under the same name and hash."""
        if limit is None or limit >= len(self.clips):
            return self
        return replace(self, clips=self.clips[:limit], listed=self.listed or len(self.clips))


def from_dataset(out: Path, split: str = "test") -> ClipSet:
    """The clips of a curated data set; where the split is empty all of them, and that is noted.

    Raises InputUnreadable when ``out`` holds no data set or none of its clips has media.
    """
    table = load(out).sort_values("clip_id")
    notes = []
    if "media_path" not in table or not len(table):
        raise InputUnreadable(
            f"Expected finished clips in {out}, found none; "
            f"run `tfw curate --out {out}` to its end."
        )
    table = table[table["media_path"].notna()]
    of_split = table if split == "all" else table[table["split"].astype("string") == split]
    if not len(of_split):
        notes.append(f"The split {split} of {out} is empty: all {len(table)} clips are scored.")
    table = of_split if len(of_split) else table
    if "identity" not in table or not table["identity"].notna().any():
        grouped = "identity_group" in table and table["identity_group"].notna().any()
        notes.append(
            f"Identities are unmeasured in {out}: "
            + ("groups of sources" if grouped else "sources")
            + " stand for them in every interval."
        )
    rows = plain_rows(table)
    clips = tuple(_dataset_clip(out.absolute(), row) for row in rows)
    content = [
        [c.id, c.group, c.language, row.get("media_sha256"), row.get("audio_sha256")]
        for c, row in zip(clips, rows, strict=True)
    ]
    return ClipSet(out.absolute().name or "/", digest(content, 8), clips, tuple(notes), len(clips))


def plain_rows(table: pd.DataFrame) -> list[dict[str, Any]]:
    """The rows of a table as plain data, None where a cell is null."""
    plain: list[Any] = table.astype(object).where(table.notna(), None).to_dict("records")
    return plain


def _dataset_clip(out: Path, row: Mapping[str, Any]) -> BenchClip:
    group = (
        row.get("identity_group") or row.get("identity") or row.get("source_id") or row["clip_id"]
    )
    sound = row.get("audio_path")
    return BenchClip(
        str(row["clip_id"]),
        reference=str(out / str(row["media_path"])),
        sound=str(out / str(sound)) if sound else "",
        group=str(group),
        language=str(row.get("language") or ""),
        split=str(row.get("split") or ""),
        source=str(row.get("source_id") or ""),
    )


def from_folders(outputs: Path, reference: Path) -> ClipSet:
    """Videos of two folders paired by their names without suffix, subfolders included.

    The list is the reference folder: what has no output of its name is a failed video of the
    method, and outputs without a reference are left out; both are noted. Raises InputUnreadable
    without any pair.
    """
    generated, real = _videos(outputs), _videos(reference)
    if not generated.keys() & real.keys():
        raise InputUnreadable(
            f"Expected videos of the same names in {outputs} and {reference}, found "
            f"{len(generated)} and {len(real)} with no name in common; "
            "rename them, or give --pairs FILE."
        )
    notes = ["Each file is taken for an identity of its own; name identities by --pairs FILE."]
    if extra := sorted(generated.keys() - real.keys()):
        notes.append(
            f"{counted(len(extra), 'video')} of {outputs} without a partner in {reference} left "
            f"out ({_some(extra)}); give the real video the same name."
        )
    if absent := sorted(real.keys() - generated.keys()):
        notes.append(
            f"{counted(len(absent), 'video')} of {reference} without a partner in {outputs} "
            f"({_some(absent)}): counted as failed; leave the real one out if it was not asked for."
        )
    clips = tuple(
        BenchClip(
            name,
            reference=str(path),
            generated=str(generated.get(name, (outputs / name).absolute())),
            group=name,
        )
        for name, path in sorted(real.items())
    )
    return ClipSet(reference.absolute().name, _content(clips), clips, tuple(notes), len(clips))


def _some(names: Sequence[str]) -> str:
    """The first three names, and an ellipsis when there are more."""
    return ", ".join(map(repr, names[:3])) + (", …" if len(names) > 3 else "")


def _videos(folder: Path) -> dict[str, Path]:
    if not folder.is_dir():
        raise InputUnreadable(
            f"Expected a folder of videos, found none at {folder}; check the path."
        )
    videos: dict[str, Path] = {}
    for path in sorted(folder.rglob("*")):
        if path.suffix.lower() not in VIDEOS or not path.is_file():
            continue
        name = path.relative_to(folder).with_suffix("").as_posix()
        if name in videos:
            raise InputUnreadable(
                f"Expected one video called {name!r} in {folder}, found {videos[name].name} and "
                f"{path.name}; remove one of them."
            )
        videos[name] = path.absolute()
    return videos


PAIR_COLUMNS = ("generated", "reference")
"""What a manifest of pairs has to have."""


def from_pairs(manifest: Path) -> ClipSet:
    """Pairs of a CSV with columns generated, reference and, if any, clip, sound, identity,
    language; paths relative to the file. Raises InputUnreadable with file and line.
    """
    try:
        reader = csv_rows(manifest)
        names = tuple(reader.fieldnames or ())
        rows = list(reader)
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise InputUnreadable(
            f"Expected a CSV of pairs in {manifest}, found none that can be read "
            f"({error}); check it."
        ) from error
    lacking = [name for name in PAIR_COLUMNS if name not in names]
    if lacking or not rows:
        raise InputUnreadable(
            f"Expected columns generated and reference and at least one row in {manifest}, found "
            f"{', '.join(names) or 'no header'} and {len(rows)} rows; write one pair a line."
        )
    clips: dict[str, BenchClip] = {}
    for line, row in enumerate(rows, start=2):
        clip = _pair(manifest, line, row)
        if clip.id in clips:
            raise InputUnreadable(
                f"{manifest}, line {line}: expected each clip once, found {clip.id!r} again; "
                "give the column clip."
            )
        clips[clip.id] = clip
    pairs = tuple(clips.values())
    return ClipSet(manifest.stem, _content(pairs), pairs, (), len(pairs))


def _pair(manifest: Path, line: int, row: Mapping[str, str | None]) -> BenchClip:
    texts = {
        name: (row.get(name) or "").strip()
        for name in (*PAIR_COLUMNS, "sound", "clip", "identity", "language")
    }
    generated, reference, sound = (
        str((manifest.parent / texts[name]).absolute()) if texts[name] else ""
        for name in (*PAIR_COLUMNS, "sound")
    )
    if not generated or not reference:
        raise InputUnreadable(
            f"{manifest}, line {line}: expected a generated and a reference video, found an empty "
            "field; fill it in."
        )
    name = texts["clip"] or Path(reference).stem
    return BenchClip(
        name,
        reference=reference,
        generated=generated,
        sound=sound,
        group=texts["identity"] or name,
        language=texts["language"],
    )


def _content(clips: Sequence[BenchClip]) -> str:
    """Eight digits over names, identities, languages and the bytes of reference and sound."""

    def sha(path: str) -> str:
        return file_sha256(Path(path)) if path and Path(path).is_file() else ""

    rows = [[c.id, c.group, c.language, sha(c.reference), sha(c.sound)] for c in clips]
    return digest(rows, 8)
