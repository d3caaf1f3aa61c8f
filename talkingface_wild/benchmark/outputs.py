"""A method's videos of a list: found where an adapter says they lie, or made now and kept.

A generator or a command gets the reference picture and the driving sound, and nothing else.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from talkingface_wild.benchmark.candidates import Candidate, stamp
from talkingface_wild.benchmark.clips import BenchClip
from talkingface_wild.benchmark.external.adapter import Adapter
from talkingface_wild.benchmark.external.program import Inputs, run_adapter
from talkingface_wild.benchmark.opening import Opened
from talkingface_wild.benchmark.protocol import Protocol
from talkingface_wild.benchmark.store import FeatureStore
from talkingface_wild.benchmark.view import SOUND_RATE, Pictures, Samples
from talkingface_wild.core.errors import TfwError
from talkingface_wild.core.fingerprint import digest
from talkingface_wild.core.generator import Generator
from talkingface_wild.core.outcome import ItemFailed, ItemRejected
from talkingface_wild.core.paths import NO_ROOM, atomic_path, disk_full
from talkingface_wild.media.sound import write_wav
from talkingface_wild.media.write import write_video

Told = Callable[[str], None]


@dataclass(frozen=True)
class Given:
    """What a method gets of a clip: the picture (S, S, 3), the sound at 16 kHz, how many frames."""

    portrait_HWC: Pictures
    sound: Samples
    frames: int


def given_of(clip: BenchClip, protocol: Protocol, features: Path, scratch: Path) -> Given:
    """The reference picture and driving sound of a clip. Raises ItemRejected, ItemFailed."""
    with Opened(clip, Candidate("static"), protocol, FeatureStore(features), scratch) as opened:
        side = opened.still()
        view = opened.view(side)
        if view.sound is None:
            raise ItemRejected("no_audio", "there is no sound to drive a method with")
        return Given(np.array(view.frames_NHWC[0]), view.sound, side.frames)


def generated_outputs(
    generator: Generator,
    clips: Sequence[BenchClip],
    seeds: Sequence[int],
    protocol: Protocol,
    run: Path,
    features: Path,
    tell: Told,
) -> Iterator[tuple[BenchClip, int, Path]]:
    """Make each clip's video with each seed under ``run/outputs``, unless it is there already.

    A clip that fails has no file, which is then scored as the protocol says, and it is told.
    """
    folder = run / "outputs" / generator.fingerprint()
    for clip in clips:
        stamps = [stamp(path) for path in (clip.reference, clip.sound, clip.portrait)]
        shape = [protocol.canvas, protocol.fps, protocol.frames]
        asked = digest([clip.to_json(), stamps, shape], 8)
        for seed in seeds:
            path = folder / f"{_file_name(clip)}-{asked}-{seed}.mp4"
            if not path.is_file():
                with _told(clip, tell):
                    given = given_of(clip, protocol, features, run / "work" / "pixels")
                    _generate(generator, given, seed, path, protocol.fps)
            yield clip, seed, path


def _generate(generator: Generator, given: Given, seed: int, path: Path, fps: int) -> None:
    sound = path.with_suffix(".wav")
    write_wav(sound, given.sound, SOUND_RATE)
    try:
        chunks = generator.frames(given.portrait_HWC, given.sound, given.frames, seed)
        write_video(path, chunks, sound, fps)
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
        given = given_of(clip, protocol, features, run / "work" / "pixels")
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
