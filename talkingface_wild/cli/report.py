"""``tfw report``: one HTML page on a data set."""

import typer

from talkingface_wild.cli.options import command
from talkingface_wild.cli.output import Output
from talkingface_wild.core.counting import human_bytes
from talkingface_wild.core.durations import human_hours
from talkingface_wild.jobs.request import ReportRequest

app = typer.Typer(add_completion=False)


@command(app, ReportRequest)
def report(request: ReportRequest, output: Output) -> None:
    """Write one HTML page that needs nothing else: funnel, gates, languages, cost.

    The page holds small pictures of people; share it as you would share the clips.
    """
    from talkingface_wild.jobs import report as job

    page = job.report(request, output)
    size = request.page.stat().st_size
    data = job.report_data(page) | {"output": request.page, "bytes": size}
    what = f"{page.clips} clips, {human_hours(page.hours)}, commit {page.recorded.number}"
    output.result(data, f"{request.page} ({human_bytes(size)}): {what}")
