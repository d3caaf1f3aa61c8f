"""The protocol's lists: what each needs, which are made, and making one; adapters of systems."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from pydantic import Field

from talkingface_wild.core.errors import TfwError
from talkingface_wild.core.reporter import Reporter
from talkingface_wild.core.request import ARGUMENT, OPTION, Request

if TYPE_CHECKING:
    from talkingface_wild.benchmark.external.adapter import Adapter
    from talkingface_wild.benchmark.lists.make_list import WrittenList


class ListsRequest(Request):
    """A folder of lists."""

    EXAMPLES: ClassVar = (
        "tfw bench list",
        "tfw bench list --adapters --json",
        "tfw bench list make hdtf-100 --from HDTF/HDTF_dataset  # needs HDTF's lists",
    )

    out: Path = Path()
    """The folder of the lists; videos may lie in it."""
    adapters: bool = False
    """Show the adapters of external systems instead."""


def lists(request: ListsRequest) -> list[dict[str, Any]]:
    """Each list of tfw-v1 as plain data: what it needs, and what is made of it in the folder."""
    from talkingface_wild.benchmark.lists.clip_list import read_list
    from talkingface_wild.benchmark.lists.plans import PLANS

    rows = []
    for plan in PLANS.values():
        path = request.out / f"{plan.name}.csv"
        names = ("name", "title", "clips", "frames", "needs")
        row = {name: getattr(plan, name) for name in names} | {"made": path.is_file()}
        row |= {"path": path if path.is_file() else None, "sha8": None, "error": None}
        if path.is_file():
            try:
                clip_list = read_list(path)
                row |= {"sha8": clip_list.sha8, "clips": len(clip_list.rows)}
            except TfwError as error:
                row["error"] = str(error)
        rows.append(row)
    return rows


def adapters() -> list[Adapter]:
    """All adapters that come with the package."""
    from talkingface_wild.benchmark.external.adapter import adapter_names, load_adapter

    return [load_adapter(name) for name in adapter_names()]


def adapter_data(adapter: Adapter) -> dict[str, Any]:
    """An adapter as plain data; ``variables`` are those of its command."""
    names = [
        "name",
        "title",
        "track",
        "stochastic",
        "tried",
        "tried_with",
        "repository",
        "licence",
        "note",
    ]
    variables = dict(adapter.run.variables) if adapter.run else {}
    return {name: getattr(adapter, name) for name in names} | {"variables": variables}


class MakeListRequest(Request):
    """A list of the protocol and what it is made of."""

    EXAMPLES: ClassVar = (
        "tfw bench list make hdtf-100 --from HDTF/HDTF_dataset --videos videos"
        "  # needs HDTF's lists",
        "tfw bench list make celebv-200 --from celebvhq_info.json  # needs CelebV-HQ's list",
        "tfw bench list make tfw-400 --from my_set --out my_set  # needs 400 identities",
        "tfw bench list make open-400 --portraits faces --sounds voices  # needs your own files",
    )

    name: str = Field(json_schema_extra={ARGUMENT: ""})
    """A list of `tfw bench list`."""
    source: Path | None = Field(None, json_schema_extra={OPTION: "--from"})
    """The published lists, or a data set's folder."""
    videos: Path | None = None
    """Whole source videos, named as the published list has them."""
    portraits: Path | None = None
    """Pictures of the open set."""
    sounds: Path | None = None
    """Sounds of the open set (WAV)."""
    split: str = "test"
    """Of a data set: train, val, test or all."""
    seed: int | None = None
    """Another draw, another hash: no longer tfw-v1's."""
    out: Path = Path()
    """The folder of the lists; videos may lie in it."""


def make(request: MakeListRequest, reporter: Reporter) -> WrittenList:
    """Make one list. With videos, crops of the face are added where an SCRFD weight is here."""
    from talkingface_wild.benchmark.lists.make_list import make_list
    from talkingface_wild.benchmark.lists.plans import SEED
    from talkingface_wild.benchmark.lists.videos import scrfd

    def progress(done: int, total: int) -> None:
        if done % 10 == 0 or done == total:
            reporter.say(f"{done} of {total} clips")

    detector = None
    if request.videos is not None and (opened := scrfd()) is not None:
        name, detector = opened
        reporter.say(f"crops by {name}")
    values = request.model_dump() | {"seed": SEED if request.seed is None else request.seed}
    written = make_list(**values, detector=detector, progress=progress)
    for note in written.notes:
        reporter.warn(note)
    return written
