"""Makes one video with a model that is open: clip by clip onto the disk, and on from where it was.

Shapes: T frames, H W pixels (uint8 RGB).
"""

from __future__ import annotations

import contextlib
import dataclasses
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from talkingface_wild.cli.board import Board
from talkingface_wild.cli.half_made import HalfMade, refuse_other
from talkingface_wild.cli.typed_command import typed_command
from talkingface_wild.core.errors import CheckFailed, Interrupted, TfwError
from talkingface_wild.core.outcome import ItemFailed, ItemRejected
from talkingface_wild.core.parts import Part, PartsProgress

if TYPE_CHECKING:
    from talkingface_wild.cli.output import Output
    from talkingface_wild.media.stored_sound import StoredSound
    from talkingface_wild.models.mcdm import MCDMPipeline
    from talkingface_wild.models.mcdm.options import GenerateOptions
    from talkingface_wild.models.mcdm.rollout import MadeClip
    from talkingface_wild.models.mcdm.state import GenerationState
    from talkingface_wild.models.provenance import Provenance

Pictures = npt.NDArray[np.uint8]


@dataclass(frozen=True)
class Generation:
    """A video to be made. ``asked`` is plain data of all that shapes its frames."""

    output: Output
    pipeline: MCDMPipeline
    half_made: HalfMade
    portrait: Pictures | None
    """(S, S, 3); not needed where a state is there to go on from."""
    sound: StoredSound
    sound_file: Path
    """Where the sound in the video is taken from."""
    how: GenerateOptions
    asked: Mapping[str, Any]
    machine: str
    """What else may move the last bits: device and torch's version."""
    provenance: Provenance
    advice: str
    """What takes less memory."""

    def run(self) -> dict[str, Any]:
        """Make the frames that are missing, then the file. Gives figures; raises TfwError.

        Whatever ends it before, the clips that are done are kept, and ``--resume`` goes on.
        """
        half_made, fps = self.half_made, self.half_made.fps
        count = int(self.asked["frames"])
        state, length = self._begun()
        half_made.video.cut(length)
        before = 0 if state is None else min(state.position, count)
        asked = {**self.asked, "machine": self.machine}
        retries = 0 if state is None else state.retries
        progress = PartsProgress(f"{count / fps:.1f} s of video", [Part("frames", count)])
        progress.begin("frames", before)
        with Board(self.output) as board, self._kept(asked, count):
            board.show(progress.snapshot)
            for made in self._clips(state):
                _refuse_broken(made)
                length = half_made.video.append(made.frames_FHWC.cpu().numpy())
                half_made.offer(made.state, length, asked)
                retries = made.state.retries
                self.sound.let_go()
                done = min(made.state.position, count)
                rate = (done - before) / max(progress.seconds, 1e-9)
                progress.update("frames", done, note=_pace(rate, retries))
                board.show(progress.snapshot)
            half_made.save(asked)
            figures = {
                "frames": count,
                "fps": fps,
                "clips_made_again": retries,
            }
            taken = {
                "frames_before": before,
                "seconds_taken": round(progress.seconds, 2),
                "frames_per_second": round((count - before) / max(progress.seconds, 1e-9), 3),
            }
            self._finish(count, figures)
        half_made.forget()
        return {**figures, **taken}

    def _begun(self) -> tuple[GenerationState | None, int]:
        """The state to go on from and the pictures' length, or nothing. Raises UsageError."""
        if not self.half_made.there:
            return None, 0
        state, length, then = self.half_made.load()
        machine = then.pop("machine", "")
        refuse_other(self.asked, then, self.half_made.out)
        if machine != self.machine:
            self.output.warn(
                f"The first {state.position} frames were made on {machine}, the rest will be on "
                f"{self.machine}: they may differ in their last bits from a run in one go."
            )
        done = min(state.position, int(self.asked["frames"]))
        self.output.say(f"Going on after {done} of {self.asked['frames']} frames.")
        return state.to(self.pipeline.parts.device), length

    def _clips(self, state: GenerationState | None) -> Iterator[MadeClip]:
        from talkingface_wild.models.out_of_memory import memory_told

        how: GenerateOptions = self.how if state is None else {**self.how, "state": state}
        clips = self.pipeline.clips(self.portrait, self.sound.samples, **how)
        while True:
            with memory_told(self.pipeline.parts.device, self.advice):
                made = next(clips, None)
            if made is None:
                return
            yield made

    @contextlib.contextmanager
    def _kept(self, asked: Mapping[str, Any], count: int) -> Iterator[None]:
        """Whatever ends the block, the latest state is saved and it is said how to go on."""
        try:
            yield
        except BaseException as error:
            with contextlib.suppress(OSError, TfwError):
                self.half_made.save(asked)
            done = self.half_made.load()[0].position if self.half_made.there else 0
            kept = f"{min(done, count)} of {count} frames are kept beside {self.half_made.out}"
            go_on = f"{kept}; go on with: {typed_command(without=['--fresh'], also=['--resume'])}"
            if isinstance(error, KeyboardInterrupt):
                raise Interrupted(f"Interrupted; {go_on}") from error
            if isinstance(error, ItemFailed | ItemRejected):
                detail = error.outcome.detail
                raise TfwError(
                    f"Expected ffmpeg to write pictures, found: {detail}. {go_on}"
                ) from (error)
            self.output.say(go_on[0].upper() + go_on[1:])
            raise

    def _finish(self, count: int, figures: Mapping[str, Any]) -> None:
        from talkingface_wild.models.provenance import container_words, write_sidecar

        out = self.half_made.out
        told = dataclasses.replace(self.provenance, figures=figures)
        self.half_made.video.finish(count, self.sound_file, container_words(out, told))
        write_sidecar(out, told)


def _pace(rate: float, retries: int) -> str:
    again = f", {retries} clip{'s'[: retries != 1]} made again" if retries else ""
    return f"{rate:.1f} frames/s{again}"


def _refuse_broken(made: MadeClip) -> None:
    if not bool(made.latents_FCHW.isfinite().all()):
        raise CheckFailed(
            f"Expected finite numbers in the clip before frame {made.state.position}, found some "
            "that are not; run again with --precision fp32 --fresh."
        )
