"""``tfw cite``: BibTeX for exactly what made some runs' numbers."""

import typer

from talkingface_wild.cli.bench_finished import cite
from talkingface_wild.cli.options import command
from talkingface_wild.jobs.bench.finished import CiteRequest

app = typer.Typer(add_completion=False)
command(app, CiteRequest)(cite)
