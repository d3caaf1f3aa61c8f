"""Whether the face that is seen speaks what is heard, by an active-speaker network (LR-ASD)."""

import numpy as np
import numpy.typing as npt

from talkingface_wild import weights
from talkingface_wild.core.outcome import Done, Outcome
from talkingface_wild.engine.stage import Item, Resources
from talkingface_wild.functional.mouth import flags_at
from talkingface_wild.perception.lr_asd import (
    FRAMES_PER_SECOND,
    STEPS_PER_FRAME,
    WEIGHT,
    ActiveSpeaker,
    cepstra,
)
from talkingface_wild.pipelines.clip_crops import SPEAKER_CROPS, ensure_speaker_crops
from talkingface_wild.pipelines.clip_speech import SpeechConfig, SpeechEar
from talkingface_wild.pipelines.column_kinds import measure, share
from talkingface_wild.pipelines.source_items import ItemByItem
from talkingface_wild.pipelines.source_proxy import SPAN_SOUND, span_samples

LEAST_FRAMES = 25
"""Frames of speech, 1 s, below which nothing is said."""
ROLLS = 16
"""Wrong sounds that a face is held against: its own, begun elsewhere."""
LEAST_ROLL_SECONDS = 1.2
"""By so much at least a wrong sound is off."""


class Speaks(ItemByItem):
    """Looks at the face at 25 frames a second, kept from the one full decode."""

    name = "speaks"
    needs = SPAN_SOUND
    reads = (SPEAKER_CROPS,)
    columns = (
        share("speaks_ratio", "share of the frames with speech in which the face speaks"),
        measure("speaks_score", "mean logit that it speaks, over those frames", low=-100),
        measure(
            "speaks_margin",
            "that mean, less its median with the clip's own sound begun elsewhere",
            low=-100,
        ),
    )
    Config = SpeechConfig
    settings_from = "speech"
    resources = Resources(gpus=0.1)

    @classmethod
    def on_this_machine(cls, config: SpeechConfig) -> SpeechConfig:
        """With the method that is here."""
        return config.here()

    @classmethod
    def weights(cls, config: SpeechConfig) -> tuple[str, ...]:
        """LR-ASD's network, and Silero's where it listens."""
        return (WEIGHT, *config.weights())

    def open(self) -> None:
        """Load both."""
        self._ear = SpeechEar(self.config, self.place)
        self._perceiver = ActiveSpeaker(weights.path(WEIGHT)).open(self.place.device)

    def answer(self, item: Item) -> Outcome:
        """Null without sound, or with less than a second of speech."""
        if not item.values.get("has_audio"):
            return Done({})
        samples = span_samples(item, self.place)
        speech = self._ear.hear(samples)
        faces_THW = ensure_speaker_crops(item, self.place)
        flags = flags_at(speech.flags, speech.frame_seconds, len(faces_THW), FRAMES_PER_SECOND)
        if int(flags.sum()) < LEAST_FRAMES:
            return Done({})
        features_TD = self._perceiver.features(faces_THW)
        steps_SF = cepstra(samples, len(faces_THW))
        own = self._speech_scores(features_TD, steps_SF, flags)
        if len(own) < LEAST_FRAMES:
            return Done({})
        values = {"speaks_ratio": float((own > 0).mean()), "speaks_score": float(own.mean())}
        others = [
            self._speech_scores(features_TD, np.roll(steps_SF, roll, axis=0), flags).mean()
            for roll in _rolls(len(steps_SF))
        ]
        if others:
            values["speaks_margin"] = values["speaks_score"] - float(np.median(others))
        return Done(values)

    def _speech_scores(
        self,
        features_TD: npt.NDArray[np.float32],
        steps_SF: npt.NDArray[np.float64],
        flags_T: npt.NDArray[np.bool_],
    ) -> npt.NDArray[np.float32]:
        """The face's scores with a sound, at the frames in which its own sound is speech."""
        scores: npt.NDArray[np.float32] = self._perceiver.judge(features_TD, steps_SF)
        return scores[flags_T[: len(scores)]]


def _rolls(steps: int) -> list[int]:
    """Evenly spread rolls of so many steps of 10 ms, none near to no roll; none of a short clip."""
    least = round(LEAST_ROLL_SECONDS * FRAMES_PER_SECOND * STEPS_PER_FRAME)
    if steps < 3 * least:
        return []
    return [int(roll) for roll in np.linspace(least, steps - least, ROLLS)]
