"""Where the losses of a training lie: the CSV of each stage, and the line that draws them."""

import shlex
from pathlib import Path

_FOLDERS = {
    "encoders": ("encoders/lips", "encoders/expression", "encoders/head"),
    "1": ("stage1",),
    "2": ("stage2",),
    "3": ("stage3",),
}
"""The folder of each log below a training's, by stage."""


def logs_of(out: Path) -> list[str]:
    """The logs that are there, in the order of training."""
    paths = [out / folder / "log.csv" for folders in _FOLDERS.values() for folder in folders]
    return [str(path) for path in paths if path.is_file()]


def logs_line(out: Path, stage: str) -> str:
    """Where a stage that begins will write, and how to look at it meanwhile."""
    folder = out / ("encoders" if stage == "encoders" else f"stage{stage}")
    path = folder / "*" / "log.csv" if stage == "encoders" else folder / "log.csv"
    return f"losses in {path}; {tensorboard_line(folder)}"


def tensorboard_line(folder: Path) -> str:
    """The command that shows all curves below a folder."""
    return f"tensorboard --logdir {shlex.quote(str(folder))}"
