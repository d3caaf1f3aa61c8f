"""Which language is spoken, by Whisper as faster-whisper runs it, in CTranslate2's layout.
Sound in, probabilities out, as ``spoken_language`` gives them; nothing is transcribed.
"""

from pathlib import Path
from types import ModuleType
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from talkingface_wild.core.errors import ExtraMissing, WeightMissing
from talkingface_wild.functional.waveform import RATE
from talkingface_wild.perception.spoken_language import TOKENS, WINDOW_SECONDS, over_windows
from talkingface_wild.perception.whisper import HOP, log_mel
from talkingface_wild.weights.manifest import hub_entries

WEIGHT = "faster_whisper_base"
"""The weight: ``model.bin`` of Systran/faster-whisper-base on the Hugging Face hub, MIT-licensed.
Its companions say which tokens name languages, and list all tokens. The tokenizer is not used, but
without it the package would ask the hub for one."""
_FRAMES = WINDOW_SECONDS * RATE // HOP


class FasterWhisperLanguage:
    """Whisper's opinion on the language of a recording, on the CPU, in 32-bit floats.

    ``path`` is ``model.bin``; its companions lie in the same folder.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._model: Any = None
        self._bands = 80

    def open(self, device: str = "cpu", threads: int = 1) -> Self:
        """Load the network; ``device`` makes no difference.

        Raises ExtraMissing without the package faster-whisper, WeightMissing when a file is absent
        or the network is not a multilingual Whisper.
        """
        package = import_faster_whisper()
        remedy = f"get it with 'tfw weights fetch {WEIGHT}'."
        lacking = [
            name
            for name in (self.path.name, *hub_entries()[WEIGHT].companions)
            if not (self.path.parent / name).is_file()
        ]
        if lacking:
            raise WeightMissing(
                f"Expected {self.path.name} and its companions in {self.path.parent}, found no "
                f"{', '.join(lacking)}; {remedy}"
            )
        try:
            model = package.WhisperModel(
                str(self.path.parent), device="cpu", compute_type="float32", cpu_threads=threads
            )
        except (RuntimeError, ValueError) as error:
            raise WeightMissing(
                f"Expected Whisper in CTranslate2's layout in {self.path}, found a file that does "
                f"not load ({error}); {remedy}"
            ) from error
        if not model.model.is_multilingual:
            raise WeightMissing(
                f"Expected a multilingual Whisper in {self.path}, found an English-only one; "
                f"{remedy}"
            )
        self._model, self._bands = model, int(model.model.n_mels)
        return self

    def probabilities(self, samples_int16_16k: npt.NDArray[np.int16]) -> dict[str, float]:
        """The probability of each language by its BCP-47 tag; they sum to 1.

        ``samples_int16_16k`` are mono samples at 16 kHz. Longer than 30 s, the mean over windows
        of 30 s counts, each with its length. Input is Whisper's published log-mel, whose end is
        silence; the package's own fills the end with a middling level instead, and differs by up
        to 0.01 in the probability of speech of 6 to 12 s. Raises ValueError without samples.
        """
        if self._model is None:
            self.open()
        return over_windows(samples_int16_16k, self._window)

    def _window(self, samples_int16_16k: npt.NDArray[np.int16]) -> npt.NDArray[np.float64]:
        """The probabilities of one window, in the order of tokens."""
        mels_MF = log_mel(samples_int16_16k, self._bands, _FRAMES).numpy()
        _, _, pairs = self._model.detect_language(features=mels_MF)
        by_code = dict(pairs)
        return np.array([by_code[code] for code in TOKENS if code in by_code], dtype=np.float64)


def import_faster_whisper() -> ModuleType:
    """The module faster_whisper, or ExtraMissing with the line that installs it."""
    try:
        import faster_whisper
    except ImportError as error:
        raise ExtraMissing(
            f"Expected the package faster-whisper for spoken language, found none ({error}); run "
            "pip install 'talkingface-wild[language]'."
        ) from error
    module: ModuleType = faster_whisper
    return module
