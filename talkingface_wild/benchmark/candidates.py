"""What is scored on a clip: a method's video, or a baseline that is made from the clip."""

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path

from talkingface_wild.benchmark.clips import BenchClip
from talkingface_wild.core.fingerprint import digest
from talkingface_wild.engine.stage import Item

BASELINES: dict[str, str] = {
    "groundtruth": "the real video against itself",
    "halves": "one half of the identities' real video against the other: the Fréchet floor",
    "static": "the reference picture, still",
    "shifted": "the real video, its sound moved by over two seconds: the sync floor",
    "crf28": "the real video through x264 at CRF 28: the codec floor",
}
"""The rows that every table has, unranked; a difference smaller than a floor means nothing."""

SHIFT_SECONDS = 2.4
"""How far the sound of ``shifted`` is turned, past the ±0.6 s that SyncNet looks at; half of the
clip where that is less."""


@dataclass(frozen=True)
class Candidate:
    """How the generated side of a clip comes about: a baseline's name, or a ``file``."""

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


@dataclass(frozen=True)
class ClipCandidate:
    """One clip with one candidate: an item of the engine."""

    clip: BenchClip
    candidate: Candidate

    def item(self) -> Item:
        """Known by all that decides its result; files by size and time, the store hashes bytes."""
        clip = self.clip
        payload = {
            "clip": asdict(clip),
            "candidate": asdict(self.candidate),
            "stamps": file_stamps(clip),
        }
        return Item(f"b{digest(payload, 20)}", "clip", clip.language, payload)


def file_candidate(path: str, seed: int = 0, reframed: bool = False) -> Candidate:
    """A finished video, known by its size and time of change as well."""
    return Candidate("file", path, seed, stamp(path), reframed)


def stamp(path: str) -> str:
    """Size and time of change of a file, empty where there is none."""
    if not path or not Path(path).is_file():
        return ""
    stat = Path(path).stat()
    return f"{stat.st_size}-{stat.st_mtime_ns}"


def file_stamps(clip: BenchClip) -> list[str]:
    """The stamps of a clip's own files."""
    return [stamp(path) for path in (clip.reference, clip.sound, clip.portrait)]


def halves_of(groups: Iterable[str]) -> dict[str, int]:
    """Which half of the identities, 0 or 1, a group falls in, by the order of their hashes."""
    ordered = sorted(set(groups), key=digest)
    return {name: int(place >= (len(ordered) + 1) // 2) for place, name in enumerate(ordered)}
