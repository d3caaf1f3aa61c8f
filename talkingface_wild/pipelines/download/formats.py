"""Which of the offered formats is fetched: a picture within bounds, the sound as it was spoken."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from talkingface_wild.core.outcome import ItemRejected

Format = Mapping[str, Any]

ORIGINAL_PREFERENCE = 10
"""yt-dlp's ``language_preference`` of the original; 5 is the site's default, which may be a dub."""

ORDER = ("res", "fps", "vcodec:h264", "acodec:aac")
"""How yt-dlp is asked to sort formats: by lines first, then by what every decoder reads."""


def choose(formats: Sequence[Format], max_height: int, min_height: int = 0) -> list[Format]:
    """One format with picture and sound, or a picture and a sound track to be merged.

    ``formats`` go from worst to best, as yt-dlp sorts them. An empty list means that none fits.
    Raises ItemRejected: ``dubbed_audio`` when there are several sound tracks and none is marked as
    the original, ``not_a_video`` when there is sound alone, ``low_resolution`` when the best
    picture has fewer lines than ``min_height``.
    """
    offered = [item for item in formats if not item.get("has_drm") and _has(item, "v", "a")]
    pictures = [item for item in offered if _has(item, "v")]
    if offered and not pictures:
        raise ItemRejected("not_a_video", "the address offers sound without a picture")
    sounds = _original([item for item in offered if _has(item, "a")])
    fitting = [item for item in pictures if (lines(item) or 0) <= max_height]
    both = [item for item in fitting if item in sounds]
    alone = [item for item in fitting if not _has(item, "a")]
    tracks = [item for item in sounds if not _has(item, "v")]
    best = _best(both, alone, tracks)
    if best and min_height and 0 < (lines(best[0]) or min_height) < min_height:
        height = lines(best[0])
        raise ItemRejected("low_resolution", f"the best picture has {height} of {min_height} lines")
    return best


def selector(
    max_height: int, min_height: int
) -> Callable[[Mapping[str, Any]], Iterator[dict[str, Any]]]:
    """``choose`` in the form of yt-dlp's ``format`` option."""

    def select(context: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
        best = choose(context["formats"], max_height, min_height)
        if len(best) == 1:
            yield dict(best[0])
        elif best:
            yield {
                "format_id": "+".join(str(item["format_id"]) for item in best),
                "ext": "mp4",
                "requested_formats": [dict(item) for item in best],
                "protocol": "+".join(str(item.get("protocol")) for item in best),
            }

    return select


def lines(item: Format) -> int | None:
    """The shorter side of the picture in pixels, where it is known."""
    sides = [side for side in (item.get("width"), item.get("height")) if side]
    return int(min(sides)) if sides else None


def track_note(item: Format) -> str:
    """The sound track in words: its language and whether it is marked as the original."""
    language = str(item.get("language") or "unnamed")
    return f"{language} (original)" if _is_original(item) else language


def _best(both: list[Format], alone: list[Format], tracks: list[Format]) -> list[Format]:
    """The pair when its picture has at least as many lines as the best single file, else that."""
    if alone and tracks and (not both or (lines(alone[-1]) or 0) >= (lines(both[-1]) or 0)):
        plain = [item for item in tracks if item.get("ext") in ("m4a", "mp4", "aac")]
        return [alone[-1], (plain or tracks)[-1]]
    if both:
        return [both[-1]]
    return [alone[-1]] if alone and not tracks else []


def _original(sounds: list[Format]) -> list[Format]:
    """The formats that carry the original sound track; all of them where there is one track."""
    spoken = [item for item in sounds if not _is_description(item)]
    languages = {str(item["language"]) for item in spoken if item.get("language")}
    originals = [item for item in spoken if _is_original(item)]
    if len(languages) > 1 and not originals:
        listed = ", ".join(sorted(languages)[:12])
        raise ItemRejected("dubbed_audio", f"sound tracks {listed}, none marked as the original")
    if spoken and not originals and all(_is_dub(item) for item in spoken):
        raise ItemRejected("dubbed_audio", "the only sound track is marked as a dub")
    return originals if len(languages) > 1 else spoken


def _is_original(item: Format) -> bool:
    marked = "original" in str(item.get("format_note") or "").lower()
    return marked or (item.get("language_preference") or -1) >= ORIGINAL_PREFERENCE


def _is_dub(item: Format) -> bool:
    return "dubbed" in str(item.get("format_note") or "").lower()


def _is_description(item: Format) -> bool:
    """Whether the track describes the picture for the blind."""
    note = f"{item.get('format_note') or ''} {item.get('language') or ''}".lower()
    return "descriptive" in note or (item.get("language_preference") or 0) <= -10


def _has(item: Format, *kinds: str) -> bool:
    """Whether the format carries a stream of one of the kinds; one that is not described may."""
    return any(item.get(f"{kind}codec") != "none" for kind in kinds)
