"""Whether the face speaks what is heard, by LR-ASD: a voice-over or a dub does not fit it."""

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from talkingface_wild import weights
from talkingface_wild.core.arrays import Pictures, Samples
from talkingface_wild.core.outcome import Done, Outcome, Value
from talkingface_wild.engine.stage import Item
from talkingface_wild.functional.mouth import flags_at
from talkingface_wild.functional.own_sound import mean_in, own_margin
from talkingface_wild.media.sound import SOUND_RATE
from talkingface_wild.pipelines.clip_crops import RATE, SPEAKER_CROPS, ensure_speaker_crops
from talkingface_wild.pipelines.clip_speech import SpeechConfig, SpeechEar
from talkingface_wild.pipelines.column_kinds import count, measure, share
from talkingface_wild.pipelines.source_items import ItemByItem
from talkingface_wild.pipelines.source_proxy import SPAN_SOUND, span_samples

Scores = npt.NDArray[np.float32]

LEAST_SPEECH = 10
"""Frames; of less speech nothing is said."""


class Speaks(ItemByItem):
    """Scores the face, followed through the one full decode, against the sound of its clip."""

    name = "speaks"
    needs = SPAN_SOUND
    reads = (SPEAKER_CROPS,)
    columns = (
        count(
            "speaks_frames", "frames with picture and speech, of which the others tell", "frames"
        ),
        share(
            "speaks_ratio",
            "share of them in which the face is seen to speak; null with less than 0.4 s of speech",
        ),
        measure("speaks_score", "mean score of them: the logit of speaking", low=None),
        measure(
            "speaks_margin",
            "how far that lies above the 90th percentile of the clip's own sound at wrong times; "
            "null under 3 s. Below 0 where another voice is heard, as a rule",
            low=None,
        ),
    )
    Config = SpeechConfig
    settings_from = "speech"

    @classmethod
    def on_this_machine(cls, config: SpeechConfig) -> SpeechConfig:
        """With the method of telling speech that is here."""
        return config.here()

    @classmethod
    def weights(cls, config: SpeechConfig) -> tuple[str, ...]:
        """LR-ASD, and Silero's network where it listens."""
        return ("lr_asd", *config.weights())

    def open(self) -> None:
        """Load both networks."""
        from talkingface_wild.perception.lr_asd import ActiveSpeaker

        self._ear = SpeechEar(self.config, self.place)
        self._perceiver = ActiveSpeaker(weights.path("lr_asd")).open(self.place.device)

    def answer(self, item: Item) -> Outcome:
        """Null without sound; without speech only that there is none."""
        if not item.values.get("has_audio"):
            return Done({})
        faces = ensure_speaker_crops(item, self.place)
        samples = span_samples(item, self.place)
        speech = self._ear.hear(samples)
        frames = min(len(faces), len(samples) * int(RATE) // SOUND_RATE)
        flags = flags_at(speech.flags, speech.frame_seconds, frames, RATE)
        values: dict[str, Value] = {"speaks_frames": int(flags.sum())}
        if flags.sum() < LEAST_SPEECH:
            return Done(values)
        scores_at = self._scores(faces[:frames], samples)
        scores = scores_at(0)
        values |= {
            "speaks_ratio": float((scores[flags] > 0).mean()),
            "speaks_score": mean_in(scores, flags),
            "speaks_margin": own_margin(scores_at, flags),
        }
        return Done(values)

    def _scores(self, faces: Pictures, samples: Samples) -> Callable[[int], Scores]:
        """What the network says of the face with its sound moved around by so many frames."""
        from talkingface_wild.perception.lr_asd import STEPS_PER_FRAME, cepstra

        features = self._perceiver.features(faces)
        steps = cepstra(samples, len(faces))
        return lambda time: self._perceiver.judge(
            features, np.roll(steps, time * STEPS_PER_FRAME, axis=0)
        )
