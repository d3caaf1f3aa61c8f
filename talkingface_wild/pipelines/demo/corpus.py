"""Makes the demo corpus: small videos with known verdicts, and the list that names them.

Drawn and spoken here, on one core and without a network; the same bytes on every run.
"""

import csv
import io
import json
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import skimage.data

from talkingface_wild.core.language_names import DEFAULT
from talkingface_wild.core.paths import atomic_path, write_bytes, write_text
from talkingface_wild.core.reporter import ProgressRow, Snapshot
from talkingface_wild.pipelines.demo import face, music, photograph, recording, voice
from talkingface_wild.pipelines.demo.styles import neighbour
from talkingface_wild.pipelines.demo.takes import (
    CUT_SHOTS_SECONDS,
    DELAY_FRAMES,
    NOTES,
    Take,
    takes,
)
from talkingface_wild.pipelines.demo.vocal_tract import RATE, Signal

VERSION = 2
"""Rises whenever a video would come out differently; a corpus of another version is made again."""
LIST = "corpus.csv"
MARKER = "corpus.json"
SMILES_PER_SECOND = 0.7
"""How often a face that does not speak parts its lips."""
COLUMNS = ("path", "language", "expected", "needs_network", "note", "licence")


def make(
    folder: Path,
    languages: tuple[str, ...] = DEFAULT,
    report: Callable[[Snapshot], None] | None = None,
) -> Path:
    """The list of the corpus in ``folder``, made first where it is missing or of another version.

    The list is a CSV with a row per video: path (relative to the list), language, expected
    (``kept`` or the reason why not), needs_network (``yes`` where a network alone can say so), note
    and licence. Files appear under their names only when
    complete and the marker comes last: an interrupted call is simply repeated. Some 8 MB.
    ``report`` is told how far it is.
    """
    planned = takes(languages)
    marker = folder / MARKER
    if is_there(folder, languages):
        return folder / LIST
    marker.unlink(missing_ok=True)
    began = time.monotonic()
    for count, take in enumerate(planned):
        _tell(report, count, len(planned), time.monotonic() - began)
        _write(take, folder / take.path)
    _tell(report, len(planned), len(planned), time.monotonic() - began)
    write_text(folder / LIST, _table(planned))
    sizes = {take.path: (folder / take.path).stat().st_size for take in planned}
    state = {"version": VERSION, "languages": list(languages), "bytes": sizes}
    write_text(marker, json.dumps(state, indent=1) + "\n")
    return folder / LIST


def _tell(
    report: Callable[[Snapshot], None] | None, count: int, total: int, seconds: float
) -> None:
    """How far the corpus is; takes are of like length, so their pace tells the rest."""
    if report is not None:
        left = seconds / count * (total - count) if count else None
        rows = (ProgressRow("demo corpus", count, total),)
        report(Snapshot("making the demo corpus, once", rows, seconds, left))


def is_there(folder: Path, languages: tuple[str, ...]) -> bool:
    """Whether the marker is of this version and languages, and all its files are there in full."""
    try:
        state: dict[str, Any] = json.loads((folder / MARKER).read_text(encoding="utf-8"))
        sizes: dict[str, int] = state["bytes"]
        current = (VERSION, list(languages))
        if (state["version"], state["languages"]) != current or not (folder / LIST).is_file():
            return False
        return all((folder / path).stat().st_size == size for path, size in sizes.items())
    except (OSError, ValueError, KeyError):
        return False


def _table(planned: list[Take]) -> str:
    """The list as CSV text."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(COLUMNS)
    for take in planned:
        network = "yes" if take.needs_network else "no"
        note, licence = NOTES[take.kind], _licence(take)
        writer.writerow((take.path, take.language, take.expected, network, note, licence))
    return text.getvalue()


def _licence(take: Take) -> str:
    """What the photograph in it may be used for; motion and voice are made here."""
    if take.kind != "no_face":
        return photograph.LICENCE
    return "CC0 or public domain (photograph shipped by scikit-image)"


def _write(take: Take, path: Path) -> None:
    """Draw, speak and encode one take."""
    samples, opening = _sound_and_mouth(take)
    with atomic_path(path) as temporary:
        recording.record(temporary, _frames(take, opening), samples, RATE)
        whole = temporary.read_bytes() if take.kind == "truncated" else b""
    if take.kind == "truncated":
        write_bytes(path, whole[: len(whole) * 6 // 10])


def _sound_and_mouth(take: Take) -> tuple[npt.NDArray[np.int16] | None, Signal]:
    """What is heard, and how far the mouth is open in each picture."""
    spoken = voice.speak(take.seconds, take.manner, take.seed)
    samples, opening = spoken.samples, spoken.opening
    if take.kind == "no_audio":
        return None, opening
    if take.kind == "voice_over":
        return samples, _smile(len(opening))
    if take.kind == "music":
        return music.play(take.seconds, take.seed), opening
    if take.kind == "out_of_sync":
        delay = DELAY_FRAMES * RATE // recording.FRAMES_PER_SECOND
        return np.concatenate([np.zeros(delay, dtype=np.int16), samples[:-delay]]), opening
    return samples, opening


def _smile(count: int) -> Signal:
    """Lips that part a little every 1.4 s, whatever is said."""
    turns = SMILES_PER_SECOND * np.arange(count) / recording.FRAMES_PER_SECOND
    return 0.15 * (1 + np.sin(2 * np.pi * turns))


def _frames(take: Take, opening_T: Signal) -> Iterator[photograph.Picture]:
    """The pictures of one take."""
    if take.kind == "cuts":
        yield from _shots(take, opening_T)
    elif take.kind == "two_faces":
        left = replace(take.look, view_width=170.0)
        person = neighbour(take.language)
        right = replace(take.look, view_width=176.0, flip=not take.look.flip, person=person)
        silent = np.zeros_like(opening_T)
        yield from face.side_by_side(
            face.frames(left, opening_T, 216, 280, take.seed),
            face.frames(right, silent, 216, 280, take.seed + 7),
        )
    elif take.kind == "no_face":
        pick = skimage.data.coffee if take.language == "de" else skimage.data.rocket
        yield from face.pan(pick(), len(opening_T), 360, 320)
    else:
        side = 288 if take.kind == "long" else (320, 336, 352, 368)[take.seed % 4]
        yield from face.frames(take.look, opening_T, side, side, take.seed)


def _shots(take: Take, opening_T: Signal) -> Iterator[photograph.Picture]:
    """Three shots in one picture size, as if three cameras had filmed."""
    look = take.look
    others = (
        look,
        replace(look, view_width=300.0, flip=not look.flip, shift=18.0, backdrop=(0.4, 0.45, 0.5)),
        replace(look, view_width=186.0, flip=not look.flip, backdrop=(1.1, 0.8, 0.55)),
    )
    ends = np.round(np.cumsum(CUT_SHOTS_SECONDS) * recording.FRAMES_PER_SECOND).astype(int)
    for number, (shot, opening) in enumerate(
        zip(others, np.split(opening_T, ends[:-1]), strict=True)
    ):
        yield from face.frames(shot, opening, 360, 360, take.seed + number)
