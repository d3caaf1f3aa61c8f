"""A study's key: who stands behind each letter, and what is asked. The page doesn't tell it."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from talkingface_wild.core.errors import InputUnreadable
from talkingface_wild.core.paths import write_text

FORMAT = 1


@dataclass(frozen=True)
class Question:
    """What is asked of every case."""

    id: str
    title: str
    text: str


QUESTIONS = (
    Question(
        "identity",
        "Identity consistency",
        "In which videos does the person stay the same person from beginning to end?",
    ),
    Question(
        "sync",
        "Motion synchronisation",
        "In which videos do lips, face and head move as the speech that you hear asks for?",
    ),
    Question("quality", "Video quality", "Which videos look best: sharp, steady, without faults?"),
)


@dataclass(frozen=True)
class Case:
    """One clip of the study: who stands behind each letter."""

    id: str
    clip: str
    group: str
    letters: Mapping[str, str]
    """Method by letter."""


@dataclass(frozen=True)
class Key:
    """Methods, questions and cases of a study."""

    study: str
    ranks: int
    methods: tuple[str, ...]
    questions: tuple[str, ...]
    cases: Mapping[str, Case]


def write_key(out: Path, key: Key) -> None:
    """Write ``out/key.json``."""
    plain: dict[str, Any] = {"format": FORMAT, **asdict(key)}
    write_text(out / "key.json", json.dumps(plain, indent=1, ensure_ascii=False) + "\n")


def read_key(out: Path) -> Key:
    """The key of the study in ``out``. Raises InputUnreadable when there is none."""
    path = out / "key.json"
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
        if data.pop("format") != FORMAT:
            raise ValueError(f"expected format {FORMAT}")
        cases = {name: Case(**case) for name, case in data.pop("cases").items()}
        data["methods"], data["questions"] = tuple(data["methods"]), tuple(data["questions"])
        return Key(cases=cases, **data)
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise InputUnreadable(
            f"Expected the key of a study in {path}, found none ({error}); "
            "give the folder that `tfw bench study make` wrote."
        ) from error
