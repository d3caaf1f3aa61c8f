"""What is scored on a clip: a method's video, or a floor that is made from the clip."""

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from talkingface_wild.benchmark.clips import BenchClip
from talkingface_wild.core.fingerprint import digest

BASELINES: dict[str, str] = {
    "groundtruth": "the real video against itself",
    "halves": "one half of the identities' real video against the other: the Fréchet floor",
    "static": "the reference picture, still",
    "shifted": "the real video, its sound moved by over two seconds: the sync floor",
    "crf28": "the real video through x264 at CRF 28: the codec floor",
}
"""The rows that every table has, unranked; what is smaller than a floor is no result."""

SHIFT_SECONDS = 2.4
"""How far the sound of ``shifted`` is turned, past the ±0.6 s that SyncNet looks at; half of the
clip where that is less."""


@dataclass(frozen=True)
class Candidate:
    """How the generated side of a clip comes about: a floor's name, or a ``file``."""

    kind: str
    path: str = ""
    seed: int = 0
    stamp: str = ""
    """Size and time of change of the file: another video under the same name is another item."""
    reframed: bool = False
    """The method is known to crop the face: it cannot be held against the real frame."""

    @property
    def recoded(self) -> bool:
        """Whether a protocol's re-encoding applies: real and still frames are never re-encoded."""
        return self.kind not in ("groundtruth", "static", "halves", "shifted")

    def to_json(self) -> dict[str, Any]:
        """Plain data."""
        return asdict(self)


def candidate_from_json(data: Mapping[str, Any]) -> Candidate:
    """The candidate that ``to_json`` wrote."""
    return Candidate(**data)


def file_candidate(path: str, seed: int = 0, reframed: bool = False) -> Candidate:
    """A finished video, known by its size and time of change as well."""
    return Candidate("file", path, seed, stamp(path), reframed)


def stamp(path: str) -> str:
    """Size and time of change of a file, empty where there is none."""
    if not path or not Path(path).is_file():
        return ""
    stat = Path(path).stat()
    return f"{stat.st_size}-{stat.st_mtime_ns}"


def halves_of(groups: Iterable[str]) -> dict[str, int]:
    """Which half of the identities, 0 or 1, a group falls in, by the order of their hashes."""
    ordered = sorted(set(groups), key=digest)
    return {name: int(place >= (len(ordered) + 1) // 2) for place, name in enumerate(ordered)}


def candidate_for(clip: BenchClip, model: str, seed: int = 0) -> Candidate:
    """The candidate of a floor, or of a pair's own generated video."""
    return (
        Candidate(model, seed=seed) if model in BASELINES else file_candidate(clip.generated, seed)
    )
