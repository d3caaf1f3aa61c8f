"""The ten default languages and the check of a language tag (BCP-47 primary subtags)."""

import difflib
import re
import unicodedata

from talkingface_wild.core.errors import UsageError

NAMES: dict[str, str] = {
    "ar": "Arabic",
    "de": "German",
    "en": "English",
    "es": "Spanish",
    "fr": "French",
    "hi": "Hindi",
    "ja": "Japanese",
    "ko": "Korean",
    "ru": "Russian",
    "zh": "Chinese",
}
OWN_NAMES: dict[str, tuple[str, ...]] = {
    "ar": ("العربية",),
    "de": ("Deutsch",),
    "en": ("English",),
    "es": ("español", "castellano"),
    "fr": ("français",),
    "hi": ("हिन्दी", "hindi"),
    "ja": ("日本語", "nihongo"),
    "ko": ("한국어", "hangugeo"),
    "ru": ("русский", "russkiy"),
    "zh": ("中文", "汉语", "漢語", "普通话", "Mandarin"),
}
"""What those who speak a language call it: for hints alone, a tag is what is asked for."""
DEFAULT: tuple[str, ...] = tuple(NAMES)
UNKNOWN = "und"
"""The BCP-47 tag of an undetermined language."""

_TAG = re.compile(r"[a-z]{2,3}(-[a-z0-9]{2,8})*")


def check_tag(tag: str) -> str:
    """``tag`` in lower case, or UsageError when it does not look like a BCP-47 tag."""
    lowered = tag.strip().lower()
    if not _TAG.fullmatch(lowered):
        raise UsageError(
            f"{tag!r} is no language tag{_hint(tag)}: expected something like 'en', 'zh' or "
            "'pt-br'."
        )
    return lowered


def _hint(name: str) -> str:
    """The tag of a language that was called by its name, as ``errors.nearest`` words a hint."""
    tags = {_plain(english): tag for tag, english in NAMES.items()}
    tags |= {_plain(own): tag for tag, names in OWN_NAMES.items() for own in names}
    match = difflib.get_close_matches(_plain(name), tags, n=1, cutoff=0.75)
    return f" (did you mean {tags[match[0]]!r}?)" if match else ""


def _plain(name: str) -> str:
    """A name without case and accents."""
    parts = unicodedata.normalize("NFKD", name.strip().casefold())
    return "".join(part for part in parts if not unicodedata.combining(part))


def parse_languages(text: str) -> tuple[str, ...] | None:
    """``all`` → None (no restriction); ``ar,de`` → a tuple of checked tags, in the order given."""
    if text.strip().lower() == "all":
        return None
    tags = tuple(dict.fromkeys(check_tag(part) for part in text.split(",") if part.strip()))
    if not tags:
        raise UsageError("--langs names no language: expected 'all' or tags such as 'ar,de,en'.")
    return tags
