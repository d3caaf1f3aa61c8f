"""A method's videos of a list: those that lie where an adapter says, or drawn now and kept.

A generator or a command gets the reference picture and the driving sound, and nothing else.
"""

import contextlib
import functools
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from talkingface_wild.benchmark.candidates import Candidate, file_stamps
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

Tell = Callable[[str], None]


@dataclass(frozen=True)
class DrawingState:
    """How far a generator is with the videos of a run."""

    finished: int
    """Videos drawn by this call, or failed."""
    missing: int
    """Videos that were missing when it began."""
    share: float = 0.0
    """How much of the next one is drawn, 0 to 1."""


Watch = Callable[[DrawingState], None]


@dataclass(frozen=True)
class MethodInputs:
    """What a method gets of a clip: the picture (S, S, 3), the sound at 16 kHz, how many frames."""

    portrait_HWC: Pictures
    sound: Samples
    frames: int


@dataclass(frozen=True)
class ClipInputs:
    """What methods get of the clips of a run, whose folder is ``run``."""

    protocol: Protocol
    run: Path
    features: Path

    def of(self, clip: BenchClip) -> MethodInputs:
        """The reference picture and driving sound. Raises ItemRejected, ItemFailed."""
        scratch, store = self.run / "work" / "pixels", FeatureStore(self.features)
        with ClipPair(clip, Candidate("static"), self.protocol, store, scratch) as pair:
            side = pair.still()
            video = pair.video(side)
            if video.sound is None:
                raise ItemRejected("no_audio", "there is no sound to drive a method with")
            return MethodInputs(np.array(video.frames_NHWC[0]), video.sound, side.frames)


def generated_outputs(
    generator: Generator,
    options: Mapping[str, Any],
    clips: Sequence[BenchClip],
    seeds: Sequence[int],
    inputs: ClipInputs,
    tell: Tell,
    watch: Watch | None = None,
) -> Iterator[tuple[BenchClip, int, Path]]:
    """Draw each clip's video with each seed under ``run/outputs``, unless it is there already.

    A clip that fails has no file, which is then scored as the protocol says, and ``tell`` says so.
    The caller holds the run's folder: what a killed run left half written is removed.
    """
    folder = inputs.run / "outputs" / generator.fingerprint(options)
    videos = [
        (clip, seed, folder / f"{name}-{seed}.mp4")
        for clip in clips
        for name in [_video_name(clip, inputs.protocol)]
        for seed in seeds
    ]
    for left in (*folder.glob(".*.tmp.*"), *folder.glob("*.wav")):
        left.unlink(missing_ok=True)
    watch = watch or (lambda state: None)
    state = DrawingState(0, sum(not path.is_file() for _, _, path in videos))
    if state.missing:
        watch(state)
    for clip, seed, path in videos:
        if not path.is_file():
            with _failures_told(clip, tell):
                chunks = functools.partial(_watched, state=state, watch=watch)
                _generate(generator, options, clip, inputs, seed, path, chunks)
            state = replace(state, finished=state.finished + 1)
            watch(state)
        yield clip, seed, path


def _watched(
    chunks: Iterable[Pictures], count: int, state: DrawingState, watch: Watch
) -> Iterator[Pictures]:
    """The chunks of a video of ``count`` frames, counted as they pass."""
    frames = 0
    for chunk in chunks:
        frames += len(chunk)
        watch(replace(state, share=min(frames / count, 1.0)))
        yield chunk


def _video_name(clip: BenchClip, protocol: Protocol) -> str:
    """A file name that covers all of a clip and a protocol that a generator's video depends on."""
    shape = [protocol.canvas, protocol.fps, protocol.frames]
    return f"{_file_name(clip)}-{digest([asdict(clip), file_stamps(clip), shape], 8)}"


def _generate(
    generator: Generator,
    options: Mapping[str, Any],
    clip: BenchClip,
    clip_inputs: ClipInputs,
    seed: int,
    path: Path,
    watched: Callable[[Iterable[Pictures], int], Iterator[Pictures]],
) -> None:
    inputs, fps = clip_inputs.of(clip), clip_inputs.protocol.fps
    sound = path.with_suffix(".wav")
    write_wav(sound, inputs.sound, SOUND_RATE)
    settings = {**generator.settings(options), "frames": inputs.frames, "fps": fps}
    names = {"clip": {"name": clip.id}}
    provenance = provenance_of(generator, seed, settings, names, generator.fingerprint(options))
    try:
        drive = Drive(inputs.frames, inputs.sound)
        chunks = generator.frames(inputs.portrait_HWC, drive, options, seed)
        write_generated(path, watched(chunks, inputs.frames), sound, fps, provenance)
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
    tell: Tell,
) -> Iterator[tuple[BenchClip, int, Path]]:
    """Where each clip's video lies; ``make`` is called for those that are not there."""
    for clip in clips:
        for seed in seeds:
            path = adapter.output(outputs, clip.id, clip.source, seed)
            if make is not None and not path.is_file():
                with _failures_told(clip, tell):
                    make(clip, seed, path)
            yield clip, seed, path


def run_command(
    adapter: Adapter,
    clip_inputs: ClipInputs,
    checkpoint: Path | None,
    clip: BenchClip,
    seed: int,
    path: Path,
) -> None:
    """Run an adapter's command for one clip: inputs written, output checked and named."""
    inputs, run = clip_inputs.of(clip), clip_inputs.run
    folder = run / "work" / "inputs" / _file_name(clip)
    portrait, sound = folder / "portrait.png", folder / "audio.wav"
    write_picture(portrait, inputs.portrait_HWC)
    write_wav(sound, inputs.sound, SOUND_RATE)
    seconds = inputs.frames / clip_inputs.protocol.fps
    files = Inputs(clip.id, portrait, sound, seconds, inputs.frames, clip.source, seed, checkpoint)
    run_adapter(adapter, files, path, logs=run / "logs")


def write_picture(path: Path, rgb_HWC: Pictures) -> None:
    """Write a picture as PNG in one step."""
    encoded, data = cv2.imencode(".png", rgb_HWC[:, :, ::-1])
    if not encoded:
        raise ItemFailed("crash", f"OpenCV could not encode a picture for {path.name!r}")
    with atomic_path(path) as temporary:
        temporary.write_bytes(data.tobytes())


@contextlib.contextmanager
def _failures_told(clip: BenchClip, tell: Tell) -> Iterator[None]:
    """A clip that fails is told and leaves no file; the run goes on."""
    try:
        yield
    except (ItemFailed, ItemRejected) as error:
        outcome = error.outcome
        tell(f"{clip.id}: {outcome.reason} ({outcome.detail}); scored with the static frame.")


def _file_name(clip: BenchClip) -> str:
    """A clip's id as a file name, whatever it holds."""
    plain = "".join(c if c.isalnum() or c in "._-" else "_" for c in clip.id)[:80].lstrip(".-")
    return f"{plain}-{digest(clip.id, 8)}"
