"""One HTML page on a data set."""

import dataclasses
from typing import Any

from talkingface_wild.core.reporter import Reporter
from talkingface_wild.jobs.request import ReportRequest
from talkingface_wild.pages.data_report import Report
from talkingface_wild.pages.report_page import write_report

_NUMBERS = ("clips", "hours", "mean_seconds", "identities", "duplicates")


def report(request: ReportRequest, reporter: Reporter) -> Report:
    """Write the page. Raises InputUnreadable where there is no data set."""
    written = write_report(request.out, request.page, request.pictures)
    for warning in written.warnings:
        reporter.warn(warning)
    return written


def report_data(report: Report) -> dict[str, Any]:
    """The numbers of the page as plain data."""
    recorded = report.recorded
    stills = [example for view in report.gates for example in view.examples]
    return {
        "commit": recorded.number,
        **{name: getattr(recorded, name) for name in ("name", "written", "recipe")},
        **{name: getattr(report, name) for name in _NUMBERS},
        "languages": [dataclasses.asdict(row) for row in report.languages],
        "funnel": {
            level: [dataclasses.asdict(step) for step in steps]
            for level, steps in report.funnels.items()
        },
        "costs": [dataclasses.asdict(cost) for cost in report.costs],
        "failures": len(report.failures),
        "unmeasured": dict(recorded.unmeasured),
        "pictures": sum(example.picture is not None for example in stills),
        "pictures_missing": sum(example.picture is None for example in stills),
    }
