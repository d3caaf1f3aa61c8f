"""``tfw doctor``: what this machine has, what is missing or broken, and the line that mends it."""

from dataclasses import asdict

import typer

from talkingface_wild.cli.options import command
from talkingface_wild.cli.output import Output
from talkingface_wild.core.errors import CheckFailed
from talkingface_wild.jobs.doctor import DoctorRequest, run_checks
from talkingface_wild.pages.terminal.rich_table import table

app = typer.Typer(add_completion=False)


@command(app, DoctorRequest)
def doctor(request: DoctorRequest, output: Output) -> None:
    """Check this machine; exit code 6 when something that is needed is broken."""
    checks = list(run_checks(request.folder))
    broken = [check for check in checks if check.status == "broken"]
    for check in broken:
        output.warn(f"{check.name}: {check.found}. {check.advice}")
    rows = [(check.status, check.name, check.found, check.advice) for check in checks]
    page = table(None, ("", "what", "found", "what to do"), rows, fold=True, show_edge=False)
    data = {"checks": [asdict(check) for check in checks], "broken": len(broken)}
    output.result(data, page, exit_code=CheckFailed.exit_code if broken else 0)
