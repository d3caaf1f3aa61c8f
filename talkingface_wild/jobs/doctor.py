"""What this machine has, what is missing or broken, and the line that mends it.

It looks and reports; it changes nothing and reaches no network.
"""

import datetime
import importlib
import importlib.metadata
import os
import platform
import re
import shutil
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, Literal

from pydantic import Field

from talkingface_wild.core.counting import human_bytes
from talkingface_wild.core.request import OPTION, Request

APT_LINE = "sudo apt install libgl1 libglib2.0-0"
"""What brings the shared libraries that OpenCV's wheel loads, on Debian and Ubuntu."""

OLDEST_YT_DLP_DAYS = 60
"""Video sites change often; an older yt-dlp than this tends to fail."""

LEAST_SHARED_MEMORY = 1 << 30
"""Ray keeps its objects in shared memory; containers often give 64 MB only."""

NEEDED = (
    ("cv2", "opencv-python"),
    ("av", "av"),
    ("onnxruntime", "onnxruntime"),
    ("insightface", "insightface"),
    ("pyarrow", "pyarrow"),
    ("pandas", "pandas"),
    ("scenedetect", "scenedetect"),
    ("ray", "ray"),
)
"""Modules that curation imports, with the packages that bring them."""

_CV2_WHEELS = (
    "opencv-python",
    "opencv-python-headless",
    "opencv-contrib-python",
    "opencv-contrib-python-headless",
)
_SHARED_LIBRARY = re.compile(r"lib\w[\w.+-]*\.so[.\d]*")

Status = Literal["ok", "note", "broken"]


class DoctorRequest(Request):
    """Where it is looked."""

    EXAMPLES: ClassVar = ("tfw doctor", "tfw doctor --json")

    folder: Path = Field(Path(), json_schema_extra={OPTION: "--out"})
    """Where data sets will go; its disk is looked at."""


@dataclass(frozen=True)
class Check:
    """One line: what was looked at, what was found, and what to do unless it is ok."""

    name: str
    status: Status
    found: str
    advice: str = ""


def run_checks(folder: Path) -> Iterator[Check]:
    """All checks, in the order in which they are shown."""
    yield _python()
    yield Check("platform", "ok", f"{platform.system()} {platform.release()} {platform.machine()}")
    yield _cores()
    yield _memory()
    yield _disk(folder)
    yield _shared_memory(Path("/dev/shm"))
    yield _cv2_wheels()
    for module, package in NEEDED:
        yield _module(module, package)
    yield _torch()
    yield _ffmpeg()
    yield _yt_dlp(datetime.date.today())
    yield _weights()


def _python() -> Check:
    return Check("python", "ok", f"{platform.python_version()} at {sys.executable}")


def _cores() -> Check:
    usable = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    quota = _first_line(Path("/sys/fs/cgroup/cpu.max")).split()
    limit = ""
    if len(quota) == 2 and quota[0].isdigit():
        limit = f", limited to {int(quota[0]) / int(quota[1]):.1f} by the container"
    return Check("cores", "ok", f"{usable} usable{limit}")


def _memory() -> Check:
    try:
        total = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, OSError, ValueError):
        return Check("memory", "note", "not told by this system")
    limit = _first_line(Path("/sys/fs/cgroup/memory.max"))
    if limit.isdigit():
        total = min(total, int(limit))
    advice = "Use --workers 1: a worker may take 1.5 GB." if total < 4e9 else ""
    return Check("memory", "note" if advice else "ok", human_bytes(total), advice)


def _disk(folder: Path) -> Check:
    there = folder.expanduser().absolute()
    while not there.exists():
        there = there.parent
    free = shutil.disk_usage(there).free
    advice = "Free some space, or choose another disk by --out." if free < 5e9 else ""
    return Check("disk", "note" if advice else "ok", f"{human_bytes(free)} free at {there}", advice)


def _shared_memory(mount: Path) -> Check:
    if not mount.is_dir():
        return Check("shared memory", "ok", f"no {mount} on this system")
    total = shutil.disk_usage(mount).total
    size = f"{human_bytes(total)} at {mount}"
    if total >= LEAST_SHARED_MEMORY:
        return Check("shared memory", "ok", size)
    advice = "Start the container with --shm-size=2g, or use --engine local: Ray wants more."
    return Check("shared memory", "note", size, advice)


def _cv2_wheels() -> Check:
    wheels = [f"{name} {version}" for name in _CV2_WHEELS if (version := _version(name))]
    versions = ", ".join(wheels) or "none"
    if len(wheels) == 1:
        return Check("cv2 wheels", "ok", versions)
    if not wheels:
        return Check("cv2 wheels", "broken", versions, "Run: pip install 'opencv-python>=4.12,<5'")
    others = " ".join(name for name in _CV2_WHEELS if _version(name))
    advice = (
        f"They overwrite each other's files. Run: pip uninstall -y {others} && "
        "pip install 'opencv-python>=4.12,<5'"
    )
    return Check("cv2 wheels", "broken", versions, advice)


def _module(module: str, package: str) -> Check:
    """Import a module as a stage would; a missing shared library gets its apt line."""
    try:
        importlib.import_module(module)
    except Exception as error:
        library = _SHARED_LIBRARY.search(str(error))
        if library and module in ("cv2", "insightface", "scenedetect"):
            advice = f"The system lacks {library.group()}. Run: {APT_LINE}"
        else:
            advice = f"Run: pip install --force-reinstall {package}"
        return Check(module, "broken", f"{type(error).__name__}: {error}".splitlines()[0], advice)
    return Check(module, "ok", _version(package) or "installed")


def _torch() -> Check:
    checked = _module("torch", "torch")
    if checked.status == "broken":
        return checked
    import torch

    if not torch.cuda.is_available():
        return Check("torch", "ok", f"{torch.__version__}, no CUDA device: networks run on the CPU")
    names = [torch.cuda.get_device_name(index) for index in range(torch.cuda.device_count())]
    return Check("torch", "ok", f"{torch.__version__}, CUDA: {', '.join(names)}")


def _ffmpeg() -> Check:
    system = shutil.which("ffmpeg")
    if system:
        return Check("ffmpeg", "ok", system)
    try:
        import imageio_ffmpeg

        return Check("ffmpeg", "ok", f"{imageio_ffmpeg.get_ffmpeg_exe()} (of imageio-ffmpeg)")
    except (ImportError, RuntimeError) as error:
        advice = "Run: pip install imageio-ffmpeg, or: sudo apt install ffmpeg"
        return Check("ffmpeg", "broken", str(error), advice)


def _yt_dlp(today: datetime.date) -> Check:
    version = _version("yt-dlp")
    if version is None:
        return Check("yt-dlp", "broken", "not installed", "Run: pip install yt-dlp")
    try:
        year, month, day = (int(part) for part in version.split(".")[:3])
        days = (today - datetime.date(year, month, day)).days
    except ValueError:
        return Check("yt-dlp", "ok", version)
    age = f"{version}, {days} days old"
    if days <= OLDEST_YT_DLP_DAYS:
        return Check("yt-dlp", "ok", age)
    advice = "Downloads may fail; run: pip install -U yt-dlp"
    return Check("yt-dlp", "note", age, advice)


def _weights() -> Check:
    from talkingface_wild.weights import default_store

    store = default_store()
    states = {name: store.look(name).state for name in store.manifest}
    present = [name for name, state in states.items() if state in ("present", "trusted")]
    wrong = [name for name, state in states.items() if state in ("differs", "unknown")]
    counts = f"{len(present)} of {len(states)} in {store.folder}"
    if wrong:
        advice = "Run: tfw weights verify"
        return Check("weights", "broken", f"{counts}; not verified: {', '.join(wrong)}", advice)
    advice = "" if len(present) == len(states) else "See: tfw weights list"
    return Check("weights", "ok" if not advice else "note", counts, advice)


def _version(package: str) -> str | None:
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return None


def _first_line(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8").strip().splitlines()[0]
    except (OSError, IndexError):
        return ""
