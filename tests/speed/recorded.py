"""``python -m tests.speed.recorded FILE OPTIONS…``: the times of one real run of curation.

OPTIONS are those of ``tfw curate`` without ``--json``; the run is made from nothing in ``--out``.
FILE gets when each result came, what it was of and how long it took, for tests of the estimate.
"""

import argparse
import json
import os
import time
from pathlib import Path
from typing import Any

from talkingface_wild.core.reporter import Look, Quiet


class _Origin(Quiet):
    """Notes when the run began that the latest snapshot is of: the stages', after the gathering."""

    def __init__(self, origin: float) -> None:
        self.origin = origin

    def progress(self, look: Look) -> None:
        self.origin = time.time() - look().seconds


def record(request: Any, load_before: float) -> dict[str, Any]:
    """Run ``request`` and give its events, in seconds since the run began."""
    from talkingface_wild.jobs.curate.run import curate

    began = time.time()
    reporter = _Origin(began)
    outcome = curate(request, reporter)
    finished = time.time()
    origin = reporter.origin
    return {
        "engine": request.engine,
        "workers": request.workers,
        "recipe": request.recipe,
        "settings": list(request.settings),
        "cores": os.cpu_count(),
        "load_before": round(load_before, 2),
        "gathering": round(origin - began, 3),
        "finished": round(finished - origin, 3),
        **events(request.out, outcome.plan, origin),
    }


def events(out: Path, plan: Any, origin: float) -> dict[str, Any]:
    """The sources of a folder with their lengths, and its results with what rulings look at."""
    from talkingface_wild.dataset.layout import Layout
    from talkingface_wild.engine.journal import Journal
    from talkingface_wild.pipelines.lengths import source_lengths
    from talkingface_wild.pipelines.sources.collect import load_sources

    columns = {gate.column for planned in plan.stages for gate in planned.gates}
    for planned in plan.stages:
        if planned.whole:
            columns |= set(planned.stage.needs)
    columns |= {"source_seconds", "clip_seconds", "width", "height"}
    layout = Layout(out.absolute())
    sources = load_sources(layout)
    lengths = source_lengths(sources, layout.out / "gathered").seconds
    journal = Journal(layout.out / "journal")
    records = sorted(journal._records.values(), key=lambda each: each.at)
    return {
        "unmeasured": [planned.name for planned in plan.stages if planned.unmeasured],
        "sources": [
            {"id": s.id, "language": s.language, "seconds": lengths.get(s.id)} for s in sources
        ],
        "events": [_event(each, origin, columns) for each in records],
    }


def _event(each: Any, origin: float, columns: set[str]) -> dict[str, Any]:
    event: dict[str, Any] = {
        "at": round(each.at - origin, 3),
        "item": each.item,
        "stage": each.stage,
        "state": each.state,
        "reason": each.reason,
        "seconds": round(each.seconds, 4),
        "cpu_seconds": round(each.cpu_seconds, 4),
        "values": None if each.values is None else _kept(each.values, columns),
        "given": each.given,
    }
    if each.children is not None:
        event["children"] = [
            {"id": child["id"], "values": _kept(child["values"], columns)}
            for child in each.children
        ]
    return event


def _kept(values: Any, columns: set[str]) -> dict[str, Any]:
    return {name: value for name, value in values.items() if name in columns and value is not None}


def main() -> None:
    """The command line."""
    from talkingface_wild.jobs.curate.request import CurateRequest

    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("file", type=Path)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--langs", default="all")
    parser.add_argument("--recipe", default="demo")
    parser.add_argument("--sources", action="append", default=[])
    parser.add_argument("--engine", default="ray")
    parser.add_argument("--workers", type=int)
    parser.add_argument("--set", action="append", default=[], dest="settings")
    options = parser.parse_args()
    load = os.getloadavg()[0]
    request = CurateRequest(
        out=options.out,
        languages=options.langs,
        recipe=options.recipe,
        sources=tuple(options.sources),
        engine=options.engine,
        workers=options.workers,
        settings=tuple(options.settings),
    )
    options.file.write_text(json.dumps(record(request, load), indent=None) + "\n")


if __name__ == "__main__":
    main()
