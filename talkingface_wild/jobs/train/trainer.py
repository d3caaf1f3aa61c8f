"""What a generator's trainer is: stages in a folder. ``Generator.trainer()`` gives its class."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from talkingface_wild.core.parts import Part

Pictures = npt.NDArray[np.uint8]
WriteSample = Callable[[Path, str, Pictures], None]
"""Writes frames of a clip, named by its id, as a video."""
FeatureMaker = Callable[[Any, Path], dict[str, Any]]
"""Measures the data set for the first stage; the trainer's own networks go in."""


class Trainer(Protocol):
    """One training folder. A finished stage is not run again; a stopped one goes on."""

    out: Path
    model_folder: Path
    preset: str
    side: int
    fps: int
    main: bool
    """Whether this is the first of several processes."""

    def __init__(
        self,
        out: Path,
        *,
        preset: str,
        settings: Sequence[str],
        variant: str,
        cpu: bool,
        anew: bool,
        tell: Callable[[str], None],
        write_sample: WriteSample,
    ) -> None: ...

    def stages(self) -> list[str]:
        """All stages that this configuration has, in order."""
        ...

    def done(self) -> Mapping[str, Any]:
        """What is finished, by stage."""
        ...

    def parts(self, stages: Sequence[str]) -> dict[str, Part]:
        """What is counted of these stages, by the names under which ``watch`` hears of it."""
        ...

    def watch(self, watcher: Callable[[Any], None]) -> None:
        """Call ``watcher`` with a ``TrainingProgress`` after each iteration."""
        ...

    def feature_maker(
        self,
        data: Path,
        clips: Sequence[Any],
        sources: Mapping[str, str],
        tell: Callable[[str], None],
        watch: Callable[[int, int], None],
    ) -> FeatureMaker:
        """What measures ``clips`` of the data set, after weights are taken from ``sources``."""
        ...

    def forget(self, stage: str) -> None:
        """Take a stage and all after it back, in the first process; the others wait."""
        ...

    def run(self, stage: str, maker: FeatureMaker | None) -> dict[str, Any] | None:
        """Run one stage, or give None when it is done already."""
        ...

    def trained_on(self) -> Mapping[str, Any]:
        """What the model says of its data set."""
        ...
