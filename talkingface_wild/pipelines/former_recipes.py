"""What recipes of earlier versions, and the settings that people know, mean now."""

import functools
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from talkingface_wild.core.config import Document
from talkingface_wild.core.log import LOGGER
from talkingface_wild.pipelines.stage_order import line_of

FORMER = ("cut_at_violations", "longest_gap_seconds", "least_seconds")
"""Settings of ``faces`` that became the stage ``face_cuts``."""


@dataclass(frozen=True)
class FormerFaces:
    """The settings that the stage ``faces`` had while it cut clips itself."""

    cut_at_violations: bool = False
    longest_gap_seconds: float = 0.6
    least_seconds: float = 3.0


def with_face_cuts(
    stages: Mapping[str, dict[str, Any]], document: Document
) -> dict[str, dict[str, Any]]:
    """The stages with ``face_cuts`` before ``faces``, or without it, as a setting of ``faces`` of
    earlier versions says; its further settings go along. Says so where a file has that setting.
    """
    faces = stages.get("faces", {})
    former = {name: faces[name] for name in FORMER if name in faces}
    cut = former.pop("cut_at_violations", None)
    plain = {name: value for name, value in faces.items() if name not in FORMER}
    where = (*line_of(document, "faces"), "cut_at_violations")
    if cut and where in document.lines:
        _say_that_cutting_moved(document.where(where))
    current: dict[str, dict[str, Any]] = {}
    for name, settings in stages.items():
        if name == "face_cuts":
            if cut is not False:
                current[name] = {**settings, **former}
        elif name == "faces":
            if cut and "face_cuts" not in stages:
                current["face_cuts"] = former
            current[name] = plain
        else:
            current[name] = settings
    return current


@functools.cache
def _say_that_cutting_moved(where: str) -> None:
    """Once for each place, however often its recipe is read."""
    LOGGER.warning(
        "%s: cutting at violations is the stage face_cuts now; clips that a version before cut "
        "are cut and measured again from there on.",
        where,
    )
