"""``tfw purge``: remove finished clips that no commit keeps."""

import dataclasses
from pathlib import Path
from typing import Annotated

import typer

from talkingface_wild.cli.output import JsonOption, Output, examples
from talkingface_wild.core.counting import human_bytes
from talkingface_wild.core.errors import UsageError

app = typer.Typer(add_completion=False)
_NAMES_SHOWN = 5


@app.command(epilog=examples("tfw purge demo_out --dry-run", "tfw purge demo_out"))
def purge(
    out: Annotated[Path, typer.Argument(metavar="SET", help="The data set's folder.")],
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say what would be removed, and remove nothing.")
    ] = False,
    json: JsonOption = False,
) -> None:
    """Remove finished clips that no commit keeps, and what killed runs left of them.

    Sources, downloads, measures and reviews are never touched. To free clips that earlier commits
    keep, remove those commits first: tfw commits SET prune --keep 1.
    """
    output = Output("purge", json)
    from talkingface_wild.dataset.layout import Layout
    from talkingface_wild.dataset.old_layout import bring_over, is_old
    from talkingface_wild.dataset.purge import purge as remove
    from talkingface_wild.dataset.purge import to_purge
    from talkingface_wild.engine.lock import folder_lock

    layout = Layout(out.absolute())
    layout.latest()
    with folder_lock(layout.out):
        if dry_run and is_old(layout):
            raise UsageError(
                f"Expected {out} in this version's layout for --dry-run, found commits of an "
                f"earlier one; bring it over with `tfw commits {out}`, then try again."
            )
        bring_over(layout)
        going = to_purge(layout)
        names = [*going.files, *going.left_over]
        if names:
            shown = ", ".join(names[:_NAMES_SHOWN]) + (", …" if len(names) > _NAMES_SHOWN else "")
            output.say(
                f"{'Would remove' if dry_run else 'Removing'} {len(going.files)} files of finished "
                f"clips that no commit keeps and {len(going.left_over)} left-over files, "
                f"{human_bytes(going.bytes)}: {shown}"
            )
        if not dry_run:
            remove(layout, going)
    data = {**dataclasses.asdict(going), "dry_run": dry_run}
    output.result(data, human=_words(len(names), going.bytes, dry_run))


def _words(count: int, size: int, dry_run: bool) -> str:
    if not count:
        return "Nothing to remove: every finished clip is kept by a commit."
    if dry_run:
        return f"{count} files could go, {human_bytes(size)}; nothing was removed."
    return f"Removed {count} files, {human_bytes(size)}."
