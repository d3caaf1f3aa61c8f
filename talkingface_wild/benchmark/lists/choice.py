"""Which clips a list holds: chosen by hash of seed and name, one identity on one side only.

The choice depends on the seed and on what the inputs say, never on their order or on which videos
are at hand. Opens no video.
"""

from __future__ import annotations

import wave
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from talkingface_wild.benchmark.lists.clip_list import ListRow, relative_path
from talkingface_wild.benchmark.lists.plans import LANGUAGES, PER_LANGUAGE, SEED, ListPlan
from talkingface_wild.benchmark.lists.published import UNNAMED, Segment
from talkingface_wild.benchmark.lists.videos import find_files
from talkingface_wild.core.errors import InputUnreadable, UsageError
from talkingface_wild.core.fingerprint import digest, file_sha256

if TYPE_CHECKING:
    import pandas as pd

HELD_OUT = 0.1
"""hdtf-91's share of all name stems."""
PICTURES = (".png", ".jpg", ".jpeg", ".webp", ".bmp")
SOUNDS = (".wav",)
_A_SIDE = 20

Thing = TypeVar("Thing")


def choose(plan: ListPlan, segments: Sequence[Segment], seed: int = SEED) -> list[Segment]:
    """The segments of a published list that the plan takes. Raises UsageError for too few."""
    long_enough = [segment for segment in segments if segment.seconds >= plan.seconds]
    if plan.name == "long-48":
        return _exactly(plan, long_enough, len(long_enough))
    if plan.kind == "hdtf":
        segments = [segment for segment in segments if segment.identity != UNNAMED]
        long_enough = [one for one in long_enough if one.identity != UNNAMED and one.crop]
    groups: dict[str, list[Segment]] = {}
    for segment in long_enough:
        groups.setdefault(segment.identity, []).append(segment)
    people = ranked(groups, str, seed)
    if plan.name == "hdtf-91":
        _exactly(plan, people, 100)
        held_out = round(len({segment.identity for segment in segments}) * HELD_OUT)
        people = people[:100][: max(1, held_out)]
    else:
        people = _exactly(plan, people, plan.clips or 0)
    return [ranked(groups[one], lambda segment: segment.clip, seed)[0] for one in people]


def ranked(things: Iterable[Thing], name: Callable[[Thing], str], seed: int) -> list[Thing]:
    """The things in an order that only the seed and their names decide."""
    return sorted(things, key=lambda thing: (digest([seed, name(thing)]), name(thing)))


def _exactly(plan: ListPlan, candidates: list[Thing], count: int) -> list[Thing]:
    clips = plan.clips or count
    if len(candidates) < count or count != clips:
        raise UsageError(
            f"Expected {clips} clips of {plan.seconds:g} s or more for {plan.name}, one a speaker "
            f"where speakers are named, found {min(count, len(candidates))}; give {plan.needs}, "
            "complete."
        )
    return candidates[:count]


def dataset_choice(
    clips: pd.DataFrame, plan: ListPlan, split: str = "test", seed: int = SEED
) -> list[ListRow]:
    """One clip of each of 40 identities in each of 10 languages, paths relative to the data set.

    ``clips`` is the table that ``talkingface_wild.load`` gives. Clips need an identity and the
    plan's length; an identity that speaks two languages counts in one. The first languages by name
    that have enough are taken. Raises UsageError for too few.
    """
    missing = [name for name in ("identity", "language", "media_path") if name not in clips]
    if missing:
        raise InputUnreadable(
            f"Expected a column {missing[0]!r} in the data set's table, found none; curate it with "
            "a recipe that has the stages identities and encode."
        )
    if split != "all" and "split" in clips:
        clips = clips[clips["split"] == split]
    lasting = clips["end_seconds"] - clips["start_seconds"] >= plan.seconds - 1e-6
    clips = clips[lasting & clips["identity"].notna() & clips["media_path"].notna()]
    taken: set[str] = set()
    rows: list[ListRow] = []
    counts: dict[str, int] = {}
    for language, group in clips.groupby(clips["language"].astype(str), sort=True):
        people = ranked(set(group["identity"].astype(str)) - taken, str, seed)
        counts[str(language)] = len(people)
        if len(people) < PER_LANGUAGE or len(rows) == LANGUAGES * PER_LANGUAGE:
            continue
        for person in people[:PER_LANGUAGE]:
            taken.add(person)
            own = group[group["identity"].astype(str) == person]
            clip = ranked(own.to_dict("records"), lambda row: str(row["clip_id"]), seed)[0]
            rows.append(
                ListRow(
                    clip=str(clip["clip_id"]),
                    source=str(clip["source_id"]),
                    path=str(clip["media_path"]),
                    frames=plan.frames,
                    crop_left=0.0,
                    crop_top=0.0,
                    crop_side=1.0,
                    language=str(language),
                    identity=person,
                )
            )
    if len(rows) < LANGUAGES * PER_LANGUAGE:
        people_text = ", ".join(f"{name} {count}" for name, count in counts.items()) or "none"
        raise UsageError(
            f"Expected {LANGUAGES} languages with {PER_LANGUAGE} identities each that have a clip"
            f" of {plan.seconds:g} s in split {split!r}, found {people_text}; curate more, take "
            "another --split, or score the data set whole with `tfw bench --dataset DIR`."
        )
    return rows


def open_choice(
    plan: ListPlan, portraits: Path | None, sounds: Path | None, out: Path, seed: int = SEED
) -> list[ListRow]:
    """20 portraits × 20 sounds; open-20 is the diagonal. Files are known by their content.

    ``out`` is the list's folder, which has to hold both. Raises UsageError for too few files.
    """
    if portraits is None or sounds is None:
        raise UsageError(f"Expected both folders of {plan.name}, found less; give {plan.needs}.")
    faces = _by_content(plan, portraits, PICTURES, out, seed)
    voices = _by_content(plan, sounds, SOUNDS, out, seed)
    return [
        ListRow(
            clip=f"{face}-{voice}",
            source=f"sha256:{face}+{voice}",
            frames=plan.frames,
            identity=face,
            portrait=portrait,
            sound=sound,
        )
        for row, (face, portrait) in enumerate(faces)
        for column, (voice, sound) in enumerate(voices)
        if plan.name == "open-400" or row == column
    ]


def _by_content(
    plan: ListPlan, folder: Path, suffixes: Sequence[str], out: Path, seed: int
) -> list[tuple[str, str]]:
    """(first 8 digits of the sha256, path relative to the list) of 20 files, ordered by content."""
    fitting = [path for path in find_files(folder, suffixes) if _lasts(path, plan.seconds)]
    paths = {file_sha256(path)[:8]: path for path in fitting}
    if len(paths) < _A_SIDE:
        raise UsageError(
            f"Expected {_A_SIDE} different files ({', '.join(suffixes)}) in {folder} that can "
            f"be used, found {len(paths)}; give {plan.needs}."
        )
    files = [(name, relative_path(paths[name], out)) for name in ranked(paths, str, seed)]
    files = files[:_A_SIDE]
    if not all(path for _, path in files):
        raise UsageError(
            f"Expected {folder} inside the list's folder {out}, found it elsewhere; write the list "
            "with --out into a folder that holds the portraits and the sounds."
        )
    return files


def _lasts(path: Path, seconds: float) -> bool:
    """Whether a WAV file is long enough; pictures always are."""
    if path.suffix.lower() not in SOUNDS:
        return True
    try:
        with wave.open(str(path), "rb") as reader:
            return reader.getnframes() >= round(seconds * reader.getframerate())
    except (wave.Error, EOFError, OSError):
        return False
