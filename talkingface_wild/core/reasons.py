"""The reasons why an item is rejected or failed. A ledger holds no others, but for those that a
stage or a gate declares itself. ``tfw reasons`` and docs/reasons.md are made of it.
"""

from dataclasses import dataclass
from pathlib import Path

from talkingface_wild.core.csv_rows import csv_rows

REVIEW = "review"
"""The stage of reviewers' rejections, and the beginning of their reasons: ``review:dubbed``."""


@dataclass(frozen=True)
class Reason:
    """One reason: ``stages`` says which stages give it without a gate, ``remedy`` what a user can
    do about it.
    """

    name: str
    group: str
    meaning: str
    remedy: str
    stages: str = ""


_FAILED, _REVIEWERS = "Failed", "Reviewers'"
GROUPS: dict[str, str] = {
    "The file": "Rejected for what the file is.",
    "The take": "Rejected for the span, or for what is said in it.",
    "Faces": "Rejected for the faces.",
    "Looks and sound": "Rejected for picture, sound, or how they fit.",
    "The whole table": "Rejected beside the other clips of the table.",
    "Downloads": "Rejected by an answer of the site that is final.",
    _FAILED: "No verdict on the video: it may succeed another time, by `--retry-failed`.",
    _REVIEWERS: "Rejected by a person: the column reason of the review manifest, after `review:`.",
}
"""The groups in order, each with what its reasons have in common."""

OWN = "The recipe's own"
OWN_WORDS = "Rejected for what a gate or a stage of the recipe declares itself."
"""The group of reasons that are not in this file, and what they have in common."""

LOOSEN = "loosen the gate: `tfw recut SET --set gates.NAME=BOUND`"
_BY_HAND = "decide anew: accept it in a manifest and import that; the latest answer counts"

_LISTED = [Reason(**row) for row in csv_rows(Path(__file__).with_name("reasons.csv"))]
"""All but the reviewers': ``reasons.csv`` has a line for each, group by group."""

REVIEW_REASONS: dict[str, str] = {
    "out_of_sync": "lips and sound do not fit",
    "dubbed": "another voice speaks",
    "off_screen_voice": "the voice is of somebody who is not in the picture",
    "silent": "nobody speaks",
    "frozen": "the picture stands still",
    "wrong_language": "another language is spoken",
    "several_faces": "more than one face matters",
    "occluded_mouth": "something covers the mouth",
    "avatar_or_generated": "a drawn, animated or generated face",
    "minor": "a child is seen",
    "no_consent_visible": "nothing shows that the person agreed",
    "low_quality": "picture or sound is poor",
    "cut_inside": "there is a cut inside the clip",
    "other": "something else: the column words must say what",
}
"""Why a reviewer may reject a clip, as written in a manifest: a closed list."""

_REVIEWED = [
    *(
        Reason(f"{REVIEW}:{name}", _REVIEWERS, meaning, _BY_HAND, "tfw review import")
        for name, meaning in REVIEW_REASONS.items()
    ),
    Reason(
        REVIEW, _REVIEWERS, "a reviewer rejected it, nobody wrote down why", _BY_HAND, "old folders"
    ),
]

CATALOGUE: dict[str, Reason] = {reason.name: reason for reason in (*_LISTED, *_REVIEWED)}
"""Every reason by its name, group by group."""
FAILED: dict[str, str] = {
    reason.name: reason.meaning for reason in _LISTED if reason.group == _FAILED
}
REJECTED: dict[str, str] = {
    reason.name: reason.meaning for reason in CATALOGUE.values() if reason.name not in FAILED
}
ALL: dict[str, str] = REJECTED | FAILED


def review_reason(name: str) -> str:
    """The reason of a rejection for which a reviewer wrote ``name``: ``review:<name>``."""
    return f"{REVIEW}:{name}" if name in REVIEW_REASONS else REVIEW
