"""Which language is spoken: the language token that Whisper (Radford et al., 2022) would say first.
Sound in, probabilities out; nothing of clips, claims or votes.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any, Self

import numpy as np
import numpy.typing as npt
import torch

from talkingface_wild.core.errors import WeightMissing
from talkingface_wild.functional.waveform import RATE
from talkingface_wild.perception.state_dict import load_state, load_strict
from talkingface_wild.perception.whisper import Dimensions, Whisper, log_mel

WEIGHT = "whisper_small"
"""The weight: OpenAI's ``small.pt``. One network knows the ten languages and ninety more, from the
web's speech; it is MIT-licensed, and its source states the file's hash. Every other multilingual
checkpoint of that layout loads as well: sizes are read from its tensors."""
WINDOW_SECONDS = 30
START_TOKEN = 50_258
"""``<|startoftranscript|>`` in the multilingual vocabulary; the languages follow it at once."""
_OTHER_TOKENS = 51_766
"""Tokens of a multilingual vocabulary that name no language."""

# fmt: off
TOKENS: tuple[str, ...] = (
    "en", "zh", "de", "es", "ru", "ko", "fr", "ja", "pt", "tr", "pl", "ca", "nl", "ar", "sv",
    "it", "id", "hi", "fi", "vi", "he", "uk", "el", "ms", "cs", "ro", "da", "hu", "ta", "no",
    "th", "ur", "hr", "bg", "lt", "la", "mi", "ml", "cy", "sk", "te", "fa", "lv", "bn", "sr",
    "az", "sl", "kn", "et", "mk", "br", "eu", "is", "hy", "ne", "mn", "bs", "kk", "sq", "sw",
    "gl", "mr", "pa", "si", "km", "sn", "yo", "so", "af", "oc", "ka", "be", "tg", "sd", "gu",
    "am", "yi", "lo", "uz", "fo", "ht", "ps", "tk", "nn", "mt", "sa", "lb", "my", "bo", "tl",
    "mg", "as", "tt", "haw", "ln", "ha", "ba", "jw", "su", "yue",
)
# fmt: on
"""Whisper's own language codes in the order of their tokens; the last came with large-v3."""
_BCP47 = {"jw": "jv"}
LANGUAGES: tuple[str, ...] = tuple(_BCP47.get(code, code) for code in TOKENS)
"""The same as BCP-47 tags: Javanese is jv there; zh is Chinese, and mostly Mandarin."""


class SpokenLanguagePerceiver:
    """Whisper's opinion on the language of a recording."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._network: Whisper | None = None
        self._device = "cpu"

    def open(self, device: str = "cpu") -> Self:
        """Load the network; WeightMissing when the file is no multilingual Whisper."""
        remedy = f"get {WEIGHT} with 'tfw weights fetch' or 'tfw weights import DIR'."
        state = load_state(self.path, key="model_state_dict")
        try:
            size = Dimensions.of(state)
        except (KeyError, IndexError) as error:
            raise WeightMissing(
                f"Expected a Whisper checkpoint of OpenAI's layout in {self.path}, found one "
                f"without {error}; {remedy}"
            ) from error
        if size.vocabulary - _OTHER_TOKENS not in (len(LANGUAGES) - 1, len(LANGUAGES)):
            raise WeightMissing(
                f"Expected a multilingual Whisper in {self.path}, found a vocabulary of "
                f"{size.vocabulary} tokens, as in English-only ones; {remedy}"
            )
        network = Whisper(size)
        load_strict(network, state, self.path)
        self._network, self._device = network.eval().to(device), device
        return self

    def probabilities(self, samples_int16_16k: npt.NDArray[np.int16]) -> dict[str, float]:
        """The probability of each language by its BCP-47 tag; they sum to 1.

        ``samples_int16_16k`` are mono samples at 16 kHz. Longer than 30 s, the mean over windows
        of 30 s counts, each with its length. Raises ValueError without samples.
        """
        if self._network is None:
            self.open()
        with torch.inference_mode():
            return over_windows(samples_int16_16k, self._window)

    def _window(self, samples_int16_16k: npt.NDArray[np.int16]) -> npt.NDArray[np.float64]:
        """The probabilities of one window, in the order of tokens."""
        network = self._network
        if network is None:
            raise RuntimeError("open the network first")
        languages = slice(
            START_TOKEN + 1, START_TOKEN + 1 + network.size.vocabulary - _OTHER_TOKENS
        )
        mels_MF = log_mel(samples_int16_16k, network.size.mels, 2 * network.size.audio_positions)
        scores = network(mels_MF[None].to(self._device), START_TOKEN)[0, languages]
        return scores.double().softmax(dim=0).cpu().numpy()


def over_windows(
    samples_int16_16k: npt.NDArray[np.int16],
    window: Callable[[npt.NDArray[np.int16]], npt.NDArray[Any]],
) -> dict[str, float]:
    """The mean of ``window``'s probabilities over 30 s each, by their lengths and BCP-47 tags.

    Raises ValueError without samples.
    """
    if not len(samples_int16_16k):
        raise ValueError("expected samples of speech, found none")
    step = WINDOW_SECONDS * RATE
    parts = [samples_int16_16k[i : i + step] for i in range(0, len(samples_int16_16k), step)]
    rows = np.array([window(part) for part in parts], dtype=np.float64)
    means = np.average(rows, axis=0, weights=[len(part) for part in parts])
    return dict(zip(LANGUAGES, means.tolist(), strict=False))
