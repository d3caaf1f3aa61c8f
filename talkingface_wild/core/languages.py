"""The ten default languages and the check of a language tag (BCP-47 primary subtags)."""

from __future__ import annotations

import re

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
DEFAULT: tuple[str, ...] = tuple(NAMES)
UNKNOWN = "und"
"""The BCP-47 tag of an undetermined language."""

_TAG = re.compile(r"[a-z]{2,3}(-[a-z0-9]{2,8})*")


def check_tag(tag: str) -> str:
    """``tag`` in lower case, or UsageError when it does not look like a BCP-47 tag."""
    lowered = tag.strip().lower()
    if not _TAG.fullmatch(lowered):
        raise UsageError(
            f"{tag!r} is no language tag: expected something like 'en', 'zh' or 'pt-br'."
        )
    return lowered


def parse_languages(text: str) -> tuple[str, ...] | None:
    """``all`` → None (no restriction); ``ar,de`` → a tuple of checked tags, in the order given."""
    if text.strip().lower() == "all":
        return None
    tags = tuple(dict.fromkeys(check_tag(part) for part in text.split(",") if part.strip()))
    if not tags:
        raise UsageError("--langs names no language: expected 'all' or tags such as 'ar,de,en'.")
    return tags
