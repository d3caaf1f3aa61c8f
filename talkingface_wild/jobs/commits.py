"""The commits of a data set listed, two of them compared, one restored, old ones removed."""

import contextlib
from dataclasses import dataclass

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
from talkingface_wild.jobs.request import CommitsRequest

"""How many numbers an action takes, in digits and in words."""


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
