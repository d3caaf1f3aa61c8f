"""``tfw cite``: BibTeX for exactly what made some runs' numbers."""

from pathlib import Path
from typing import Annotated

import typer

from talkingface_wild.cli.output import JsonOption, Output, examples

app = typer.Typer(add_completion=False)


@app.command(
    epilog=examples("tfw cite bench/real", "tfw cite bench/real bench/still --output used.bib")
)
def cite(
    runs: Annotated[list[Path], typer.Argument(help="Folders that `tfw bench` made.")],
    output_file: Annotated[
        Path | None, typer.Option("--output", help="A file for the entries; stdout without it.")
    ] = None,
    json: JsonOption = False,
) -> None:
    """Print BibTeX for the metrics, networks, protocol, list and intervals of finished runs."""
    output = Output("cite", json)
    from talkingface_wild.benchmark.cite import bibtex, keys_of
    from talkingface_wild.benchmark.runs import read_run
    from talkingface_wild.core.paths import write_text

    read = [read_run(folder) for folder in runs]
    text = bibtex(read)
    if output_file is not None:
        write_text(output_file, text)
    data = {
        "runs": [{"folder": run.folder, "name": run.name, "keys": keys_of(run)} for run in read],
        "bibtex": text,
        "output": output_file,
    }
    output.result(data, str(output_file) if output_file is not None else text.rstrip("\n"))
