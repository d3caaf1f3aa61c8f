"""Freeing the disk: files of the store that no commit keeps, and what killed runs left there."""

import contextlib
import shutil
from dataclasses import dataclass, field

from talkingface_wild.core.counting import human_bytes
from talkingface_wild.core.errors import UsageError
from talkingface_wild.core.reporter import Reporter
from talkingface_wild.dataset.clip_store import is_stored, is_temporary, stored_files
from talkingface_wild.dataset.layout import Layout
from talkingface_wild.dataset.media_links import link_media, links_of
from talkingface_wild.dataset.old_layout import bring_over, is_old
from talkingface_wild.engine.lock import folder_lock
from talkingface_wild.jobs.request import PurgeRequest

_NAMES_SHOWN = 5


@dataclass(frozen=True)
class Purge:
    """What may go: paths below the output folder, and the bytes that their removal frees.

    ``files`` are finished clips that no commit keeps, ``left_over`` what killed runs left: half
    written files of the store and half written or half removed commits.
    """

    files: list[str] = field(default_factory=list)
    left_over: list[str] = field(default_factory=list)
    bytes: int = 0

    @property
    def names(self) -> list[str]:
        """All of them."""
        return [*self.files, *self.left_over]


def purge(request: PurgeRequest, reporter: Reporter) -> Purge:
    """Remove what no commit keeps, or say what would go.

    Raises InputUnreadable where there is no data set, UsageError for a dry run on one of an earlier
    version's layout, FolderLocked while another process works on it.
    """
    layout = Layout(request.out.absolute())
    layout.latest()
    with folder_lock(layout.out):
        if request.dry_run and is_old(layout):
            raise UsageError(
                f"Expected {request.out} in this version's layout for --dry-run, found commits of "
                f"an earlier one; bring it over with `tfw commits {request.out}`, then try again."
            )
        bring_over(layout)
        going = to_purge(layout)
        if names := going.names:
            first = ", ".join(names[:_NAMES_SHOWN]) + ", …" * (len(names) > _NAMES_SHOWN)
            reporter.say(
                f"{'Would remove' if request.dry_run else 'Removing'} {len(going.files)} files of "
                f"finished clips that no commit keeps and {len(going.left_over)} left-over files, "
                f"{human_bytes(going.bytes)}: {first}"
            )
        if not request.dry_run:
            _remove(layout, going)
    return going


def to_purge(layout: Layout) -> Purge:
    """Look for what no commit's clips/ names. Changes nothing.

    A rejected clip's file counts as not kept: should a later recut keep that clip, the next
    ``tfw curate`` encodes it again. Raises InputUnreadable for a commit of foreign paths.
    """
    kept = {
        name for number in layout.numbers() for name in links_of(layout.commit(number)).values()
    }
    purge, size = Purge(), 0
    for name, entry in stored_files(layout.out):
        if is_temporary(name):
            purge.left_over.append(name)
        elif is_stored(name) and name not in kept:
            purge.files.append(name)
        else:
            continue
        size += entry.stat(follow_symlinks=False).st_size
    for folder in layout.half_written():
        purge.left_over.append(folder.relative_to(layout.out).as_posix())
        size += sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
    return Purge(sorted(purge.files), sorted(purge.left_over), size)


def _remove(layout: Layout, going: Purge) -> None:
    """Remove what ``to_purge`` gave, media/ brought in step before. Call under the lock."""
    link_media(layout, warn=False)
    for name in going.names:
        path = layout.out / name
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)
    for folder in layout.store.glob("*/"):
        with contextlib.suppress(OSError):
            folder.rmdir()
