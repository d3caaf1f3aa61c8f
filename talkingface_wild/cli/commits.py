"""``tfw commits``: list, compare, restore and prune the commits of a data set."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

import typer

from talkingface_wild.cli.options import command
from talkingface_wild.cli.output import Output
from talkingface_wild.jobs.request import CommitsRequest

if TYPE_CHECKING:
    from rich.console import RenderableType

    from talkingface_wild.dataset.commit_diff import CommitDiff
    from talkingface_wild.dataset.commits import CommitSummary
    from talkingface_wild.dataset.media_links import Linked
    from talkingface_wild.jobs.commits import Pruned

app = typer.Typer(add_completion=False)


@command(app, CommitsRequest)
def commits(request: CommitsRequest, output: Output) -> None:
    """List the commits of a data set, compare two, go back to one, or remove old ones.

    restore deletes nothing: the next tfw curate or recut goes on from there under a new number.
    prune removes tables alone; tfw purge then frees the media that no commit keeps.
    """
    from talkingface_wild.jobs.commits import commits as job

    show: Any = {"list": _list, "diff": _diff, "restore": _restore, "prune": _prune}[request.action]
    output.result(*show(request, job(request)))


def _list(request: CommitsRequest, rows: list[CommitSummary]) -> tuple[Any, RenderableType]:
    from talkingface_wild.pages.terminal.commits import commits_table

    data = {"out": str(request.out), "commits": [dataclasses.asdict(row) for row in rows]}
    return data, commits_table(request.out, rows)


def _diff(request: CommitsRequest, diff: CommitDiff) -> tuple[Any, RenderableType]:
    from talkingface_wild.pages.terminal.commits import diff_page

    data: dict[str, Any] = dataclasses.asdict(diff)
    data["recipe"] = [
        {"setting": name, "before": old, "after": new} for name, old, new in diff.recipe
    ]
    for row in data["languages"]:
        del row["won"], row["lost"]
    if not request.clips:
        data |= {name: len(data[name]) for name in ("won", "lost", "media_changed")}
    return data, diff_page(diff, request.clips)


def _restore(request: CommitsRequest, links: Linked) -> tuple[Any, RenderableType]:
    from talkingface_wild.pages.terminal.commits import restored_page

    names = ("linked", "removed", "missing", "foreign")
    data = {"commit": request.numbers[0]} | {name: getattr(links, name) for name in names}
    return data, restored_page(request.out, data)


def _prune(request: CommitsRequest, pruned: Pruned) -> tuple[Any, RenderableType]:
    from talkingface_wild.pages.terminal.commits import pruned_page

    data = dataclasses.asdict(pruned)
    return data, pruned_page(request.out, data)
