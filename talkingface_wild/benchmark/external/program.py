"""Runs an external system for one clip: its own process group, a log, a time-out, one video out.

Never a shell. What the program writes counts only once it can be decoded, and then appears under
its final name in one step.
"""

import contextlib
import json
import os
import re
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from talkingface_wild.benchmark.external.adapter import Adapter, AdapterCommand, filled
from talkingface_wild.core.errors import UsageError
from talkingface_wild.core.fingerprint import digest
from talkingface_wild.core.outcome import ItemFailed, ItemRejected
from talkingface_wild.core.paths import atomic_path
from talkingface_wild.media.container_probe import probe
from talkingface_wild.media.ffmpeg import file_argument, run_ffmpeg

PASSED_ON = (
    "PATH", "HOME", "USER", "LANG", "LC_ALL", "LC_CTYPE", "TMPDIR",
    "CUDA_VISIBLE_DEVICES", "LD_LIBRARY_PATH",
)  # fmt: skip
"""Environment variables that every program gets."""
_GRACE_SECONDS = 5.0
"""Between the polite signal and the one that cannot be refused."""
_FFMPEG_SECONDS = 600.0


@dataclass(frozen=True)
class Inputs:
    """What a system gets for one clip."""

    clip: str
    portrait: Path
    audio: Path
    seconds: float
    frames: int
    source: str = ""
    seed: int = 0
    checkpoint: Path | None = None


def check_adapter(adapter: Adapter, checkpoint: Path | None = None) -> AdapterCommand:
    """Its command. Raises UsageError, once and before any clip, for what it needs and lacks."""
    run = adapter.run
    if run is None:
        raise UsageError(
            f"Expected a command in the adapter {adapter.name}, found none; add 'run:' to it, or "
            "give its finished videos with --outputs DIR."
        )
    for placeholder, variable in run.variables.items():
        if placeholder in adapter.needs and not os.environ.get(variable):
            raise UsageError(
                f"Expected the environment variable {variable} ({placeholder} of {adapter.name}), "
                f"found it unset; set it, for example: export {variable}=/path/to/it"
            )
    if "checkpoint" in adapter.needs and checkpoint is None:
        raise UsageError(
            f"Expected --checkpoint for {adapter.name}, whose command names it; found none."
        )
    if "landmarks" in adapter.needs:
        raise UsageError(
            f"Expected landmarks for {adapter.name}, whose command names them; found none: it "
            "belongs to the landmark track, which takes them from the ground truth."
        )
    return run


def run_adapter(adapter: Adapter, inputs: Inputs, out_file: Path, *, logs: Path) -> Path:
    """Make ``out_file`` by the adapter's command; returns it.

    The program sees the inputs under plain names (``portrait.png``, ``audio.wav``) in an empty
    folder beside ``logs``, which is removed afterwards. Its output goes to ``logs``.

    Raises ItemFailed: ``timeout`` (the whole process group is ended), ``crash`` (another exit code
    than 0, or a file that is no video), ``file_missing`` (nothing was written); each names the log.
    Raises UsageError when the program cannot be started, and what ``check_adapter`` raises.
    """
    run = check_adapter(adapter, inputs.checkpoint)
    logs.mkdir(parents=True, exist_ok=True)
    log = logs / f"{_plain_name(inputs.clip)}-{inputs.seed}.log"
    with tempfile.TemporaryDirectory(prefix="work-", dir=logs.parent) as folder:
        work = Path(folder).resolve()
        produced = work / "output" / f"output{out_file.suffix}"
        produced.parent.mkdir()
        values = _values(adapter, run, inputs, work, produced)
        _furnish(run, work, values)
        _execute(adapter, run, values, inputs, log)
        video = _written(run, work, produced)
        if video is None:
            name = run.writes or "{output}"
            raise ItemFailed(
                "file_missing", f"{adapter.name} ended well but wrote no {name}; see {log}"
            )
        try:
            probe(video)
        except ItemRejected as error:
            raise ItemFailed(
                "crash",
                f"{adapter.name} wrote {video.name}, which is no readable video "
                f"({error.outcome.detail}); see {log}",
            ) from error
        with atomic_path(out_file) as temporary:
            if run.panel:
                _cut_panel(run.panel, video, temporary)
            else:
                shutil.copyfile(video, temporary)
    return out_file


def _values(
    adapter: Adapter, run: AdapterCommand, inputs: Inputs, work: Path, produced: Path
) -> dict[str, str]:
    """The text of every placeholder; inputs are linked into ``work`` under plain names."""
    values = {
        "output": str(produced),
        "output_folder": str(produced.parent),
        "work": str(work),
        "clip": inputs.clip,
        "source": inputs.source,
        "seed": str(inputs.seed),
        "seconds": f"{inputs.seconds:.3f}",
        "frames": str(inputs.frames),
        "checkpoint": "" if inputs.checkpoint is None else str(inputs.checkpoint.resolve()),
        "still": str(work / "still.mp4"),
    }
    for name, file in (("portrait", inputs.portrait), ("audio", inputs.audio)):
        link = work / f"{name}{file.suffix.lower()}"
        link.symlink_to(file.resolve())
        values[name] = str(link)
    if "still" in adapter.needs:
        # A video of the portrait, 25 pictures a second, with the whole sound.
        picture = ["-loop", "1", "-framerate", "25", "-i", file_argument(Path(values["portrait"]))]
        sound = ["-i", file_argument(Path(values["audio"])), "-t", values["seconds"]]
        codecs = ["-c:v", "libx264", "-crf", "8", "-pix_fmt", "yuv420p", "-c:a", "aac"]
        _ffmpeg([*picture, *sound, *codecs], Path(values["still"]))
    return values | {name: os.environ.get(text, "") for name, text in run.variables.items()}


def _ffmpeg(arguments: list[str], target: Path) -> None:
    command = [*arguments, file_argument(target)]
    run_ffmpeg(command, writes=target, timeout_seconds=_FFMPEG_SECONDS)


def _furnish(run: AdapterCommand, work: Path, values: Mapping[str, str]) -> None:
    """Lay the links and the files of the adapter into ``work``."""
    if run.links:
        home = Path(filled(run.links, values))
        if not home.is_dir():
            raise UsageError(f"Expected a folder at {home} (run.links), found none; set it right.")
        for entry in sorted(home.iterdir()):
            target = work / entry.name
            if entry.name not in (*run.apart, *run.files) and not os.path.lexists(target):
                target.symlink_to(entry.resolve())
    for name in run.apart:
        (work / name).mkdir(exist_ok=True)
    quoted = {name: json.dumps(value, ensure_ascii=False) for name, value in values.items()}
    for name, text in run.files.items():
        (work / name).write_text(filled(text, quoted), encoding="utf-8")


def _execute(
    adapter: Adapter, run: AdapterCommand, values: Mapping[str, str], inputs: Inputs, log: Path
) -> None:
    command = [filled(argument, values) for argument in run.command]
    cwd = filled(run.cwd, values)
    names = {*PASSED_ON, *run.env}
    environment = {name: value for name, value in os.environ.items() if name in names}
    with log.open("wb") as stream:
        stream.write(f"{json.dumps(command, ensure_ascii=False)}\nin {cwd}\n\n".encode())
        stream.flush()
        try:
            process = subprocess.Popen(
                command,
                cwd=cwd,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=stream,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        except (OSError, ValueError) as error:
            raise UsageError(
                f"Expected to start {command[0]!r} in {cwd} for {adapter.name}, found that it "
                f"cannot be ({error}); install it, or mend run.command."
            ) from error
        with _ended(process):
            try:
                code = process.wait(timeout=run.timeout_seconds)
            except subprocess.TimeoutExpired as error:
                raise ItemFailed(
                    "timeout",
                    f"{adapter.name} took longer than {run.timeout_seconds:g} s for "
                    f"{inputs.clip!r}; see {log}",
                ) from error
    if code != 0:
        how = f"signal {-code}" if code < 0 else f"exit code {code}"
        raise ItemFailed("crash", f"{adapter.name} ended with {how} on {inputs.clip!r}; see {log}")


@contextlib.contextmanager
def _ended(process: subprocess.Popen[bytes]) -> Iterator[None]:
    """Whatever happens inside, nothing of the process group runs on afterwards."""
    try:
        yield
    finally:
        if process.poll() is None:
            _signal(process, signal.SIGTERM)
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(timeout=_GRACE_SECONDS)
        _signal(process, signal.SIGKILL)
        process.wait()


def _signal(process: subprocess.Popen[bytes], number: signal.Signals) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, number)


def _written(run: AdapterCommand, work: Path, produced: Path) -> Path | None:
    """The file that the program wrote: ``{output}``, or the newest that ``writes`` finds."""
    if not run.writes:
        return produced if produced.is_file() else None
    files = [path for path in work.glob(run.writes) if path.is_file() and not path.is_symlink()]
    return max(files, key=lambda path: (path.stat().st_mtime_ns, str(path)), default=None)


def _cut_panel(panel: tuple[int, ...], video: Path, target: Path) -> None:
    """Cut one panel out of a contact-sheet video, without loss, sound kept."""
    left, top, width, height = panel
    crop = ["-vf", f"crop={width}:{height}:{left}:{top}:exact=1", "-c:v", "libx264", "-qp", "0"]
    _ffmpeg(["-i", file_argument(video), *crop, "-c:a", "copy"], target)


def _plain_name(clip: str) -> str:
    """A clip's id as a file name of its own."""
    plain = re.sub(r"[^A-Za-z0-9_.]", "_", clip).lstrip(".")[:80]
    return plain if plain == clip else f"{plain}-{digest(clip, 8)}"
