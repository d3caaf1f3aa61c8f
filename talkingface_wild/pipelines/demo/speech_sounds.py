"""The vowels and consonants of the made-up voices: resonances, noise, length, and the mouth.

Formants are those of men (Peterson and Barney 1952, rounded); a shorter throat raises them all.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class SpeechSound:
    """One sound as the throat, the noise and the mouth make it."""

    formants: tuple[float, float, float]
    """First to third formant in Hz; where a consonant has none, where it pulls its vowel's."""
    opening: float
    """How far the mouth is open, 0 (lips shut) to 1."""
    seconds: float
    voicing: float = 1.0
    """Loudness of the vocal folds, 1 in an open vowel."""
    noise: float = 0.0
    """Loudness of the hiss."""
    noise_hertz: float = 4000.0
    """Middle of the hiss."""
    noise_width: float = 1500.0
    """Half its width."""
    burst: float = 0.0
    """Loudness of the release that ends it, 15 ms of hiss."""
    breath: bool = False
    """Whether it is breath through the open throat."""


VOWELS: tuple[SpeechSound, ...] = (
    SpeechSound((730, 1090, 2440), 1.0, 0.13),
    SpeechSound((660, 1720, 2410), 0.85, 0.13),
    SpeechSound((530, 1840, 2480), 0.65, 0.11),
    SpeechSound((390, 1990, 2550), 0.45, 0.10, 0.9),
    SpeechSound((270, 2290, 3010), 0.35, 0.11, 0.8),
    SpeechSound((570, 840, 2410), 0.7, 0.13),
    SpeechSound((440, 1020, 2240), 0.5, 0.10, 0.9),
    SpeechSound((300, 870, 2240), 0.3, 0.11, 0.8),
    SpeechSound((640, 1190, 2390), 0.75, 0.09),
    SpeechSound((490, 1350, 1690), 0.5, 0.12, 0.9),
)
PLOSIVES: tuple[SpeechSound, ...] = (
    SpeechSound((300, 800, 2200), 0.0, 0.07, 0.0, burst=0.35, noise_hertz=1200),
    SpeechSound((300, 1750, 2600), 0.15, 0.06, 0.0, burst=0.6, noise_hertz=4200),
    SpeechSound((300, 2000, 2300), 0.2, 0.06, 0.0, burst=0.5, noise_hertz=2100, noise_width=700),
    SpeechSound((250, 800, 2200), 0.0, 0.05, 0.16, burst=0.2, noise_hertz=1200),
    SpeechSound((250, 1750, 2600), 0.15, 0.045, 0.16, burst=0.3, noise_hertz=4000),
    SpeechSound((250, 2000, 2300), 0.2, 0.045, 0.16, burst=0.3, noise_hertz=2100, noise_width=700),
)
FRICATIVES: tuple[SpeechSound, ...] = (
    SpeechSound((320, 1500, 2550), 0.15, 0.09, 0.0, 0.55, 6000, 1500),
    SpeechSound((320, 1800, 2500), 0.2, 0.09, 0.0, 0.6, 3400, 1100),
    SpeechSound((320, 1000, 2300), 0.06, 0.08, 0.0, 0.2, 5000, 3000),
    SpeechSound((500, 1500, 2500), 0.4, 0.06, 0.0, breath=True),
    SpeechSound((280, 1500, 2550), 0.15, 0.07, 0.3, 0.25, 6000, 1500),
    SpeechSound((280, 1000, 2300), 0.06, 0.06, 0.35, 0.1, 5000, 3000),
)
SONORANTS: tuple[SpeechSound, ...] = (
    SpeechSound((250, 1000, 2200), 0.0, 0.07, 0.4),
    SpeechSound((250, 1500, 2500), 0.15, 0.065, 0.4),
    SpeechSound((350, 1150, 2700), 0.3, 0.06, 0.55),
    SpeechSound((330, 1250, 1650), 0.25, 0.06, 0.55),
    SpeechSound((290, 700, 2200), 0.1, 0.06, 0.5),
    SpeechSound((270, 2200, 2900), 0.25, 0.06, 0.55),
)
