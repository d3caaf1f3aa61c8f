"""``tfw bench list``: the protocol's lists, what each needs, which are made; and making them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from talkingface_wild.cli.output import JsonOption, Output, examples
from talkingface_wild.core.errors import TfwError

if TYPE_CHECKING:
    from rich.table import Table

    from talkingface_wild.perception.face_detector import Detector

app = typer.Typer(add_completion=False, invoke_without_command=True)

FolderOption = Annotated[
    Path, typer.Option("--out", help="The folder of the lists; videos may lie in it.")
]


@app.callback(
    epilog=examples(
        "tfw bench list",
        "tfw bench list --adapters --json",
        "tfw bench list make hdtf-100 --from HDTF/HDTF_dataset  # needs HDTF's lists",
    )
)
def show(
    context: typer.Context,
    out: FolderOption = Path(),
    adapters: Annotated[
        bool, typer.Option("--adapters", help="Show the adapters of external systems instead.")
    ] = False,
    json: JsonOption = False,
) -> None:
    """Show the lists of protocol tfw-v1: what each needs, and which are made in the folder."""
    if context.invoked_subcommand is not None:
        return
    output = Output("bench list", json)
    if adapters:
        _show_adapters(output)
        return
    rows = _lists(out)
    output.result({"folder": out, "lists": rows}, lambda: _table(rows, out))


def _lists(folder: Path) -> list[dict[str, Any]]:
    from talkingface_wild.benchmark.lists.clip_list import read_list
    from talkingface_wild.benchmark.lists.plans import PLANS

    rows = []
    for plan in PLANS.values():
        path = folder / f"{plan.name}.csv"
        row: dict[str, Any] = {
            "name": plan.name,
            "title": plan.title,
            "clips": plan.clips,
            "frames": plan.frames,
            "needs": plan.needs,
            "made": path.is_file(),
            "path": None,
            "sha8": None,
            "error": None,
        }
        if row["made"]:
            row["path"] = path
            try:
                found = read_list(path)
                row |= {"sha8": found.sha8, "clips": len(found.rows)}
            except TfwError as error:
                row["error"] = str(error)
        rows.append(row)
    return rows


def _table(rows: list[dict[str, Any]], folder: Path) -> Table:
    from rich.table import Table

    drawn = Table(title=f"Lists of tfw-v1 in {folder}", title_justify="left")
    for heading in ("list", "clips", "frames", "what", "needs", "made"):
        drawn.add_column(heading, no_wrap=heading == "list")
    for row in rows:
        made = "no" if not row["made"] else row["sha8"] or f"broken: {row['error']}"
        clips = "—" if row["clips"] is None else str(row["clips"])
        drawn.add_row(row["name"], clips, str(row["frames"]), row["title"], row["needs"], made)
    return drawn


def _show_adapters(output: Output) -> None:
    from talkingface_wild.benchmark.external.adapter import (
        adapter_names,
        load_adapter,
        template_path,
    )

    found = [load_adapter(name) for name in adapter_names()]
    rows = [
        {
            "name": adapter.name,
            "title": adapter.title,
            "track": adapter.track,
            "stochastic": adapter.stochastic,
            "tried": adapter.tried,
            "tried_with": adapter.tried_with,
            "repository": adapter.repository,
            "licence": adapter.licence,
            "note": adapter.note,
            "variables": dict(adapter.run.variables) if adapter.run else {},
        }
        for adapter in found
    ]

    def table() -> Table:
        from rich.table import Table

        drawn = Table(title=f"Adapters; template: {template_path()}", title_justify="left")
        for heading in ("name", "system", "track", "tried", "set first", "licence"):
            drawn.add_column(heading)
        for adapter in found:
            tried = adapter.tried_with if adapter.tried else "no: written from its source"
            names = ", ".join(adapter.run.variables.values()) if adapter.run else ""
            drawn.add_row(adapter.name, adapter.title, adapter.track, tried, names, adapter.licence)
        return drawn

    output.result({"template": template_path(), "adapters": rows}, table)


@app.command(
    epilog=examples(
        "tfw bench list make hdtf-100 --from HDTF/HDTF_dataset --videos videos"
        "  # needs HDTF's lists",
        "tfw bench list make celebv-200 --from celebvhq_info.json  # needs CelebV-HQ's list",
        "tfw bench list make tfw-400 --from my_set --out my_set  # needs 400 identities",
        "tfw bench list make open-400 --portraits faces --sounds voices  # needs your own files",
    )
)
def make(
    name: Annotated[str, typer.Argument(help="A list of `tfw bench list`.")],
    source: Annotated[
        Path | None, typer.Option("--from", help="The published lists, or a data set's folder.")
    ] = None,
    videos: Annotated[
        Path | None,
        typer.Option("--videos", help="Whole source videos, named as the published list has them."),
    ] = None,
    portraits: Annotated[
        Path | None, typer.Option("--portraits", help="Pictures of the open set.")
    ] = None,
    sounds: Annotated[
        Path | None, typer.Option("--sounds", help="Sounds of the open set (WAV).")
    ] = None,
    split: Annotated[
        str, typer.Option("--split", help="Of a data set: train, val, test or all.")
    ] = "test",
    seed: Annotated[
        int | None, typer.Option("--seed", help="Another draw, another hash: no longer tfw-v1's.")
    ] = None,
    out: FolderOption = Path(),
    json: JsonOption = False,
) -> None:
    """Make one list as CSV with its hash: seeded, no identity on two sides, relative crops.

    With --videos it adds paths, fingerprints and, where an SCRFD weight is here, crops of the face.
    """
    output = Output("bench list make", json)
    from talkingface_wild.benchmark.lists.make_list import make_list
    from talkingface_wild.benchmark.lists.plans import SEED

    def progress(done: int, total: int) -> None:
        if done % 10 == 0 or done == total:
            output.say(f"{done} of {total} clips")

    made = make_list(
        name,
        out,
        source=source,
        videos=videos,
        portraits=portraits,
        sounds=sounds,
        split=split,
        seed=SEED if seed is None else seed,
        detector=_detector(output) if videos is not None else None,
        progress=progress,
    )
    for note in made.notes:
        output.warn(note)
    data = {
        "name": name,
        "path": made.path,
        "clips": len(made.list.rows),
        "sha8": made.list.sha8,
        "identities": len({row.identity for row in made.list.rows}),
        "with_video": sum(bool(row.phash) for row in made.list.rows),
        "notes": made.notes,
    }
    output.result(data, f"{made.path}: {len(made.list.rows)} clips, {name}:{made.list.sha8}")


def _detector(output: Output) -> Detector | None:
    from talkingface_wild.benchmark.lists.videos import scrfd

    found = scrfd()
    if found is None:
        return None
    output.say(f"crops by {found[0]}")
    return found[1]
