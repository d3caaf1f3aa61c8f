"""What is exported, for which trainer, and where to."""

from pathlib import Path
from typing import ClassVar, Self

from pydantic import Field, model_validator

from talkingface_wild.core.errors import UsageError, nearest
from talkingface_wild.core.request import ARGUMENT, Request

LAYOUT_NAMES = ("latentsync", "hallo", "musetalk", "stableavatar", "videofolder", "webdataset")


class ExportRequest(Request):
    """Which clips of a data set go into which trainer's layout."""

    EXAMPLES: ClassVar = (
        "tfw export demo_out --layout videofolder",
        "tfw export demo_out --layout webdataset --where 'padding_share < 0.1' --out demo_shards",
        "tfw export my_set --layout stableavatar  # needs your own files",
        "tfw export my_set --layout latentsync --size 256  # needs your own files",
    )

    set_folder: Path = Field(json_schema_extra={ARGUMENT: "SET"})
    """The data set's folder."""
    layout: str
    """latentsync, hallo, musetalk, stableavatar, videofolder or webdataset"""
    out: Path | None = None
    """The folder to write; SET_LAYOUT beside the set without it."""
    where: str | None = None
    """Only kept clips of which this holds, such as 'yaw_p90 < 20 and language == "de"'."""
    size: int | None = Field(None, ge=64, le=2048, multiple_of=2)
    """Side of the pictures in pixels; that of the finished clips without it."""

    @model_validator(mode="after")
    def _known_layout(self) -> Self:
        if self.layout not in LAYOUT_NAMES:
            raise UsageError(
                f"--layout expects one of {', '.join(LAYOUT_NAMES)}, found {self.layout!r}"
                f"{nearest(self.layout, LAYOUT_NAMES)}."
            )
        return self

    @property
    def target(self) -> Path:
        """The folder to write, absolute."""
        folder = self.set_folder.absolute()
        return (self.out or folder.with_name(f"{folder.name}_{self.layout}")).absolute()
