"""A method's videos of a list: found where an adapter says they lie, or made now and kept.

A generator or a command gets the reference picture and the driving sound, and nothing else.
"""

import contextlib
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from talkingface_wild.benchmark.candidates import Candidate, stamp
from talkingface_wild.benchmark.clip_pair import ClipPair
from talkingface_wild.benchmark.clips import BenchClip
from talkingface_wild.benchmark.decoded_video import SOUND_RATE
from talkingface_wild.benchmark.external.adapter import Adapter
from talkingface_wild.benchmark.external.program import Inputs, run_adapter
from talkingface_wild.benchmark.feature_store import FeatureStore
from talkingface_wild.benchmark.protocol import Protocol
from talkingface_wild.core.arrays import Pictures, Samples
from talkingface_wild.core.errors import CheckFailed, TfwError
from talkingface_wild.core.fingerprint import digest
from talkingface_wild.core.generator import Drive, Generator
from talkingface_wild.core.outcome import ItemFailed, ItemRejected
from talkingface_wild.core.paths import NO_ROOM, atomic_path, disk_full
from talkingface_wild.core.provenance import provenance_of
from talkingface_wild.media.generated_video import write_generated
from talkingface_wild.media.sound import write_wav

Told = Callable[[str], None]


@dataclass(frozen=True)
class Making:
    """How far a generator is with the videos of a run."""

    made: int
    """Videos made by this call, or failed."""
    missing: int
    """Videos that were missing when it began."""
    share: float
    """How much of the next one is made, 0 to 1."""
    seconds: float

    @property
    def seconds_left(self) -> float | None:
        """An estimate that takes videos for equally long; None before there is a frame."""
        done = self.made + self.share
        return self.seconds / done * (self.missing - done) if done else None


class _Watched:
    """Tells how many videos and frames are made as they are made."""

    def __init__(self, missing: int, watch: Callable[[Making], None] | None) -> None:
        self._missing, self._watch = missing, watch
        self._made, self._started = 0, time.monotonic()
        if missing:
            self._tell(0.0)

    def next(self) -> None:
        """A video is made, or failed."""
        self._made += 1
        self._tell(0.0)

    def through(self, chunks: Iterable[Pictures], count: int) -> Iterator[Pictures]:
        """The chunks of a video of ``count`` frames, counted as they pass."""
        frames = 0
        for chunk in chunks:
            frames += len(chunk)
            self._tell(min(frames / count, 1.0))
            yield chunk

    def _tell(self, share: float) -> None:
        if self._watch is not None:
            seconds = time.monotonic() - self._started
            self._watch(Making(self._made, self._missing, share, seconds))


@dataclass(frozen=True)
class Given:
    """What a method gets of a clip: the picture (S, S, 3), the sound at 16 kHz, how many frames."""

    portrait_HWC: Pictures
    sound: Samples
    frames: int


def method_inputs(clip: BenchClip, protocol: Protocol, features: Path, scratch: Path) -> Given:
    """The reference picture and driving sound of a clip. Raises ItemRejected, ItemFailed."""
    with ClipPair(clip, Candidate("static"), protocol, FeatureStore(features), scratch) as opened:
        side = opened.still()
        view = opened.view(side)
        if view.sound is None:
            raise ItemRejected("no_audio", "there is no sound to drive a method with")
        return Given(np.array(view.frames_NHWC[0]), view.sound, side.frames)


def generated_outputs(
    generator: Generator,
    options: Mapping[str, Any],
    clips: Sequence[BenchClip],
    seeds: Sequence[int],
    protocol: Protocol,
    run: Path,
    features: Path,
    tell: Told,
    watch: Callable[[Making], None] | None = None,
) -> Iterator[tuple[BenchClip, int, Path]]:
    """Make each clip's video with each seed under ``run/outputs``, unless it is there already.

    A clip that fails has no file, which is then scored as the protocol says, and it is told. The
    caller holds the run's folder: what a killed run left half made is removed.
    """
    folder = run / "outputs" / generator.fingerprint(options)
    wanted = [
        (clip, seed, folder / f"{asked}-{seed}.mp4")
        for clip in clips
        for asked in [_asked_name(clip, protocol)]
        for seed in seeds
    ]
    for left in (*folder.glob(".*.tmp.*"), *folder.glob("*.wav")):
        left.unlink(missing_ok=True)
    watched = _Watched(sum(not path.is_file() for _, _, path in wanted), watch)
    for clip, seed, path in wanted:
        if not path.is_file():
            with _told(clip, tell):
                given = method_inputs(clip, protocol, features, run / "work" / "pixels")
                _generate(generator, options, clip, given, seed, path, protocol.fps, watched)
            watched.next()
        yield clip, seed, path


def _asked_name(clip: BenchClip, protocol: Protocol) -> str:
    """A file name that covers all of a clip and a protocol that a generator's video depends on."""
    stamps = [stamp(path) for path in (clip.reference, clip.sound, clip.portrait)]
    shape = [protocol.canvas, protocol.fps, protocol.frames]
    return f"{_file_name(clip)}-{digest([clip.to_json(), stamps, shape], 8)}"


def _generate(
    generator: Generator,
    options: Mapping[str, Any],
    clip: BenchClip,
    given: Given,
    seed: int,
    path: Path,
    fps: int,
    watched: _Watched,
) -> None:
    sound = path.with_suffix(".wav")
    write_wav(sound, given.sound, SOUND_RATE)
    drive = Drive(given.frames, given.sound)
    settings = {**generator.settings(options), "frames": given.frames, "fps": fps}
    inputs = {"clip": {"name": clip.id}}
    provenance = provenance_of(generator, seed, settings, inputs, generator.fingerprint(options))
    try:
        chunks = generator.frames(given.portrait_HWC, drive, options, seed)
        write_generated(path, watched.through(chunks, given.frames), sound, fps, provenance)
    except CheckFailed as error:
        raise ItemFailed("crash", str(error)[:500]) from error
    except (TfwError, ItemFailed, ItemRejected):
        raise
    except Exception as error:
        if isinstance(error, OSError) and error.errno in NO_ROOM:
            raise disk_full(path) from error
        raise ItemFailed("crash", f"{type(error).__name__}: {error}"[:500]) from error
    finally:
        sound.unlink(missing_ok=True)


def adapter_outputs(
    adapter: Adapter,
    clips: Sequence[BenchClip],
    seeds: Sequence[int],
    outputs: Path,
    make: Callable[[BenchClip, int, Path], None] | None,
    tell: Told,
) -> Iterator[tuple[BenchClip, int, Path]]:
    """Where each clip's video lies; ``make`` is called for those that are not there."""
    for clip in clips:
        for seed in seeds:
            path = adapter.output(outputs, clip.id, clip.source, seed)
            if make is not None and not path.is_file():
                with _told(clip, tell):
                    make(clip, seed, path)
            yield clip, seed, path


def maker(
    adapter: Adapter, protocol: Protocol, run: Path, features: Path, checkpoint: Path | None
) -> Callable[[BenchClip, int, Path], None]:
    """What runs an adapter's command for one clip: inputs written, output checked and named."""

    def make(clip: BenchClip, seed: int, path: Path) -> None:
        given = method_inputs(clip, protocol, features, run / "work" / "pixels")
        folder = run / "work" / "inputs" / _file_name(clip)
        portrait, sound = folder / "portrait.png", folder / "audio.wav"
        write_picture(portrait, given.portrait_HWC)
        write_wav(sound, given.sound, SOUND_RATE)
        seconds = given.frames / protocol.fps
        inputs = Inputs(
            clip.id, portrait, sound, seconds, given.frames, clip.source, seed, checkpoint
        )
        run_adapter(adapter, inputs, path, logs=run / "logs")

    return make


def write_picture(path: Path, rgb_HWC: Pictures) -> None:
    """Write a picture as PNG in one step."""
    done, data = cv2.imencode(".png", rgb_HWC[:, :, ::-1])
    if not done:
        raise ItemFailed("crash", f"OpenCV could not encode a picture for {path.name!r}")
    with atomic_path(path) as temporary:
        temporary.write_bytes(data.tobytes())


@contextlib.contextmanager
def _told(clip: BenchClip, tell: Told) -> Iterator[None]:
    """A clip that fails is said and leaves no file; the run goes on."""
    try:
        yield
    except (ItemFailed, ItemRejected) as error:
        outcome = error.outcome
        tell(f"{clip.id}: {outcome.reason} ({outcome.detail}); scored with the static frame.")


def _file_name(clip: BenchClip) -> str:
    """A clip's id as a file name, whatever it holds."""
    plain = "".join(c if c.isalnum() or c in "._-" else "_" for c in clip.id)[:80].lstrip(".-")
    return f"{plain}-{digest(clip.id, 8)}"
