"""A blind study: one page of shuffled videos that needs no network, beside the key it lacks."""

import random
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from talkingface_wild.benchmark.runs import BenchRun
from talkingface_wild.benchmark.study.key import QUESTIONS, Case, Key, write_key
from talkingface_wild.core.errors import UsageError
from talkingface_wild.core.fingerprint import digest
from talkingface_wild.core.paths import atomic_path, write_text
from talkingface_wild.media.ffmpeg import file_argument, run_ffmpeg
from talkingface_wild.media.sound import write_wav
from talkingface_wild.pages.run_videos import (
    FPS,
    SOUND_RATE,
    MethodVideo,
    Runs,
    ShownClip,
    canvas_frames,
    driving_sound,
)
from talkingface_wild.pages.templating import render

RANKS = 3
"""So many videos are ranked for each question (the paper's Fig. 4), fewer where there are fewer."""
CANVAS = 512
SECONDS = 10.0
_MOST_METHODS = 26
_TIMEOUT_SECONDS = 900.0
_H264 = ["-c:v", "libx264", "-crf", "16", "-pix_fmt", "yuv420p", "-flags:v", "+bitexact"]
_CLEAN = ["-fflags", "+bitexact", "-map_metadata", "-1", "-bsf:v", "filter_units=remove_types=6"]


@dataclass(frozen=True)
class Study:
    """A study as written."""

    folder: Path
    page: Path
    key: Key
    notes: tuple[str, ...]


def make_study(
    runs: Sequence[BenchRun],
    out: Path,
    cases: int = 10,
    seed: int = 0,
    seconds: float = SECONDS,
    progress: Callable[[int, int], None] | None = None,
) -> Study:
    """Write ``out/page`` (index.html and videos, for raters) and ``out/key.json`` (for you).

    Clips and letters are drawn by the seed, one clip an identity as far as they go. Every video is
    encoded the same way with the same sound and no metadata, so that neither its looks as a file
    nor its name tells the method. Raises UsageError for runs that do not fit and a folder that
    holds a study, and what ``run_videos`` raises.
    """
    if (out / "key.json").exists():
        raise UsageError(
            f"Expected a new folder for the study, found one in {out}, whose answers would lose "
            "their key; give another --out."
        )
    names = _names(runs)
    clips, notes = _draw_clips(Runs(runs), cases, seed)
    key = _draw_key(clips, names, seed)
    page = out / "page"
    for index, (case, clip) in enumerate(zip(key.cases.values(), clips, strict=True), start=1):
        if not _write_videos(page / "videos", case, clip, names, seconds):
            notes.append(f"{clip.clip} has no sound: its second question cannot be judged")
        if progress is not None:
            progress(index, len(clips))
    write_text(page / "index.html", page_text(key))
    write_key(out, key)
    return Study(out, page / "index.html", key, tuple(notes))


def _names(runs: Sequence[BenchRun]) -> tuple[str, ...]:
    names = tuple(run.name for run in runs)
    if not 2 <= len(set(names)) == len(names) <= _MOST_METHODS:
        raise UsageError(
            f"Expected 2 to {_MOST_METHODS} runs with different names, found {', '.join(names)}; "
            "give each method once (`tfw bench --name NAME`)."
        )
    return names


def _draw_clips(runs: Runs, count: int, seed: int) -> tuple[list[ShownClip], list[str]]:
    """Clips by hash, those of identities that are not in yet first; and what to note of them."""
    ranked = sorted(runs.clips, key=lambda clip: digest([seed, clip]))
    if not ranked:
        runs.show()
    shown_clips = [runs.show(clip) for clip in ranked]
    firsts: dict[str, ShownClip] = {}
    for clip in shown_clips:
        firsts.setdefault(clip.group, clip)
    others = [clip for clip in shown_clips if firsts[clip.group] is not clip]
    clips = [*firsts.values(), *others][:count]
    notes = []
    if len(clips) < count:
        notes.append(f"the runs share {len(clips)} clips; the study has so many cases")
    if len({clip.group for clip in clips}) < len(clips):
        notes.append("some identities appear in several cases")
    return clips, notes


def _draw_key(clips: Sequence[ShownClip], names: tuple[str, ...], seed: int) -> Key:
    """Who stands behind each letter of each case."""
    random_letters = random.Random(f"{seed}")
    cases = []
    for index, clip in enumerate(clips):
        order = list(names)
        random_letters.shuffle(order)
        letters = {chr(ord("A") + place): name for place, name in enumerate(order)}
        cases.append(Case(f"case{index + 1:02d}", clip.clip, clip.group, letters))
    identity = digest([seed, [asdict(case) for case in cases]], 12)
    questions = tuple(question.id for question in QUESTIONS)
    ranks = min(RANKS, len(names))
    return Key(identity, ranks, names, questions, {case.id: case for case in cases})


def _write_videos(
    folder: Path, case: Case, clip: ShownClip, names: Sequence[str], seconds: float
) -> bool:
    """``CASE-LETTER.mp4`` of every method; whether there was sound."""
    count = max(1, min(clip.frames, round(seconds * FPS)))
    sound = driving_sound(clip, count / FPS)
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".raw-", dir=folder) as scratch:
        wav = Path(scratch, "sound.wav")
        if sound is not None:
            write_wav(wav, sound, SOUND_RATE)
        for letter, name in case.letters.items():
            video = clip.methods[names.index(name)]
            target = folder / f"{case.id}-{letter}.mp4"
            _encode(video, count, Path(scratch), wav if sound is not None else None, target)
    return sound is not None


def _encode(video: MethodVideo, count: int, scratch: Path, wav: Path | None, target: Path) -> None:
    raw = scratch / "frames.rgb"
    with raw.open("wb") as stream:
        for picture in canvas_frames(video, count, CANVAS):
            stream.write(np.ascontiguousarray(picture).tobytes())
    size = ["-s", f"{CANVAS}x{CANVAS}", "-r", str(FPS)]
    pictures = ["-f", "rawvideo", "-pix_fmt", "rgb24", *size, "-i", file_argument(raw)]
    sound = [] if wav is None else ["-i", file_argument(wav), "-c:a", "aac", "-b:a", "160k"]
    options = [*_H264, "-threads:v", "1", *_CLEAN, "-movflags", "+faststart"]
    with atomic_path(target) as temporary:
        command = [*pictures, *sound, *options, file_argument(temporary)]
        run_ffmpeg(command, writes=target, timeout_seconds=_TIMEOUT_SECONDS)


def page_text(key: Key) -> str:
    """The page: cases, letters, questions; no method's name, no clip's name."""
    data = {
        "study": key.study,
        "ranks": key.ranks,
        "questions": [asdict(question) for question in QUESTIONS],
        "cases": [
            {
                "id": case.id,
                "letters": list(case.letters),
                "videos": [f"videos/{case.id}-{letter}.mp4" for letter in case.letters],
            }
            for case in key.cases.values()
        ],
    }
    return render("study.html", study=data)
