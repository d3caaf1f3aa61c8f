"""Makes the lists of protocol tfw-v1 and writes them, with what the videos add where they are here.

Which clips they hold is decided in ``choice.py``.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from talkingface_wild.benchmark.lists.choice import choose, dataset_choice, open_choice
from talkingface_wild.benchmark.lists.clip_list import BenchList, ListRow, relative_path, write_list
from talkingface_wild.benchmark.lists.plans import SEED, ListPlan, plan_of
from talkingface_wild.benchmark.lists.published import Segment, read_celebvhq, read_hdtf
from talkingface_wild.benchmark.lists.videos import find_videos, look
from talkingface_wild.core.errors import UsageError

if TYPE_CHECKING:
    from talkingface_wild.perception.face_detector import Detector

Progress = Callable[[int, int], None]
"""Hears how many clips are done, and of how many."""


@dataclass(frozen=True)
class WrittenList:
    """A list as written, and what a person should know of it."""

    list: BenchList
    path: Path
    notes: tuple[str, ...]


def make_list(
    name: str,
    out: Path,
    *,
    source: Path | None = None,
    videos: Path | None = None,
    portraits: Path | None = None,
    sounds: Path | None = None,
    split: str = "test",
    seed: int = SEED,
    detector: Detector | None = None,
    progress: Progress | None = None,
) -> WrittenList:
    """Choose the clips of the list ``name`` and write ``out/NAME.csv`` with its hash.

    ``source`` is the published list or the data set's folder; ``videos`` (whole source videos) adds
    paths, fingerprints and, with ``detector``, crops. Raises UsageError for an unknown name, a
    missing input or too few clips, and what the readers raise.
    """
    plan = plan_of(name)
    notes: list[str] = []
    if plan.kind == "open":
        rows = open_choice(plan, portraits, sounds, out, seed)
    elif source is None:
        raise UsageError(
            f"Expected the source of {name}, found none; give {plan.needs} with --from PATH."
        )
    elif plan.kind == "dataset":
        rows = _dataset_rows(plan, source, out, split, seed, notes, progress)
    else:
        segments = read_hdtf(source) if plan.kind == "hdtf" else read_celebvhq(source)
        segments = choose(plan, segments, seed)
        rows = [_segment_row(plan, segment) for segment in segments]
        if videos is None:
            notes.append(
                "no videos were given: path, phash and sound_print are empty, the crops are the "
                "published ones and take a 16:9 picture for granted; add --videos DIR"
            )
        else:
            rows = _with_videos(rows, segments, videos, out, detector, notes, progress)
    missing = sum(row.crop_side is None for row in rows)
    if missing and plan.kind != "open":
        notes.append(f"{missing} of {len(rows)} clips have no crop yet")
    path = out / f"{name}.csv"
    return WrittenList(write_list(path, rows), path, tuple(notes))


def _segment_row(plan: ListPlan, segment: Segment) -> ListRow:
    return ListRow(
        clip=segment.clip,
        source=segment.source,
        start_seconds=segment.start,
        frames=plan.frames,
        language="en" if plan.kind == "hdtf" else "",
        identity=segment.identity,
    ).cropped(segment.crop)


def _with_videos(
    rows: Sequence[ListRow],
    segments: Sequence[Segment],
    videos: Path,
    out: Path,
    detector: Detector | None,
    notes: list[str],
    progress: Progress | None,
) -> list[ListRow]:
    paths = find_videos(videos)
    if detector is None:
        notes.append("no SCRFD weight is here: the crops are the published ones, not tfw-v1's")
    done, absent = [], 0
    for index, (row, segment) in enumerate(zip(rows, segments, strict=True), start=1):
        video = next((paths[name] for name in segment.names if name in paths), None)
        if video is None:
            absent += 1
        else:
            looked = look(row, video, detector)
            row = replace(looked.row, path=relative_path(video, out))
            notes += [looked.note] if looked.note else []
        done.append(row)
        if progress is not None:
            progress(index, len(rows))
    if absent:
        notes.append(f"{absent} of {len(rows)} videos are not in {videos}")
    if any(row.phash and not row.path for row in done):
        notes.append(_elsewhere(videos, out))
    return done


def _elsewhere(folder: Path, out: Path) -> str:
    return (
        f"paths are empty: {folder} does not lie in the list's folder {out}; name it again when "
        "the list is used"
    )


def _dataset_rows(
    plan: ListPlan,
    source: Path,
    out: Path,
    split: str,
    seed: int,
    notes: list[str],
    progress: Progress | None,
) -> list[ListRow]:
    from talkingface_wild.dataset.load import load

    clips = load(source)
    rows = []
    for index, row in enumerate(dataset_choice(clips, plan, split, seed), start=1):
        looked = look(row, source / row.path, detector=None)
        notes += [looked.note] if looked.note else []
        rows.append(replace(looked.row, path=relative_path(source / row.path, out)))
        if progress is not None:
            progress(index, plan.clips or index)
    if not all(row.path for row in rows):
        notes.append(_elsewhere(source, out))
    return rows
