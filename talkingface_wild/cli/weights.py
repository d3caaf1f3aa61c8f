"""``tfw weights``: list, where, fetch, import and verify trained weights; thin over the store."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from talkingface_wild.cli.output import JsonOption, Output, examples
from talkingface_wild.core.counting import human_bytes
from talkingface_wild.core.errors import CheckFailed, UsageError

if TYPE_CHECKING:
    from rich.table import Table

app = typer.Typer(add_completion=False, no_args_is_help=True)

_TRUSTED = "taken on your word; it is not the published file"
_MEANINGS = {
    "present": "verified",
    "trusted": _TRUSTED,
    "missing": "missing",
    "differs": "not the file it should be",
    "unknown": "no published or recorded hash vouches for it",
}


@app.callback()
def _weights() -> None:
    """List, fetch, import and verify trained weights.

    They lie in TFW_WEIGHTS, or else in the user's data folder ('tfw weights where').
    """


@app.command("list", epilog=examples("tfw weights list", "tfw weights list --json"))
def list_weights(json: JsonOption = False) -> None:
    """Every weight of the manifest: whether it is here, its size, licence and user."""
    from talkingface_wild.weights import default_store

    output = Output("weights list", json)
    store = default_store()
    rows = []
    for name, weight in store.manifest.items():
        found = store.look(name)
        rows.append(
            {
                "name": name,
                "state": found.state,
                "path": found.path,
                "file": weight.file,
                "size": weight.size,
                "sha256": weight.sha256,
                "sha256_source": weight.sha256_source,
                "licence": weight.licence,
                "used_by": weight.used_by,
                "sources": [origin.url for origin in weight.sources],
                "note": weight.note,
            }
        )

    def table() -> Table:
        from rich.table import Table

        drawn = Table(title=f"Weights in {store.folder}", title_justify="left")
        for heading in ("name", "state", "size", "used by", "fetch", "licence"):
            drawn.add_column(heading, no_wrap=heading == "name")
        for row in rows:
            drawn.add_row(
                str(row["name"]),
                str(row["state"]),
                human_bytes(store.entry(str(row["name"])).size),
                ", ".join(store.entry(str(row["name"])).used_by),
                "yes" if row["sources"] else "by hand",
                str(row["licence"]),
            )
        return drawn

    output.result({"folder": store.folder, "weights": rows}, table)


@app.command(epilog=examples("tfw weights where", "tfw weights where --json"))
def where(
    name: Annotated[str | None, typer.Argument(help="A weight; without it, the folder.")] = None,
    json: JsonOption = False,
) -> None:
    """Print the folder of the weights, or the verified file of one."""
    from talkingface_wild.weights import default_store

    output = Output("weights where", json)
    store = default_store()
    path = store.folder if name is None else store.path(name)
    output.result({"name": name, "path": path}, str(path))


@app.command(
    epilog=examples(
        "tfw weights fetch syncnet_v2  # needs the network",
        "tfw weights fetch --all  # needs the network",
    )
)
def fetch(
    names: Annotated[list[str] | None, typer.Argument(help="Names of weights.")] = None,
    every: Annotated[bool, typer.Option("--all", help="All weights that have an address.")] = False,
    json: JsonOption = False,
) -> None:
    """Fetch weights from their official addresses and check their sha256.

    You accept each weight's licence by this; 'tfw weights list' prints them.
    """
    from talkingface_wild.weights import default_store
    from talkingface_wild.weights.fetch import fetch as fetch_weight

    output = Output("weights fetch", json)
    store = default_store()
    if every == bool(names):
        raise UsageError(
            "Expected names of weights or --all, found "
            f"{'both' if every else 'neither'}; run 'tfw weights list' to see the names."
        )
    wanted = list(dict.fromkeys(names or ()))
    if every:
        wanted = [name for name, weight in store.manifest.items() if weight.sources]
    entries = [store.entry(name) for name in wanted]
    fetched = {}
    for weight in entries:
        output.say(f"{weight.name}: {human_bytes(weight.size)}, licence: {weight.licence}")
        with _progress(weight.name) as moved:
            fetched[weight.name] = fetch_weight(store, weight.name, moved)
    lines = "\n".join(f"{name}: {path}" for name, path in fetched.items())
    output.result({"fetched": fetched}, lines)


@app.command(
    "import",
    epilog=examples(
        "tfw weights import .  # needs your own files",
        "tfw weights import ~/Downloads --trust  # needs your own files",
    ),
)
def import_command(
    source: Annotated[Path, typer.Argument(help="A folder, a file, or a zip or tar archive.")],
    trust: Annotated[
        bool, typer.Option("--trust", help="Take files of the right layout but unknown hash, too.")
    ] = False,
    json: JsonOption = False,
) -> None:
    """Copy weights into the store, recognised by sha256 whatever their names.

    A file of the right name and layout but unknown sha256 is refused, unless you add --trust.
    """
    from talkingface_wild.weights import default_store
    from talkingface_wild.weights.importing import import_weights

    output = Output("weights import", json)
    store = default_store()
    results = import_weights(store, source.expanduser(), trust)
    rows = [
        {"name": r.name, "source": r.source, "result": r.result, "reason": r.reason}
        for r in results
    ]
    refused = [r for r in results if r.result == "refused"]
    lines = [f"{r.name}: {r.result} ({r.source})" for r in results if r.result != "refused"]
    for r in refused:
        output.warn(f"{r.source} was refused: {r.reason}")
    lines.append(f"The weights lie in {store.folder}.")
    code = CheckFailed.exit_code if refused else 0
    output.result({"folder": store.folder, "files": rows}, "\n".join(lines), exit_code=code)


@app.command(epilog=examples("tfw weights verify", "tfw weights verify --json"))
def verify(
    names: Annotated[
        list[str] | None, typer.Argument(help="Names of weights; without them, all that are here.")
    ] = None,
    json: JsonOption = False,
) -> None:
    """Hash the weights again and compare; exit code 6 when one is not what it should be."""
    from talkingface_wild.weights import default_store

    output = Output("weights verify", json)
    store = default_store()
    wanted = [store.entry(name).name for name in names] if names else list(store.manifest)
    found = {name: store.look(name, fresh=True) for name in wanted}
    if not names:
        found = {name: seen for name, seen in found.items() if seen.state != "missing"}
    good = {"present", "trusted"}
    rows = [
        {"name": n, "state": f.state, "path": f.path, "sha256": f.sha256} for n, f in found.items()
    ]
    for name, seen in found.items():
        if seen.state == "trusted":
            output.warn(f"{name}: {_TRUSTED}.")
    lines = [f"{name}: {_MEANINGS[seen.state]}" for name, seen in found.items()]
    code = 0 if all(f.state in good for f in found.values()) else CheckFailed.exit_code
    human = "\n".join(lines) or f"There are no weights in {store.folder}."
    output.result({"folder": store.folder, "weights": rows}, human, exit_code=code)


@contextlib.contextmanager
def _progress(name: str) -> Iterator[Callable[[int, int | None], None] | None]:
    """A bar on stderr while a file comes in, where stderr is a terminal."""
    if not sys.stderr.isatty():
        yield None
        return
    from rich.console import Console
    from rich.progress import DownloadColumn, Progress, TransferSpeedColumn

    columns = (*Progress.get_default_columns(), DownloadColumn(), TransferSpeedColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(name, total=None)
        yield lambda have, total: bar.update(task, completed=have, total=total)
