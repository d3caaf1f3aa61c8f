"""What ``tfw train`` is asked for."""

from pathlib import Path
from typing import ClassVar

from pydantic import Field

from talkingface_wild.core.errors import UsageError, nearest
from talkingface_wild.core.request import OPTION, Request
from talkingface_wild.models import registered

ORDER = ("features", "encoders", "1", "2", "3")
"""Stages of training."""


class TrainRequest(Request):
    """One training folder, and which of its stages to run."""

    EXAMPLES: ClassVar = (
        "tfw train --model mcdm --preset tiny --stage all --data demo_out --out runs/tiny",
        "tfw train --model mcdm --preset tiny --stage 3 --data demo_out --out runs/tiny "
        "--set training.stage3.iterations=600 --fresh",
        "tfw train --model mcdm --preset tiny --variant no_archive --data demo_out --out runs/tiny",
    )

    model: str = "mcdm"
    """Which generator: mcdm."""
    stage: str = "all"
    """features, encoders, 1, 2, 3, or all in this order."""
    data: Path | None = None
    """A curated data set's folder; the stage features reads it."""
    out: Path = Path("runs/mcdm")
    """Folder of this training."""
    preset: str = ""
    """paper, robust or tiny (for a CPU). Default: what OUT has, or paper."""
    settings: tuple[str, ...] = Field((), json_schema_extra={OPTION: "--set"})
    """section.field=value of the configuration; repeatable."""
    variant: str = "ours"
    """A variant of the paper's tables: no_archive, no_present, no_mta, qformer, reference_unet,
    alpha_0 to alpha_9. It is trained in OUT/variants/NAME."""
    weights: tuple[str, ...] = ()
    """NAME=PATH of published weights to start from: sd15, vae, animatediff, moore, clip, wav2vec2;
    NAME alone takes them from where they are published; repeatable."""
    limit: int | None = Field(None, ge=1)
    """The first so many clips."""
    cpu: bool = False
    """Use no GPU."""
    fresh: bool = False
    """Forget this stage and all after it, and train anew."""

    @property
    def sources(self) -> dict[str, str]:
        """``weights`` by name; UsageError for another form, or a name given twice."""
        sources: dict[str, str] = {}
        for word in self.weights:
            name, equals, path = word.partition("=")
            if bool(equals) != bool(path) or name in sources:
                raise UsageError(
                    f"--weights expects NAME or NAME=PATH, each name once; found {word!r}."
                )
            sources[name] = path
        return sources

    def check(self) -> None:
        """Raise UsageError for what can be seen from the request alone."""
        models = tuple(registered())
        if self.model not in models:
            raise UsageError(f"--model expects {', '.join(models)}, found {self.model!r}.")
        if self.stage not in (*ORDER, "all"):
            raise UsageError(
                f"--stage expects {', '.join(ORDER)} or all, found {self.stage!r}"
                f"{nearest(self.stage, ORDER)}."
            )
