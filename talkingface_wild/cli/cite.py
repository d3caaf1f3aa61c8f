"""``tfw cite``: BibTeX for exactly what made some runs' numbers."""

import typer

from talkingface_wild.cli.bench_finished import cite
from talkingface_wild.cli.output import examples

app = typer.Typer(add_completion=False)
app.command(
    epilog=examples("tfw cite bench/real", "tfw cite bench/real bench/still --output used.bib")
)(cite)
