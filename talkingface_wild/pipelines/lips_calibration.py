"""Lip sync that trains itself on a data set: each clip is judged by a network that never saw its
source. Works on windows of lips and sound; opens no video, writes nothing.

What it finds is relative to the set: where all sound lies off by the same offset, nothing is off.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from talkingface_wild.core.counting import counted
from talkingface_wild.core.errors import InputUnreadable
from talkingface_wild.functional.intervals import assign_folds, exact_interval
from talkingface_wild.functional.lips_match import (
    LEAST_FRAMES,
    LipsMatch,
    height_above,
    lips_match,
    null_heights,
)
from talkingface_wild.perception.lips_network import LipsClip, LipsNetwork, LipsTraining

Embeddings = npt.NDArray[np.float32]

RATE = 25
LEAST_SECONDS = 65.0
"""Of one-face speech: on so much the trial's AUC was .76, on 130 s .92, on 366 s .95."""
GOOD_SECONDS = 130.0
LEAST_CLIPS = 10
"""A language of fewer clips has no threshold of its own."""
LEAST_ACCEPTS = 5
"""Wrong sounds above a threshold, below which nothing can be said of their share."""
TURNS = 16
"""Turns of a clip's own sound that give its null, where it is long enough."""
LEAST_STEP = 4
"""Frames between two turns: nearer ones are one and the same wrong sound."""
LEAST_TURN = 28
"""Frames of the shortest: speech of 1.1 s before says nothing of now."""
OTHERS = 8
"""Sounds of other sources that are held against a clip's lips as well."""
MOST_OFF = 3
"""Frames from the set's own offset beyond which a clip is not trained on a second time."""


@dataclass(frozen=True)
class SpeechClip:
    """One clip: who it is, and its windows."""

    clip_id: str
    source: str
    language: str
    windows: LipsClip


@dataclass(frozen=True)
class LipsScore:
    """What a network that never saw its source says of a clip."""

    clip_id: str
    fold: int
    match: LipsMatch | None
    """None where too few frames show a face."""
    null_margins: tuple[float, ...] = ()
    """Of its own sound, turned, and of other sources' sounds."""

    @property
    def height(self) -> float | None:
        """Its margin above its own null, in that null's spread; None where it is too short."""
        return None if self.match is None else height_above(self.match.margin, self.null_margins)


@dataclass(frozen=True)
class LipsThreshold:
    """How well own sound is told from wrong sound, in one language or in all."""

    language: str
    clips: int
    seconds: float
    auc: float | None = None
    threshold: float | None = None
    """The height above a clip's own null that the stated share of wrong sounds exceeds."""
    false_accepts: tuple[float, float] | None = None
    """95 % interval of that share."""
    true_accepts: float | None = None
    """Share of the clips that lie above."""
    reason: str = ""
    """Why it cannot be judged."""


@dataclass(frozen=True)
class Calibration:
    """Networks by fold, scores by clip, thresholds by language; ``all`` first."""

    networks: tuple[LipsNetwork, ...]
    scores: Mapping[str, LipsScore]
    thresholds: tuple[LipsThreshold, ...]
    left_out: tuple[str, ...]
    """Clips that the second training did without: their sound is off, or nobody speaks."""


def calibrate(
    clips: Sequence[SpeechClip],
    folds: int = 5,
    seed: int = 0,
    false_accepts: float = 0.05,
    training: LipsTraining = LipsTraining(),
    listen: Callable[[int, int], None] = lambda done, of: None,
) -> Calibration:
    """Train on all folds but one, judge that one, in two rounds: the second does without the clips
    that the first found off, so that wrong ones in the set teach nothing.

    ``listen`` hears how many of the trainings are done. Raises InputUnreadable for what cannot be
    judged at all: one source, or less than ``LEAST_SECONDS`` of it.
    """
    ordered = sorted(clips, key=lambda clip: clip.clip_id)
    judged = [clip for clip in ordered if _frames(clip) >= LEAST_FRAMES]
    _check(judged)
    fold_of = assign_folds([clip.source for clip in judged], folds)
    count = max(fold_of.values()) + 1
    left_out: set[str] = set()
    for part in range(2):
        networks = []
        for fold in range(count):
            others = [
                clip.windows
                for clip in judged
                if fold_of[clip.source] != fold and clip.clip_id not in left_out
            ]
            networks.append(LipsNetwork.train_on(others, seed + fold, training))
            listen(part * count + fold + 1, 2 * count)
        scores = _scores(judged, fold_of, networks)
        if part == 0:
            left_out = _off(scores, false_accepts)
            _check_rest(judged, fold_of, left_out)
    absent = {
        clip.clip_id: LipsScore(clip.clip_id, -1, None)
        for clip in ordered
        if clip.clip_id not in scores
    }
    languages = sorted({clip.language for clip in judged})
    thresholds = [_threshold("all", judged, scores, false_accepts)]
    for language in languages:
        own = [clip for clip in judged if clip.language == language]
        thresholds.append(_threshold(language, own, scores, false_accepts))
    return Calibration(tuple(networks), scores | absent, tuple(thresholds), tuple(sorted(left_out)))


def _frames(clip: SpeechClip) -> int:
    return int((~np.isnan(clip.windows.lips).any(axis=1)).sum())


def _check(clips: Sequence[SpeechClip]) -> None:
    seconds = sum(map(_frames, clips)) / RATE
    sources = {clip.source for clip in clips}
    if len(sources) < 2:
        raise InputUnreadable(
            f"Expected clips of at least two sources, found {counted(len(sources), 'source')}: no "
            "clip may be judged by a network that saw it; add other videos."
        )
    if seconds < LEAST_SECONDS:
        raise InputUnreadable(
            f"Expected at least {LEAST_SECONDS:.0f} s of one face that speaks, found "
            f"{seconds:.0f} s; add {LEAST_SECONDS - seconds:.0f} s, better "
            f"{GOOD_SECONDS - seconds:.0f} s."
        )


def _check_rest(
    clips: Sequence[SpeechClip], fold_of: Mapping[str, int], left_out: set[str]
) -> None:
    """Whether every fold has clips of others to train on without those that are off."""
    folds = {fold_of[clip.source] for clip in clips if clip.clip_id not in left_out}
    if len(folds) < 2:
        raise InputUnreadable(
            f"Expected clips whose own sound is told from wrong sound, found "
            f"{len(clips) - len(left_out)} of {len(clips)}: their sound may lie off by one and the "
            "same offset, or be another's; look at a few, or add videos whose sound is right."
        )


def _scores(
    clips: Sequence[SpeechClip], fold_of: Mapping[str, int], networks: Sequence[LipsNetwork]
) -> dict[str, LipsScore]:
    """Each clip by the network that never saw its source, in the clips' order."""
    scores: dict[str, LipsScore] = {}
    for fold, network in enumerate(networks):
        embeddings = {clip.clip_id: network.embed(clip.windows) for clip in clips}
        for clip in clips:
            if fold_of[clip.source] == fold:
                strangers = [c.clip_id for c in clips if c.source != clip.source]
                step = max(1, len(strangers) // OTHERS)
                sounds = [embeddings[name][1] for name in strangers[::step][:OTHERS]]
                lips, own = embeddings[clip.clip_id]
                null = _null(lips, own, sounds)
                match = lips_match(lips, own)
                scores[clip.clip_id] = LipsScore(clip.clip_id, fold, match, null)
    return {clip.clip_id: scores[clip.clip_id] for clip in clips}


def _null(
    lips_TD: Embeddings, sounds_TD: Embeddings, strange_sounds: Sequence[Embeddings]
) -> tuple[float, ...]:
    """Margins with wrong sound: own sound turned, other sources' sounds."""
    frames = len(sounds_TD)
    turns = min(TURNS, (frames - 2 * LEAST_TURN) // LEAST_STEP)
    places = np.linspace(LEAST_TURN, frames - LEAST_TURN, max(turns, 0)).astype(int)
    wrong = [np.roll(sounds_TD, turn, axis=0) for turn in places]
    # Repeated to the clip's length: a mean over fewer frames varies more.
    wrong += [np.resize(sound, sounds_TD.shape) for sound in strange_sounds]
    matches = [lips_match(lips_TD, sound) for sound in wrong]
    return tuple(match.margin for match in matches if match is not None)


def _off(scores: Mapping[str, LipsScore], false_accepts: float) -> set[str]:
    """Clips not above chance, or off by more than ``MOST_OFF`` from the set's own offset."""
    null = np.concatenate([null_heights(score.null_margins) for score in scores.values()])
    bound = float(np.quantile(null, 1 - false_accepts)) if len(null) else -np.inf
    matches = {
        name: (score.match.offset, height)
        for name, score in scores.items()
        if score.match is not None and (height := score.height) is not None
    }
    usual = float(np.median([o for o, height in matches.values() if height > bound] or [0]))
    return {
        name
        for name, (offset, height) in matches.items()
        if height <= bound or abs(offset - usual) > MOST_OFF
    }


def _threshold(
    language: str,
    clips: Sequence[SpeechClip],
    scores: Mapping[str, LipsScore],
    false_accepts: float,
) -> LipsThreshold:
    seconds = sum(map(_frames, clips)) / RATE
    own = np.array([h for c in clips if (h := scores[c.clip_id].height) is not None])
    null = np.array([h for c in clips for h in null_heights(scores[c.clip_id].null_margins)])
    if len(own) < LEAST_CLIPS or len(null) < LEAST_ACCEPTS / false_accepts:
        reason = f"cannot be judged: {counted(len(own), 'clip')}, {LEAST_CLIPS} are needed"
        if len(own) >= LEAST_CLIPS:
            reason = f"cannot be judged: {len(null)} wrong sounds are too few for this threshold"
        if seconds < LEAST_SECONDS:
            reason += f" and {(LEAST_SECONDS - seconds) / 60:.1f} more minutes"
        return LipsThreshold(language, len(clips), round(seconds, 1), reason=reason)
    bound = float(np.quantile(null, 1 - false_accepts))
    above = int((null > bound).sum())
    ranks = (own[:, None] > null[None]).mean() + 0.5 * (own[:, None] == null[None]).mean()
    return LipsThreshold(
        language,
        len(clips),
        round(seconds, 1),
        auc=float(ranks),
        threshold=bound,
        false_accepts=exact_interval(above, len(null)),
        true_accepts=float((own > bound).mean()),
    )
