"""Whose face and voice speaks each language of the demo corpus, in which suit and before what."""

import hashlib

from talkingface_wild.pipelines.demo.face import Look
from talkingface_wild.pipelines.demo.person import Person
from talkingface_wild.pipelines.demo.voice import Manner

PERSONS: dict[str, Person] = {
    "ar": Person(
        jaw_width=0.9,
        chin=-4.5,
        eye_distance=0.96,
        eye_size=0.81,
        brow=2.3,
        nose_width=1.17,
        nose_length=-1.3,
        mouth_width=0.96,
        mouth_drop=4.6,
        hair_volume=1.03,
        hair_length=-14.0,
        skin=(0.92, 0.83, 0.76),
        hair=(0.26, 0.22, 0.22),
        hair_grey=0.5,
        brows=0.95,
        beard=0.9,
        moustache=0.9,
    ),
    "de": Person(
        face_width=1.08,
        jaw_width=1.02,
        chin=-4.8,
        eye_distance=0.94,
        eye_size=0.88,
        brow=-1.6,
        nose_width=1.23,
        nose_length=-0.9,
        hair_length=-14.0,
        skin=(1.04, 0.97, 0.95),
        hair=(0.75, 0.62, 0.55),
        hair_grey=0.2,
        beard=0.5,
        glasses=0.9,
    ),
    "en": Person(
        jaw_width=0.92,
        chin=4.5,
        eye_distance=0.96,
        eye_size=1.18,
        brow=-1.5,
        nose_width=0.84,
        nose_length=3.0,
        mouth_drop=-1.0,
        hair_volume=1.06,
    ),
    "es": Person(
        face_width=0.9,
        jaw_width=0.95,
        chin=4.8,
        eye_distance=1.09,
        eye_size=1.05,
        nose_width=1.25,
        nose_length=-4.2,
        mouth_width=1.13,
        mouth_drop=4.8,
        hair_volume=1.1,
        hair_length=24.0,
        skin=(0.93, 0.84, 0.76),
        hair=(0.35, 0.25, 0.22),
        brows=0.6,
    ),
    "fr": Person(
        face_width=0.94,
        jaw_width=1.12,
        chin=-2.0,
        eye_distance=1.02,
        eye_size=1.2,
        brow=4.0,
        nose_width=0.9,
        nose_length=-5.0,
        mouth_width=1.2,
        mouth_drop=-3.0,
        hair_volume=1.1,
        hair_length=10.0,
        skin=(1.05, 1.0, 1.0),
        hair=(0.95, 0.5, 0.4),
        glasses=0.9,
    ),
    "hi": Person(
        face_width=1.06,
        jaw_width=1.02,
        chin=-2.0,
        eye_distance=0.93,
        eye_size=1.05,
        brow=-1.5,
        nose_width=1.15,
        mouth_width=1.05,
        hair_volume=0.86,
        hair_length=-14.0,
        skin=(0.66, 0.55, 0.47),
        hair=(0.28, 0.24, 0.26),
        hair_grey=0.4,
        brows=0.9,
        moustache=0.95,
    ),
    "ja": Person(
        face_width=1.04,
        jaw_width=0.86,
        eye_distance=1.1,
        eye_size=0.95,
        brow=3.0,
        nose_width=0.85,
        nose_length=-3.0,
        mouth_width=0.8,
        hair_length=24.0,
        skin=(1.04, 1.0, 0.95),
        hair=(0.2, 0.18, 0.2),
        hair_grey=0.6,
    ),
    "ko": Person(
        face_width=1.02,
        jaw_width=1.1,
        chin=4.0,
        eye_distance=1.04,
        eye_size=0.78,
        brow=-1.0,
        nose_length=4.0,
        mouth_width=0.9,
        mouth_drop=4.0,
        hair_volume=0.84,
        hair_length=-14.0,
        skin=(1.0, 0.95, 0.86),
        hair=(0.3, 0.26, 0.28),
        hair_grey=0.5,
        brows=0.9,
    ),
    "ru": Person(
        jaw_width=1.18,
        chin=-4.0,
        eye_distance=1.05,
        eye_size=0.85,
        brow=-2.0,
        nose_width=1.3,
        nose_length=-1.0,
        mouth_width=1.15,
        mouth_drop=1.0,
        hair_volume=0.92,
        skin=(1.05, 0.93, 0.9),
        hair=(1.15, 1.15, 1.2),
        hair_grey=0.95,
        moustache=0.6,
    ),
    "zh": Person(
        face_width=1.11,
        jaw_width=0.86,
        chin=-5.8,
        eye_distance=1.03,
        eye_size=1.1,
        nose_width=0.95,
        nose_length=-0.9,
        mouth_width=1.1,
        mouth_drop=3.0,
        hair_length=-8.0,
        skin=(1.0, 0.95, 0.84),
        hair=(1.0, 1.0, 1.05),
        hair_grey=0.9,
        brows=0.3,
    ),
}
"""Ten persons. Descriptors of any two are .50 apart and more by dlib's network, for which .45 is
another person; those of one person's takes .2 at most."""

STYLES: dict[str, tuple[Look, Manner]] = {
    "ar": (
        Look(13, (1.06, 0.95, 0.72), False, 224, person=PERSONS["ar"]),
        Manner(112, 3.2, 0.36, 0.22, 1.0, 0.25, 0.55),
    ),
    "de": (
        Look(110, (0.8, 0.9, 1.05), True, 214, person=PERSONS["de"]),
        Manner(118, 3.3, 0.32, 0.14, 1.02, 0.5, 0.55),
    ),
    "en": (
        Look(8, (1.0, 1.0, 1.0), False, 220, person=PERSONS["en"]),
        Manner(190, 3.5, 0.34, 0.2, 1.15, 0.4, 0.6),
    ),
    "es": (
        Look(170, (1.08, 0.84, 0.76), True, 228, 4.0, person=PERSONS["es"]),
        Manner(215, 4.0, 0.26, 0.18, 1.17, 0.2, 0.6),
    ),
    "fr": (
        Look(125, (0.74, 0.8, 1.02), False, 210, person=PERSONS["fr"]),
        Manner(225, 3.7, 0.3, 0.12, 1.16, 0.25, 0.65),
    ),
    "hi": (
        Look(20, (0.82, 1.02, 0.82), True, 222, person=PERSONS["hi"]),
        Manner(126, 3.6, 0.28, 0.2, 1.03, 0.25, 0.55),
    ),
    "ja": (
        Look(155, (1.04, 0.9, 0.98), False, 218, -4.0, person=PERSONS["ja"]),
        Manner(245, 4.1, 0.38, 0.1, 1.2, 0.05, 0.65),
    ),
    "ko": (
        Look(95, (0.78, 0.98, 1.0), True, 226, person=PERSONS["ko"]),
        Manner(135, 3.7, 0.33, 0.16, 1.05, 0.35, 0.6),
    ),
    "ru": (
        Look(2, (0.68, 0.74, 0.86), False, 216, person=PERSONS["ru"]),
        Manner(104, 3.3, 0.31, 0.17, 0.98, 0.45, 0.5),
    ),
    "zh": (
        Look(176, (1.02, 0.92, 0.86), True, 212, person=PERSONS["zh"]),
        Manner(205, 3.1, 0.35, 0.3, 1.13, 0.2, 0.6),
    ),
}


def style(language: str) -> tuple[Look, Manner]:
    """A look and a manner that follow from the language's tag."""
    if language in STYLES:
        return STYLES[language]
    number = seed_of(language)
    gains = tuple(0.75 + 0.3 * (number // step % 10) / 9 for step in (1, 10, 100))
    person = list(PERSONS.values())[number // 1000 % len(PERSONS)]
    look = Look(number % 180, (gains[0], gains[1], gains[2]), number % 2 == 0, person=person)
    return look, Manner(110 + number % 130, 3.1 + number % 10 / 10, 0.3, 0.18)


def neighbour(language: str) -> Person:
    """Who stands beside the one that speaks a language: another one."""
    names = list(PERSONS)
    place = names.index(language) if language in names else seed_of(language)
    return PERSONS[names[(place + 3) % len(names)]]


def seed_of(text: str) -> int:
    """A seed that is the same on every machine."""
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:4], "big")
