"""``tfw purge``: remove finished clips that no commit keeps."""

import dataclasses

import typer

from talkingface_wild.cli.options import command
from talkingface_wild.cli.output import Output
from talkingface_wild.core.counting import human_bytes
from talkingface_wild.jobs.request import PurgeRequest

app = typer.Typer(add_completion=False)


@command(app, PurgeRequest)
def purge(request: PurgeRequest, output: Output) -> None:
    """Remove finished clips that no commit keeps, and what killed runs left of them.

    Sources, downloads, measures and reviews are never touched. To free clips that earlier commits
    keep, remove those commits first: tfw commits SET prune --keep 1.
    """
    from talkingface_wild.jobs.purge import purge as remove

    purged = remove(request, output)
    count, size = len(purged.names), human_bytes(purged.bytes)
    words = f"Removed {count} files, {size}."
    if not count:
        words = "Nothing to remove: every finished clip is kept by a commit."
    elif request.dry_run:
        words = f"{count} files could go, {size}; nothing was removed."
    output.result(dataclasses.asdict(purged) | {"dry_run": request.dry_run}, words)
