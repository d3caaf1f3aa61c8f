"""A video as a list, folder or search names it, before its key is known; notes that stay short."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from talkingface_wild.core.errors import UsageError
from talkingface_wild.core.language_names import NAMES, UNKNOWN, check_tag

MOST_NOTES = 20
"""Notes of one kind that are spelled out for one list; the rest are counted."""

_BY_NAME = {name.lower(): tag for tag, name in NAMES.items()}


@dataclass(frozen=True)
class ListedVideo:
    """What a line says: where the video is, and what is given about it. Spans are seconds."""

    language: str
    path: str | None = None
    root: str | None = None
    key: str | None = None
    """The media key, where the address itself gives it; None for local files."""
    url: str | None = None
    start_seconds: float | None = None
    end_seconds: float | None = None
    crop: tuple[int, int, int, int] | None = None
    channel: str | None = None
    licence: str | None = None
    consent: str | None = None
    given: Mapping[str, str] = field(default_factory=dict)
    found: Mapping[str, str] = field(default_factory=dict)

    @property
    def file(self) -> Path | None:
        """The local file, or None for a web address."""
        return None if self.path is None else Path(self.root or "") / self.path


def language_of(text: str, languages: tuple[str, ...] | None) -> str:
    """The tag that ``text`` names (``pt_BR`` and English names are understood).

    Without text it is the one language asked for, or ``und``. Raises ValueError for anything else.
    """
    if not text.strip():
        return languages[0] if languages is not None and len(languages) == 1 else UNKNOWN
    word = text.strip().lower().replace("_", "-")
    try:
        return check_tag(_BY_NAME.get(word, word))
    except UsageError:
        raise ValueError(f"{text.strip()[:40]!r} is no language tag such as 'en' or 'zh'") from None


def is_wanted(language: str, languages: tuple[str, ...] | None) -> bool:
    """Whether ``language`` is one of those asked for; ``en-us`` is when ``en`` was asked for."""
    if languages is None:
        return True
    return any(language == tag or language.startswith(f"{tag}-") for tag in languages)


def summary(faults: list[str], what: str) -> list[str]:
    """The first faults as they are, and one line that counts the others."""
    rest = len(faults) - MOST_NOTES
    return faults[:MOST_NOTES] + ([f"{what}: {rest} more of this kind."] if rest > 0 else [])


def skipped(counts: Mapping[str, int], languages: tuple[str, ...] | None, what: str) -> list[str]:
    """One note on what was left out for its language, if anything was."""
    if not counts:
        return []
    listed = ", ".join(f"{number} {tag}" for tag, number in sorted(counts.items()))
    tags = ", ".join(languages or ())
    return [f"{what}: left out {listed}, since the languages asked for are {tags}."]
