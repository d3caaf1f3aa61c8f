"""``tfw weights``: list, where, fetch, import and verify trained weights."""

import dataclasses
import functools

import typer

from talkingface_wild.cli.options import command, options_of
from talkingface_wild.cli.output import Output, examples
from talkingface_wild.core.errors import CheckFailed
from talkingface_wild.core.request import Request
from talkingface_wild.jobs import weights as jobs
from talkingface_wild.jobs.weights import FetchRequest, ImportRequest, WhereRequest
from talkingface_wild.pages.terminal.bar import bar
from talkingface_wild.pages.terminal.weights import states_page, weights_page

app = typer.Typer(add_completion=False, no_args_is_help=True)


@app.callback()
def _weights() -> None:
    """List, fetch, import and verify trained weights.

    They lie in TFW_WEIGHTS, or else in the user's data folder ('tfw weights where').
    """


@app.command("list", epilog=examples("tfw weights list", "tfw weights list --json"))
@options_of(Request)
def list_weights(request: Request, output: Output) -> None:
    """Every weight, by what it unlocks: whether it is here, its licence, how to get it."""
    folder, rows = jobs.where(WhereRequest()), list(jobs.list_weights())
    output.result({"folder": folder, "weights": rows}, weights_page(folder, rows))


@command(app, WhereRequest)
def where(request: WhereRequest, output: Output) -> None:
    """Print the folder of the weights, or the verified file of one."""
    path = jobs.where(request)
    output.result({"name": request.name, "path": path}, str(path))


@command(app, FetchRequest)
def fetch(request: FetchRequest, output: Output) -> None:
    """Fetch weights from their official addresses and check their sha256.

    You accept each weight's licence by this; 'tfw weights list' prints them.
    """
    files = jobs.fetch(request, output, functools.partial(bar, in_bytes=True))
    output.result({"fetched": files}, "\n".join(f"{name}: {path}" for name, path in files.items()))


@command(app, ImportRequest, "import")
def import_command(request: ImportRequest, output: Output) -> None:
    """Copy weights into the store, recognised by sha256 whatever their names.

    A file of the right name and layout but unknown sha256 is refused, unless you add --trust.
    """
    results, folder = jobs.import_files(request, output), jobs.where(WhereRequest())
    names = ("name", "source", "result", "reason")
    rows = [{name: getattr(one, name) for name in names} for one in results]
    taken = [one for one in results if one.result != "refused"]
    lines = [f"{one.name}: {one.result} ({one.source})\n" for one in taken]
    page = f"{''.join(lines)}The weights lie in {folder}."
    code = CheckFailed.exit_code if len(taken) < len(results) else 0
    output.result({"folder": folder, "files": rows}, page, exit_code=code)


@command(app, jobs.VerifyWeightsRequest)
def verify(request: jobs.VerifyWeightsRequest, output: Output) -> None:
    """Hash the weights again and compare; exit code 6 when one is not what it should be."""
    files, folder = jobs.verify(request, output), jobs.where(WhereRequest())
    rows = [{"name": name, **dataclasses.asdict(file)} for name, file in files.items()]
    good = all(file.verified for file in files.values())
    page = states_page(folder, {name: file.state for name, file in files.items()})
    code = 0 if good else CheckFailed.exit_code
    output.result({"folder": folder, "weights": rows}, page, exit_code=code)
