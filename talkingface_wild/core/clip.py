"""Source and Clip: where video comes from, and a span of it. Frozen, without measured fields."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from talkingface_wild.core.fingerprint import digest


@dataclass(frozen=True)
class Source:
    """One video as it was found: by a search, in a list, or in a folder.

    ``path`` is relative to ``root`` (the list's folder, or the folder given); exactly one of
    ``path`` and ``url`` is set. ``media_key`` names the video itself: ``sha256:…`` of a local
    file, ``youtube:ID`` or a canonical URL of a remote one. Spans are seconds on the video's clock.
    """

    id: str
    media_key: str
    language: str
    path: str | None = None
    root: str | None = None
    url: str | None = None
    start_seconds: float | None = None
    end_seconds: float | None = None
    crop: tuple[int, int, int, int] | None = None
    """Region of interest in source pixels: left, top, width, height."""
    channel: str | None = None
    licence: str | None = None
    consent: str | None = None
    given: Mapping[str, str] = field(default_factory=dict)
    """Further columns of the list, as text, without the ``given_`` prefix."""
    found: Mapping[str, str] = field(default_factory=dict)
    """How a search found it: query, date, rank."""

    def to_json(self) -> dict[str, Any]:
        """Plain data for the journal; see ``source_from_json``."""
        return asdict(self)


@dataclass(frozen=True)
class Clip:
    """A span of a source, in seconds on its own clock; ``parent`` is the clip it was cut from."""

    id: str
    source_id: str
    start_seconds: float
    end_seconds: float
    parent: str | None = None

    @property
    def seconds(self) -> float:
        """Length of the span."""
        return self.end_seconds - self.start_seconds

    def to_json(self) -> dict[str, Any]:
        """Plain data for the journal; ``Clip(**data)`` gives it back."""
        return asdict(self)


def source_id(media_key: str, start: float | None, end: float | None, crop: Any) -> str:
    """The id of a source: the same video with the same given span is the same source."""
    span = [None if time is None else float(time) for time in (start, end)]
    return "s" + digest([media_key, *span, list(crop) if crop else None], 15)


def source_from_json(data: Mapping[str, Any]) -> Source:
    """The Source that ``Source.to_json`` wrote."""
    crop = data.get("crop")
    return Source(**{**data, "crop": tuple(crop) if crop else None})


def make_clip(source: str, start: float, end: float, parent: str | None = None) -> Clip:
    """A clip whose id is the hash of its source and its span, rounded to the millisecond."""
    start, end = round(float(start), 3), round(float(end), 3)
    return Clip("c" + digest([source, start, end], 15), source, start, end, parent)
