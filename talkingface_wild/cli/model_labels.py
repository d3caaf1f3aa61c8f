"""Labelled subjects of ``tfw model analyse expressions``: by a table, or by a column."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from talkingface_wild.cli.model_subjects import Tell, dataset_clips, heard, portrait, speaking
from talkingface_wild.core.errors import InputUnreadable, UsageError, nearest

if TYPE_CHECKING:
    from talkingface_wild.cli.model_run import Asked
    from talkingface_wild.models.mcdm.analyses.subjects import Subject
    from talkingface_wild.models.mcdm.config import PictureConfig
    from talkingface_wild.models.training.training_clip import TrainingClip

EMOTIONS = ("given_emotion", "emotion")
"""Columns of a data set that say what a clip shows."""


def labelled(asked: Asked, picture: PictureConfig, warn: Tell) -> tuple[list[Subject], str, str]:
    """Subjects with labels, what labels are (a column, ``identity``, ``language``), their source.

    Raises as ``subjects``, and UsageError for a column that is not there.
    """
    if asked.dataset is None:
        return _sounds(asked, picture, warn)
    clips, source = dataset_clips(asked, picture)
    label_of, name = _labels(asked, clips)
    shown = None if asked.image is None else portrait(asked, picture, warn)[0]
    found = [
        heard(clip, label_of[clip.clip_id], shown) for clip in clips if clip.clip_id in label_of
    ]
    if not found:
        raise InputUnreadable(
            f"Expected labels of the clips of {asked.dataset}, found none by {name}; name a column "
            "by --label, or a table with clip_id and label by --labels."
        )
    return found, name, source


def _sounds(asked: Asked, picture: PictureConfig, warn: Tell) -> tuple[list[Subject], str, str]:
    """Labelled files that one portrait speaks."""
    table = Path(str(asked.labels))
    rows = _rows(table)
    if "audio" not in rows[0]:
        raise UsageError(
            f"Expected the columns audio and label in {table}, found {', '.join(rows[0])}; "
            "without sounds, give --dataset whose clip_id they name."
        )
    shown = portrait(asked, picture, warn)
    found = [
        speaking(shown, table.parent / row["audio"], row["audio"], row["label"])
        for row in rows[: asked.limit]
    ]
    return found, "label", f"Portrait: {Path(str(asked.image)).name}; sounds: {table.name}."


def _labels(asked: Asked, clips: Sequence[TrainingClip]) -> tuple[dict[str, str], str]:
    """Each clip's label, and what labels are."""
    if asked.labels is not None:
        rows = _rows(asked.labels)
        if "clip_id" not in rows[0]:
            raise UsageError(
                f"Expected the columns clip_id and label in {asked.labels}, found "
                f"{', '.join(rows[0])}; with the column audio, give --image and no --dataset."
            )
        return {row["clip_id"]: row["label"] for row in rows}, "label"
    from talkingface_wild.dataset.load import load

    table = load(Path(str(asked.dataset)))
    known = [str(column) for column in table.columns]
    column = asked.column or next((name for name in EMOTIONS if name in known), None)
    if column is not None:
        if column not in known:
            raise UsageError(
                f"Expected a column of {asked.dataset}, found --label {column!r}"
                f"{nearest(column, known)}."
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
        with path.open(encoding="utf-8-sig", newline="") as stream:
            rows = list(csv.DictReader(stream))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise InputUnreadable(
            f"Expected a CSV file with labels at {path}, found none that can be read ({error})."
        ) from error
    if not rows or "label" not in rows[0] or any(None in row.values() for row in rows):
        found = ", ".join(rows[0]) if rows else "no rows"
        raise InputUnreadable(
            f"Expected the columns label and clip_id or audio in {path}, found {found}."
        )
    return rows
