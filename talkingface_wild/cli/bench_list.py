"""``tfw bench list``: the protocol's lists, what each needs, which are made; and making them."""

import typer

from talkingface_wild.cli.options import command, options_of
from talkingface_wild.cli.output import Output, examples
from talkingface_wild.jobs.bench import lists
from talkingface_wild.jobs.bench.lists import ListsRequest, MakeListRequest
from talkingface_wild.pages.terminal.rich_table import table

app = typer.Typer(add_completion=False, invoke_without_command=True)


@app.callback(epilog=examples(*ListsRequest.EXAMPLES))
@options_of(ListsRequest)
def show(ctx: typer.Context, request: ListsRequest, json: bool) -> None:
    """Show the lists of protocol tfw-v1: what each needs, and which are made in the folder."""
    if ctx.invoked_subcommand is not None:
        return
    output = Output("bench list", json)
    if request.adapters:
        _show_adapters(output)
        return
    rows = lists.lists(request)
    cells = [
        (
            row["name"],
            "—" if row["clips"] is None else row["clips"],
            row["frames"],
            row["title"],
            row["needs"],
            "no" if not row["made"] else row["sha8"] or f"broken: {row['error']}",
        )
        for row in rows
    ]
    headings = ("list", "clips", "frames", "what", "needs", "made")
    page = table(f"Lists of tfw-v1 in {request.out}", headings, cells, unwrapped=("list",))
    output.result({"folder": request.out, "lists": rows}, page)


def _show_adapters(output: Output) -> None:
    from talkingface_wild.benchmark.external.adapter import template_path

    adapters = lists.adapters()
    cells = [
        (
            adapter.name,
            adapter.title,
            adapter.track,
            adapter.tried_with if adapter.tried else "no: written from its source",
            ", ".join(adapter.run.variables.values()) if adapter.run else "",
            adapter.licence,
        )
        for adapter in adapters
    ]
    headings = ("name", "system", "track", "tried", "set first", "licence")
    page = table(f"Adapters; template: {template_path()}", headings, cells)
    data = [lists.adapter_data(adapter) for adapter in adapters]
    output.result({"template": template_path(), "adapters": data}, page)


@command(app, MakeListRequest)
def make(request: MakeListRequest, output: Output) -> None:
    """Make one list as CSV with its hash: seeded, no identity on two sides, relative crops.

    With --videos it adds paths, fingerprints and, where an SCRFD weight is here, crops of the face.
    """
    written = lists.make(request, output)
    rows, sha8 = written.list.rows, written.list.sha8
    data = {
        "name": request.name,
        "path": written.path,
        "clips": len(rows),
        "sha8": sha8,
        "identities": len({row.identity for row in rows}),
        "with_video": sum(bool(row.phash) for row in rows),
        "notes": written.notes,
    }
    output.result(data, f"{written.path}: {len(rows)} clips, {request.name}:{sha8}")
