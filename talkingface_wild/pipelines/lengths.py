"""How long sources are before anything was measured: by headers, and by what searches recorded."""

import json
import random
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from talkingface_wild.core.clip import Source
from talkingface_wild.media.container import declared_seconds
from talkingface_wild.pipelines.sources.address import canonical


@dataclass
class Lengths:
    """Seconds by source id, and what has none."""

    seconds: dict[str, float] = field(default_factory=dict)
    unreadable: list[str] = field(default_factory=list)
    """Files whose header cannot be read: they will be rejected, or fail."""
    absent: list[str] = field(default_factory=list)
    """Files that are not there."""
    unknown_links: int = 0
    unread: int = 0
    """Files that were not looked at, for want of time."""

    @property
    def total_seconds(self) -> float:
        """Of all sources, those without a length being as long as the others are on average."""
        measured = len(self.seconds)
        mean = sum(self.seconds.values()) / measured if measured else 0.0
        return sum(self.seconds.values()) + mean * self.unread


def source_lengths(
    sources: Sequence[Source], gathered: Path, most_seconds: float | None = None
) -> Lengths:
    """The lengths of ``sources``; looks at files in a mixed order until ``most_seconds`` are over.

    ``gathered`` is the folder where searches are recorded. Broken files are counted, not raised.
    """
    lengths, recorded = Lengths(), _recorded(gathered / "searches.json")
    mixed = list(sources)
    random.Random(0).shuffle(mixed)
    until = None if most_seconds is None else time.monotonic() + most_seconds
    for source in mixed:
        if source.path is None:
            seconds = recorded.get(source.media_key)
            lengths.unknown_links += seconds is None and source.end_seconds is None
        elif until is not None and time.monotonic() > until:
            lengths.unread += 1
            continue
        else:
            file = Path(source.root or ".") / source.path
            seconds = declared_seconds(file)
            if seconds is None:
                (lengths.unreadable if file.exists() else lengths.absent).append(source.path)
        length = span_seconds(source, seconds)
        if length is not None:
            lengths.seconds[source.id] = length
    return lengths


def span_seconds(source: Source, seconds: float | None) -> float | None:
    """The length of the part of a source that is asked for, given the length of its file."""
    start = source.start_seconds or 0.0
    ends = [end for end in (source.end_seconds, seconds) if end is not None]
    return max(0.0, min(ends) - start) if ends else None


def _recorded(searches: Path) -> dict[str, float]:
    """Seconds by media key, as searches told them; nothing where no search was recorded."""
    try:
        answers = json.loads(searches.read_text(encoding="utf-8"))
        hits = [hit for answer in answers.values() for hit in answer["hits"]]
    except (OSError, ValueError, KeyError, AttributeError, TypeError):
        return {}
    seconds: dict[str, float] = {}
    for hit in hits:
        if hit.get("seconds") is not None:
            try:
                seconds[canonical(str(hit["url"]))[0]] = float(hit["seconds"])
            except ValueError:
                continue
    return seconds
