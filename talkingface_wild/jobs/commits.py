"""The commits of a data set listed, two of them compared, one restored, old ones removed."""

import contextlib
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, Self

from pydantic import Field, model_validator

from talkingface_wild.core.errors import UsageError, nearest
from talkingface_wild.core.request import ARGUMENT, Request
from talkingface_wild.dataset.commit_diff import CommitDiff, diff_commits
from talkingface_wild.dataset.commits import (
    CommitSummary,
    commit_folder,
    list_commits,
    prune,
    restore,
    to_prune,
)
from talkingface_wild.dataset.layout import Layout
from talkingface_wild.dataset.media_links import Linked, link_media
from talkingface_wild.dataset.old_layout import bring_over, is_old
from talkingface_wild.engine.lock import folder_lock

_COUNTS = {
    "list": (0, 0, "no number"),
    "diff": (1, 2, "one or two numbers"),
    "restore": (1, 1, "one number"),
    "prune": (0, 10**9, "numbers"),
}
"""How many numbers an action takes, in digits and in words."""


class CommitsRequest(Request):
    """What is done with the commits of a data set."""

    EXAMPLES: ClassVar = (
        "tfw commits demo_out",
        "tfw commits demo_out diff 1",
        "tfw commits demo_out restore 1",
        "tfw commits demo_out prune --keep 1 --dry-run",
    )

    out: Path = Field(json_schema_extra={ARGUMENT: "SET"})
    """The data set's folder."""
    action: str = Field("list", json_schema_extra={ARGUMENT: "[list|diff|restore|prune]"})
    """What to do."""
    numbers: tuple[int, ...] = Field((), json_schema_extra={ARGUMENT: ""})
    """diff: one or two (the second is the latest); restore: one; prune: those to go."""
    clips: bool = False
    """diff: name the clips, not only count them."""
    keep: int | None = None
    """prune: keep so many of the latest, and the one in use in any case."""
    dry_run: bool = False
    """prune: say what would be removed, remove nothing."""

    @model_validator(mode="after")
    def _fits(self) -> Self:
        """Raises UsageError for an unknown action and for what an action does not take."""
        action = self.action
        if action not in _COUNTS:
            raise UsageError(
                f"Expected list, diff, restore or prune, found {action!r}"
                f"{nearest(action, _COUNTS)}; see `tfw commits --help`."
            )
        least, most, words = _COUNTS[action]
        if not least <= len(self.numbers) <= most:
            raise UsageError(
                f"tfw commits SET {action} expects {words} of commits, found "
                f"{len(self.numbers)}; `tfw commits SET` lists them."
            )
        options = {"--clips": (self.clips, "diff"), "--keep": (self.keep is not None, "prune")}
        options["--dry-run"] = (self.dry_run, "prune")
        for option, (present, owner) in options.items():
            if present and action != owner:
                raise UsageError(
                    f"{option} belongs to `tfw commits SET {owner}`, found it with {action}; "
                    "leave it out."
                )
        return self


@dataclass(frozen=True)
class Pruned:
    """Numbers of the commits that went, or would go in a dry run, and of those that are left."""

    removed: list[int]
    kept: list[int]
    dry_run: bool


def commits(request: CommitsRequest) -> list[CommitSummary] | CommitDiff | Linked | Pruned:
    """What the action gives: all commits, a comparison, the links of a restored one, what went.

    Raises InputUnreadable where there is no data set, UsageError for an unknown number,
    FolderLocked where something is written while another process works on it.
    """
    layout = Layout(request.out.absolute())
    layout.latest()
    layout.check_linked()
    if is_old(layout):
        with folder_lock(layout.out):
            bring_over(layout)
            link_media(layout)
    numbers = request.numbers
    if request.action == "list":
        return list_commits(layout)
    if request.action == "diff":
        before, *after = (commit_folder(layout, number) for number in numbers)
        return diff_commits(before, after[0] if after else layout.latest())
    with contextlib.nullcontext() if request.dry_run else folder_lock(layout.out):
        if request.action == "restore":
            return restore(layout, numbers[0])
        going = to_prune(layout, numbers, request.keep)
        if not request.dry_run:
            prune(layout, going)
        left = [number for number in layout.numbers() if number not in going]
        return Pruned(going, left, request.dry_run)
