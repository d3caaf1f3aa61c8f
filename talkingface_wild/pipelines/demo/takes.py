"""What the demo corpus holds: every video's language, fault, length and look. Draws nothing."""

from dataclasses import dataclass, replace
from typing import Literal

from talkingface_wild.pipelines.demo.face import Look
from talkingface_wild.pipelines.demo.styles import seed_of, style
from talkingface_wild.pipelines.demo.voice import Manner

Kind = Literal[
    "talk",
    "cuts",
    "long",
    "two_faces",
    "no_face",
    "blurry",
    "no_audio",
    "truncated",
    "too_short",
    "voice_over",
    "music",
    "out_of_sync",
]

CUT_SHOTS_SECONDS = (4.4, 1.6, 4.4)
"""The shots of a video with cuts: the middle one is shorter than any clip may be."""
LONG_SECONDS = 42.0
"""An uncut take of one stride of 30 s and a tail of 12 s."""

FAULTS: dict[str, tuple[Kind, ...]] = {
    "ar": ("truncated", "voice_over"),
    "de": ("no_face", "truncated"),
    "en": ("cuts", "two_faces"),
    "es": ("blurry", "music"),
    "fr": ("no_audio", "out_of_sync"),
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
    "voice_over": "a voice is heard over a face that smiles and does not speak",
    "music": "the mouth speaks, and music is heard",
    "out_of_sync": "the sound comes 10 frames after the mouth",
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
    "voice_over": "voice_over",
    "music": "little_speech",
    "out_of_sync": "sync_offset",
}

NEEDS_NETWORK: frozenset[Kind] = frozenset({"voice_over", "music", "out_of_sync"})
"""Faults that only a network hears or sees; a recipe without its gate keeps them."""

DELAY_FRAMES = 10
"""How much later the sound of ``out_of_sync`` is than the mouth."""

SECONDS: dict[Kind, float] = {
    "cuts": sum(CUT_SHOTS_SECONDS),
    "long": LONG_SECONDS,
    "two_faces": 4.4,
    "no_face": 4.4,
    "blurry": 4.4,
    "no_audio": 4.0,
    "truncated": 4.0,
    "too_short": 2.0,
    "voice_over": 6.4,
    "music": 6.4,
    "out_of_sync": 6.4,
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

    @property
    def needs_network(self) -> bool:
        """Whether nothing but a network finds its fault."""
        return self.kind in NEEDS_NETWORK


def takes(languages: tuple[str, ...]) -> list[Take]:
    """The videos of ``languages``, in order: a talking take each, then the faults planted there.

    A language outside the ten has a talking take alone, with a look and a voice of its own.
    """
    planned = []
    for place, language in enumerate(languages):
        look, manner = style(language)
        for kind in ("talk", *FAULTS.get(language, ())):
            seconds = SECONDS.get(kind, 6.4 + 0.2 * (place % 8))
            seed = seed_of(f"{language} {kind}")
            own = replace(look, blur_sigma=5.0) if kind == "blurry" else look
            planned.append(Take(language, kind, seconds, seed, own, manner))
    return planned
