"""Labelled subjects of ``tfw model analyse expressions``: by a table, or by a column."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from talkingface_wild.core.csv_rows import csv_rows
from talkingface_wild.core.errors import InputUnreadable, UsageError, nearest
from talkingface_wild.jobs.figures.subjects import Tell, dataset_clips, heard, portrait, speaking

if TYPE_CHECKING:
    from talkingface_wild.jobs.figures.request import ExpressionsRequest
    from talkingface_wild.models.mcdm.analyses.speaking_portrait import Subject
    from talkingface_wild.models.mcdm.config import PictureConfig
    from talkingface_wild.models.training.training_clip import TrainingClip

EMOTIONS = ("given_emotion", "emotion")
"""Columns of a data set that say what a clip shows."""


def labelled(
    request: ExpressionsRequest, device: str, picture: PictureConfig, warn: Tell
) -> tuple[list[Subject], str, str]:
    """Subjects with labels, what labels are (a column, ``identity``, ``language``), their source.

    Raises as ``subjects``, and UsageError for a column that is not there.
    """
    if request.dataset is None:
        return _sounds(request, device, picture, warn)
    clips, source = dataset_clips(request, picture)
    label_of, name = _labels(request, clips)
    shown = None if request.image is None else portrait(request, device, picture, warn)[0]
    people = [
        heard(clip, label_of[clip.clip_id], shown) for clip in clips if clip.clip_id in label_of
    ]
    if not people:
        raise InputUnreadable(
            f"Expected labels of the clips of {request.dataset}, found none by {name}; name a "
            "column by --label, or a table with clip_id and label by --labels."
        )
    return people, name, source


def _sounds(
    request: ExpressionsRequest, device: str, picture: PictureConfig, warn: Tell
) -> tuple[list[Subject], str, str]:
    """Labelled files that one portrait speaks."""
    table = Path(str(request.labels))
    rows = _rows(table)
    if "audio" not in rows[0]:
        raise UsageError(
            f"Expected the columns audio and label in {table}, found {', '.join(rows[0])}; "
            "without sounds, give --dataset whose clip_id they name."
        )
    shown = portrait(request, device, picture, warn)
    people = [
        speaking(shown, table.parent / row["audio"], row["audio"], row["label"])
        for row in rows[: request.limit]
    ]
    return people, "label", f"Portrait: {Path(str(request.image)).name}; sounds: {table.name}."


def _labels(
    request: ExpressionsRequest, clips: Sequence[TrainingClip]
) -> tuple[dict[str, str], str]:
    """Each clip's label, and what labels are."""
    if request.labels is not None:
        rows = _rows(request.labels)
        if "clip_id" not in rows[0]:
            raise UsageError(
                f"Expected the columns clip_id and label in {request.labels}, found "
                f"{', '.join(rows[0])}; with the column audio, give --image and no --dataset."
            )
        return {row["clip_id"]: row["label"] for row in rows}, "label"
    from talkingface_wild.dataset.load import load

    table = load(Path(str(request.dataset)))
    columns = [str(column) for column in table.columns]
    column = request.label or next((name for name in EMOTIONS if name in columns), None)
    if column is not None:
        if column not in columns:
            raise UsageError(
                f"Expected a column of {request.dataset}, found --label {column!r}"
                f"{nearest(column, columns)}."
            )
        pairs = table[["clip_id", column]].dropna().astype(str).to_numpy().tolist()
        return dict(pairs), column
    people = [clip.identity for clip in clips if clip.identity]
    if 1 < len(set(people)) < len(people):
        return {clip.clip_id: clip.identity for clip in clips if clip.identity}, "identity"
    return {clip.clip_id: clip.language for clip in clips if clip.language}, "language"


def _rows(path: Path) -> list[dict[str, str]]:
    """Rows of a CSV file with a column ``label``."""
    try:
        rows = list(csv_rows(path))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise InputUnreadable(
            f"Expected a CSV file with labels at {path}, found none that can be read ({error})."
        ) from error
    if not rows or "label" not in rows[0] or any(None in row.values() for row in rows):
        columns = ", ".join(rows[0]) if rows else "no rows"
        raise InputUnreadable(
            f"Expected the columns label and clip_id or audio in {path}, found {columns}."
        )
    return rows
