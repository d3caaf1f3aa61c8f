"""``tfw purge``: remove finished clips that no commit keeps."""

import dataclasses

import typer

from talkingface_wild.cli.options import command
from talkingface_wild.cli.output import Output
from talkingface_wild.jobs.request import PurgeRequest
from talkingface_wild.pages.terminal.purge import purged_page

app = typer.Typer(add_completion=False)


@command(app, PurgeRequest)
def purge(request: PurgeRequest, output: Output) -> None:
    """Remove finished clips that no commit keeps, and what killed runs left of them.

    Sources, downloads, measures and reviews are never touched. To free clips that earlier commits
    keep, remove those commits first: tfw commits SET prune --keep 1.
    """
    from talkingface_wild.jobs.purge import purge as remove

    data = dataclasses.asdict(remove(request, output)) | {"dry_run": request.dry_run}
    output.result(data, purged_page(data))
