"""Draws one video: chunk by chunk onto the disk, and on from where an earlier run was.

Shapes: T frames, H W pixels (uint8 RGB), S side of a square.
"""

import contextlib
import dataclasses
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from talkingface_wild.core.errors import Interrupted, TfwError, UsageError
from talkingface_wild.core.generator import Drive, Generator, State, continued
from talkingface_wild.core.outcome import ItemFailed, ItemRejected
from talkingface_wild.core.parts import Part, PartsProgress
from talkingface_wild.core.provenance import Provenance
from talkingface_wild.core.reporter import Reporter
from talkingface_wild.jobs.generate.resume import UnfinishedVideo, refuse_other
from talkingface_wild.media.generated_video import finish_generated
from talkingface_wild.media.mapped_sound import StoredSound

Pictures = npt.NDArray[np.uint8]


@dataclass(frozen=True)
class Generation:
    """A video to be drawn. ``settings`` is plain data of all that shapes its frames."""

    generator: Generator
    unfinished: UnfinishedVideo
    portrait: Pictures | None
    """(S, S, 3); not needed where a state is there to go on from."""
    sound: StoredSound
    sound_file: Path
    """Where the sound in the video is taken from."""
    drive: Drive
    options: Mapping[str, Any]
    settings: Mapping[str, Any]
    provenance: Provenance

    def run(self, reporter: Reporter, go_on: str) -> dict[str, Any]:
        """Draw the frames that are missing, then write the file. Gives figures."""
        unfinished, fps, count = self.unfinished, self.unfinished.fps, self.drive.frames
        state, length = self._begun(reporter)
        unfinished.video.cut(length)
        before = 0 if state is None else min(state.position, count)
        settings = {**self.settings, "machine": self.generator.machine}
        progress = PartsProgress(f"{count / fps:.1f} s of video", [Part("frames", count)])
        progress.begin("frames", before)
        with self._kept(reporter, settings, go_on):
            reporter.progress(progress.snapshot)
            if state is None:
                state = self._start()
            while state.position < count:
                frames_THWC, state = self.generator.step(state)
                length = unfinished.video.append(frames_THWC)
                unfinished.offer(state, length, settings)
                self.sound.let_go()
                done = min(state.position, count)
                rate = (done - before) / max(progress.seconds, 1e-9)
                progress.update("frames", done, note=_pace(rate, _retries(state)))
                reporter.progress(progress.snapshot)
            unfinished.save(settings)
            figures = {"frames": count, "fps": fps, "clips_made_again": _retries(state)}
            timing = {
                "frames_before": before,
                "seconds_taken": round(progress.seconds, 2),
                "frames_per_second": round((count - before) / max(progress.seconds, 1e-9), 3),
            }
            provenance = dataclasses.replace(self.provenance, figures=figures)
            finish_generated(unfinished.video, count, self.sound_file, provenance)
        unfinished.forget()
        return {**figures, **timing}

    def _begun(self, reporter: Reporter) -> tuple[State | None, int]:
        """The state to go on from and the pictures' length, or nothing. Raises UsageError."""
        if not self.unfinished.there:
            return None, 0
        state, length, earlier = self.unfinished.load()
        machine, here = earlier.pop("machine", ""), self.generator.machine
        refuse_other(self.settings, earlier, self.unfinished.out)
        if machine != here:
            reporter.warn(
                f"The first {state.position} frames were made on {machine}, the rest will be on "
                f"{here}: they may differ in their last bits from a run in one go."
            )
        done = min(state.position, self.drive.frames)
        reporter.say(f"Going on after {done} of {self.drive.frames} frames.")
        return continued(state, self.drive, self.options), length

    def _start(self) -> State:
        if self.portrait is None:
            raise UsageError("Expected a portrait to begin with, found none; add --fresh.")
        return self.generator.start(self.portrait, self.drive, self.options, self.provenance.seed)

    @contextlib.contextmanager
    def _kept(self, reporter: Reporter, settings: Mapping[str, Any], go_on: str) -> Iterator[None]:
        """Whatever ends the block, the latest state is saved and it is said how to go on."""
        unfinished, count = self.unfinished, self.drive.frames
        try:
            yield
        except BaseException as error:
            with contextlib.suppress(OSError, TfwError):
                unfinished.save(settings)
            done = unfinished.load()[0].position if unfinished.there else 0
            frames = f"{min(done, count)} of {count} frames are kept beside {unfinished.out}"
            advice = f"{frames}; go on with: {go_on}"
            if isinstance(error, KeyboardInterrupt):
                raise Interrupted(f"Interrupted; {advice}") from error
            if isinstance(error, ItemFailed | ItemRejected):
                detail = error.outcome.detail
                raise TfwError(
                    f"Expected ffmpeg to write pictures, found: {detail}. {advice}"
                ) from error
            reporter.say(advice)
            raise


def _retries(state: State) -> int:
    return int(state.scalars.get("retries", 0))


def _pace(rate: float, retries: int) -> str:
    again = f", {retries} clip{'s'[: retries != 1]} made again" if retries else ""
    return f"{rate:.1f} frames/s{again}"
