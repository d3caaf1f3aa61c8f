"""Which clips of a table are copies of earlier ones, without comparing every pair.

Clips that share words of their sound fingerprint at one shift are compared; no others.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from talkingface_wild.functional.fingerprints import Fingerprint, alike, sound_words

LOOKED_UP = 256
"""About so many words of a clip are looked up: all of a short one's, and of a long one's those with
the smallest hashes, so that copies choose the same words. A word held for a while counts once."""
FIRST_MEMBERS = 4
"""Of the clips that share a word, each is paired with so many of the first and with the one before
it: a word that every second clip has (a jingle) costs no more than that."""
SHIFT_WORDS = 4
"""Shifts within so many words (0.13 s) count as one."""
SHIFTS = 1 << 16
"""Room for the shift in a vote: clips of up to an hour."""
LEAST_VOTES = 2
"""So many shared words at one shift make two clips worth comparing."""

Numbers = npt.NDArray[np.int64]


@dataclass(frozen=True)
class ClipPrint:
    """One clip: its id, its place in time (the earlier upload has the smaller), its fingerprint."""

    id: str
    order: int | float | str
    fingerprint: Fingerprint


def duplicates(rows: Sequence[ClipPrint]) -> dict[str, str]:
    """For each clip that is a copy, the id of the earliest clip that it is a copy of.

    Clips are taken by ``order``, then ``id``, so the answer does not depend on how ``rows`` are
    arranged; languages play no part. What is itself a copy is never named as an original. Time
    grows with the number of clips and of true pairs, not with the square of the clips.
    """
    ordered = sorted(rows, key=lambda row: (row.order, row.id))
    copies: dict[str, str] = {}
    for later, earlier, shift in _candidates(ordered):
        one, other = ordered[earlier], ordered[later]
        if other.id in copies or one.id in copies:
            continue
        if alike(one.fingerprint, other.fingerprint, near=shift):
            copies[other.id] = one.id
    return copies


def _candidates(ordered: Sequence[ClipPrint]) -> list[tuple[int, int, int]]:
    """(later, earlier, shift in words) of clips that share enough words at one shift, in order."""
    words, clips, positions = _sampled_words(ordered)
    order = np.argsort(words, kind="stable")
    words, clips, positions = words[order], clips[order], positions[order]
    here = np.arange(len(words))
    opens = np.concatenate([[True], words[1:] != words[:-1]]) if len(words) else np.zeros(0, bool)
    first = np.maximum.accumulate(np.where(opens, here, 0)) if len(words) else here
    partners = (*(first + step for step in range(FIRST_MEMBERS)), here - 1)
    votes = [_votes(clips, positions, first, partner, len(ordered)) for partner in partners]
    keys, counts = np.unique(np.concatenate(votes), return_counts=True)
    pairs, steps = np.divmod(keys[counts >= LEAST_VOTES], SHIFTS)
    later, earlier = np.divmod(pairs, max(len(ordered), 1))
    shifts = (steps - SHIFTS // 2) * SHIFT_WORDS + SHIFT_WORDS // 2
    return list(zip(later.tolist(), earlier.tolist(), shifts.tolist(), strict=True))


def _votes(
    clips: Numbers, positions: Numbers, first: Numbers, partner: Numbers, total: int
) -> Numbers:
    """One number per shared word: of its later clip, its earlier clip and their shift."""
    here = np.arange(len(clips))
    mine = np.flatnonzero((partner >= first) & (partner < here))
    theirs = partner[mine]
    apart = clips[mine] != clips[theirs]
    mine, theirs = mine[apart], theirs[apart]
    shift = np.floor_divide(positions[theirs] - positions[mine], SHIFT_WORDS) + SHIFTS // 2
    votes: Numbers = (clips[mine] * total + clips[theirs]) * SHIFTS + np.clip(shift, 0, SHIFTS - 1)
    return votes


def _sampled_words(ordered: Sequence[ClipPrint]) -> tuple[npt.NDArray[np.uint32], Numbers, Numbers]:
    """The words that are looked up, with the clip and the position of each, clip after clip."""
    words, clips, positions = [], [], []
    for place, row in enumerate(ordered):
        all_words = sound_words(row.fingerprint.sound)
        share = min(1.0, LOOKED_UP / max(len(all_words), 1))
        hashes = all_words * np.uint32(2654435761)
        fresh = np.diff(all_words, prepend=np.uint32(0)) != 0
        picks = np.flatnonzero((all_words != 0) & fresh & (hashes <= share * 0xFFFFFFFF))
        words.append(all_words[picks])
        positions.append(picks)
        clips.append(np.full(len(picks), place, dtype=np.int64))
    if not words:
        empty = np.zeros(0, dtype=np.int64)
        return empty.astype(np.uint32), empty, empty
    return np.concatenate(words), np.concatenate(clips), np.concatenate(positions)
