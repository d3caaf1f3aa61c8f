"""What the demo corpus holds: every video's language, fault, length and look. Draws nothing."""

import hashlib
from dataclasses import dataclass, replace
from typing import Literal

from talkingface_wild.pipelines.demo.face import Look
from talkingface_wild.pipelines.demo.voice import Manner

Kind = Literal[
    "talk", "cuts", "long", "two_faces", "no_face", "blurry", "no_audio", "truncated", "too_short"
]

CUT_SHOTS_SECONDS = (4.4, 1.6, 4.4)
"""The shots of a video with cuts: the middle one is shorter than any clip may be."""
LONG_SECONDS = 42.0
"""An uncut take of one stride of 30 s and a tail of 12 s."""

FAULTS: dict[str, tuple[Kind, ...]] = {
    "ar": ("truncated",),
    "de": ("no_face", "truncated"),
    "en": ("cuts", "two_faces"),
    "es": ("blurry",),
    "fr": ("no_audio",),
    "hi": ("two_faces", "blurry"),
    "ja": ("too_short",),
    "ko": ("cuts",),
    "ru": ("long", "no_audio"),
    "zh": ("no_face", "too_short"),
}

NOTES: dict[Kind, str] = {
    "talk": "one uncut talking take",
    "cuts": "two cuts: shots of 4.4 s, 1.6 s and 4.4 s; the clip of the middle one is too_short",
    "long": "one uncut take of 42 s: a stride of 30 s and its tail",
    "two_faces": "two faces side by side",
    "no_face": "a photograph without a person, and a voice",
    "blurry": "the picture is strongly blurred",
    "no_audio": "no sound stream",
    "truncated": "the file ends in the middle, before its index",
    "too_short": "2 s in all",
}

VERDICTS: dict[Kind, str] = {
    "talk": "kept",
    "cuts": "kept",
    "long": "kept",
    "two_faces": "multiple_faces",
    "no_face": "no_face",
    "blurry": "blurry",
    "no_audio": "no_audio",
    "truncated": "undecodable",
    "too_short": "too_short",
}

SECONDS: dict[Kind, float] = {
    "cuts": sum(CUT_SHOTS_SECONDS),
    "long": LONG_SECONDS,
    "two_faces": 4.4,
    "no_face": 4.4,
    "blurry": 4.4,
    "no_audio": 4.0,
    "truncated": 4.0,
    "too_short": 2.0,
}

STYLES: dict[str, tuple[Look, Manner]] = {
    "ar": (Look(13, (1.06, 0.95, 0.72), False, 224), Manner(175, 4.3, 0.36, 0.22)),
    "de": (Look(110, (0.80, 0.90, 1.05), True, 214), Manner(205, 4.6, 0.32, 0.14)),
    "en": (Look(8, (1.00, 1.00, 1.00), False, 220), Manner(190, 4.8, 0.34, 0.20)),
    "es": (Look(170, (1.08, 0.84, 0.76), True, 228, 4.0), Manner(215, 5.8, 0.26, 0.18)),
    "fr": (Look(125, (0.74, 0.80, 1.02), False, 210), Manner(225, 5.2, 0.30, 0.12)),
    "hi": (Look(20, (0.82, 1.02, 0.82), True, 222), Manner(235, 5.0, 0.28, 0.20)),
    "ja": (Look(155, (1.04, 0.90, 0.98), False, 218, -4.0), Manner(245, 6.2, 0.38, 0.10)),
    "ko": (Look(95, (0.78, 0.98, 1.00), True, 226), Manner(210, 5.5, 0.33, 0.16)),
    "ru": (Look(2, (0.68, 0.74, 0.86), False, 216), Manner(180, 4.9, 0.31, 0.17)),
    "zh": (Look(176, (1.02, 0.92, 0.86), True, 212), Manner(230, 4.4, 0.35, 0.30)),
}


@dataclass(frozen=True)
class Take:
    """One video of the corpus."""

    language: str
    kind: Kind
    seconds: float
    seed: int
    look: Look
    manner: Manner

    @property
    def path(self) -> str:
        """Where it lies under the corpus's folder."""
        return f"{self.language}/{self.language}_{self.kind}.mp4"

    @property
    def expected(self) -> str:
        """``kept`` when its first clip is to be kept, else the reason why it is not."""
        return VERDICTS[self.kind]


def takes(languages: tuple[str, ...]) -> list[Take]:
    """The videos of ``languages``, in order: a talking take each, then the faults planted there.

    A language outside the ten has a talking take alone, with a look and a voice of its own.
    """
    planned = []
    for place, language in enumerate(languages):
        look, manner = STYLES[language] if language in STYLES else _style(language)
        for kind in ("talk", *FAULTS.get(language, ())):
            seconds = SECONDS.get(kind, 6.4 + 0.2 * (place % 8))
            seed = _number(f"{language} {kind}")
            own = replace(look, blur_sigma=5.0) if kind == "blurry" else look
            planned.append(Take(language, kind, seconds, seed, own, manner))
    return planned


def _style(language: str) -> tuple[Look, Manner]:
    """A look and a manner that follow from the language's tag."""
    number = _number(language)
    gains = tuple(0.75 + 0.3 * (number // step % 10) / 9 for step in (1, 10, 100))
    look = Look(number % 180, (gains[0], gains[1], gains[2]), number % 2 == 0)
    return look, Manner(170 + number % 80, 4.2 + number % 19 / 10, 0.3, 0.18)


def _number(text: str) -> int:
    """A seed that is the same on every machine."""
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:4], "big")
