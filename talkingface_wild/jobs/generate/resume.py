"""What stands beside a video while it is made: pictures, sound and state; enough to go on from."""

import contextlib
import fcntl
import json
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from talkingface_wild.core.errors import FolderLocked, UsageError
from talkingface_wild.core.generator import State
from talkingface_wild.jobs.generate.state_file import load_state, save_state
from talkingface_wild.media.resumable_video import ResumableVideo

OPTIONS = {
    "weights": "--checkpoint",
    "config": "--checkpoint",
    "image": "--image",
    "audio": "--audio",
    "landmarks": "--landmarks",
    "frames": "--seconds",
    "sampling": "--steps, --prior-steps, --cfg, --solver or --drift-gate",
    "seed": "--seed",
    "precision": "--precision",
    "compile": "--compile",
    "crop": "--detector or --whole",
    "fps": "--checkpoint",
}
"""The option behind each thing that shapes the frames."""
SHARE = 20
"""A state is saved when this many times the last save's duration has gone by, or at the end."""


@dataclass
class UnfinishedVideo:
    """The files of an unfinished ``out``. A state counts once the pictures before it are safe."""

    out: Path
    fps: int = 25
    _saved_at: float = 0.0
    _save_seconds: float = 0.0
    _unsaved: tuple[State, int] | None = field(default=None, repr=False)

    @property
    def video(self) -> ResumableVideo:
        """The pictures so far."""
        return ResumableVideo(self.out, self.fps)

    @property
    def state_path(self) -> Path:
        """The state after the last clip that counts."""
        return self.out.with_name(f"{self.out.name}.state.safetensors")

    @property
    def sound_path(self) -> Path:
        """The sound as samples."""
        return self.out.with_name(f"{self.out.name}.sound.s16")

    @property
    def there(self) -> bool:
        """Whether a run left something to go on from."""
        return self.state_path.is_file()

    def forget(self) -> None:
        """Remove all of it."""
        self.video.discard()
        self.sound_path.unlink(missing_ok=True)
        self.state_path.unlink(missing_ok=True)

    @contextlib.contextmanager
    def alone(self) -> Iterator[None]:
        """Hold the pictures for the block. Raises FolderLocked when another run makes them."""
        try:
            self.out.parent.mkdir(parents=True, exist_ok=True)
            stream = self.video.raw.open("ab")
        except OSError as error:
            raise UsageError(
                f"Expected a place that can be written at {self.out}, found that it cannot "
                f"({error.strerror}); choose another --out."
            ) from error
        with stream:
            try:
                fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError as error:
                raise FolderLocked(
                    f"Expected {self.out} to be free, found another run that makes it; wait for "
                    "it, or choose another --out."
                ) from error
            except OSError:
                # Some network file systems have no locks; then the user keeps runs apart.
                pass
            try:
                yield
            finally:
                if not self.there:
                    # Without a state nothing can go on from the rest.
                    self.forget()

    def offer(self, state: State, length: int, settings: Mapping[str, Any]) -> None:
        """Save the state after a clip, unless saving would take over a twentieth of the time."""
        self._unsaved = (state, length)
        if time.monotonic() - self._saved_at >= SHARE * self._save_seconds:
            self.save(settings)

    def save(self, settings: Mapping[str, Any]) -> None:
        """Save the latest state that was offered, if it is not yet."""
        if self._unsaved is None:
            return
        began = time.monotonic()
        state, length = self._unsaved
        notes = {"asked": json.dumps(settings), "length": str(length)}
        save_state(self.state_path, state, notes)
        self._unsaved, self._saved_at = None, time.monotonic()
        self._save_seconds = self._saved_at - began

    def load(self) -> tuple[State, int, dict[str, Any]]:
        """The state, the length of the pictures before it, and the settings that it was begun with.

        Raises InputUnreadable for a file that is no state.
        """
        state, notes = load_state(self.state_path)
        return state, int(notes["length"]), dict(json.loads(notes["asked"]))


def refuse_other(settings: Mapping[str, Any], earlier: Mapping[str, Any], out: Path) -> None:
    """Raise UsageError where the half-made file was begun with other settings."""
    other = [
        name
        for name, value in settings.items()
        if json.loads(json.dumps(value)) != earlier.get(name)
    ]
    if not other:
        return
    if {"weights", "config"} & set(other):
        raise UsageError(
            f"Expected the checkpoint that the half-made {out} was begun with, found another; "
            "give that one by --checkpoint, or start anew with --fresh."
        )
    options = ", ".join(dict.fromkeys(OPTIONS.get(name, name) for name in other))
    raise UsageError(
        f"Expected the options that the half-made {out} was begun with, found another {options}; "
        "give the same, or start anew with --fresh."
    )
