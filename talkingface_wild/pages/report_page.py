"""The report as one HTML page without scripts or outside hosts; ``markup`` escapes all text."""

from __future__ import annotations

from collections.abc import Sequence
from importlib import resources
from pathlib import Path

from talkingface_wild import __version__
from talkingface_wild.core.durations import human_hours
from talkingface_wild.core.languages import NAMES
from talkingface_wild.core.paths import write_text
from talkingface_wild.core.reasons import ALL
from talkingface_wild.dataset.charts import bars, number, share_bar
from talkingface_wild.dataset.funnel import Step
from talkingface_wild.dataset.markup import Content, Markup, tag
from talkingface_wild.dataset.recorded import read_recorded
from talkingface_wild.dataset.report import (
    MOST_PICTURES,
    TABLE_1,
    LanguageRow,
    Report,
    gather_report,
)
from talkingface_wild.dataset.report_gates import gates_section, languages_section

POLICY = "default-src 'none'; img-src data:; style-src 'unsafe-inline'"
MOST_FAILURES = 200
_NONE = "—"


def write_report(out: Path, output: Path | None = None, pictures: int = MOST_PICTURES) -> Report:
    """Write the page of the latest commit in ``out`` to ``output`` (default ``out/report.html``).

    At most ``pictures`` stills of borderline items are decoded. Raises InputUnreadable where there
    is no data set.
    """
    report = gather_report(read_recorded(out), pictures)
    write_text(output or out / "report.html", page(report))
    return report


def page(report: Report) -> str:
    """The whole page as text."""
    recorded = report.recorded
    title = f"{recorded.name}: data set report, commit {recorded.number}"
    style = resources.files("talkingface_wild.dataset").joinpath("report.css").read_text("utf-8")
    head = tag(
        "head",
        tag("meta", charset="utf-8"),
        tag("meta", http_equiv="Content-Security-Policy", content=POLICY),
        tag("meta", name="viewport", content="width=device-width, initial-scale=1"),
        tag("meta", name="color-scheme", content="light dark"),
        tag("title", title),
        tag("style", Markup(style)),
    )
    main = tag(
        "main",
        _overview(report),
        _balance(report),
        _funnel(report),
        gates_section(report.gates, recorded.unmeasured),
        languages_section(report),
        _identities(report),
        _failures(report),
        _costs(report),
        _unmeasured(report),
        tag("footer", f"Written by talkingface-wild {__version__}."),
    )
    return f"<!doctype html>\n{tag('html', head, tag('body', main), lang='en')}\n"


def table(headings: Sequence[str], rows: Sequence[Sequence[Content]]) -> Markup:
    """A table that scrolls sideways where the screen is narrow; numbers are set right."""
    columns = list(zip(*rows, strict=True)) or [()] * len(headings)
    head = tag(
        "tr",
        *(
            tag("th", heading, scope="col", class_="n" if all(map(_is_number, cells)) else None)
            for heading, cells in zip(headings, columns, strict=True)
        ),
    )
    body = [
        tag("tr", *(tag("td", cell, class_="n" if _is_number(cell) else None) for cell in row))
        for row in rows
    ]
    return tag("div", tag("table", tag("thead", head), tag("tbody", *body)), class_="scroll")


_LONGEST_NUMBER = 24
"""Longer text that begins with a digit is a sentence."""


def _is_number(cell: Content) -> bool:
    if isinstance(cell, Markup) or cell is None:
        return False
    if not isinstance(cell, str) or cell == _NONE:
        return True
    return len(cell) <= _LONGEST_NUMBER and cell.lstrip("-−")[:1].isdigit()


def _section(title: str, *content: Content) -> Markup:
    return tag("section", tag("h2", title), *content)


def _overview(report: Report) -> Markup:
    recorded = report.recorded
    sources = len(recorded.sources)
    facts = [
        ("sources", number(sources)),
        ("clips kept", number(report.clips)),
        ("of video kept", human_hours(report.hours)),
        (
            "seconds on average",
            _NONE if report.mean_seconds is None else f"{report.mean_seconds:.1f}",
        ),
        ("languages", str(sum(row.clips_kept > 0 for row in report.languages))),
        ("identities", number(report.identities))
        if report.identities is not None
        else ("identities not measured", _NONE),
    ]
    cards = [tag("div", tag("b", value), tag("span", name), class_="card") for name, value in facts]
    notes = [tag("p", warning, class_="warning") for warning in report.warnings]
    return tag(
        "header",
        tag("h1", recorded.name),
        tag(
            "p",
            f"Commit {recorded.number} of {recorded.written:%Y-%m-%d %H:%M} UTC, "
            f"recipe {recorded.recipe}. {recorded.summary}",
        ),
        tag("div", *cards, class_="cards"),
        *notes,
    )


def _balance(report: Report) -> Markup:
    paper = TABLE_1
    hours = [
        (
            row.language,
            row.hours_kept,
            f"{human_hours(row.hours_kept)}, {row.clips_kept} "
            + ("clip" if row.clips_kept == 1 else "clips"),
        )
        for row in report.languages
    ]
    spoken = sum(row.clips_kept > 0 for row in report.languages)
    compared: list[tuple[Content, ...]] = [
        ("languages", spoken, paper.languages),
        (
            "identities",
            _NONE if report.identities is None else number(report.identities),
            number(paper.identities),
        ),
        ("clips", number(report.clips), number(paper.clips)),
        ("video", human_hours(report.hours), human_hours(paper.hours)),
        (
            "mean length, s",
            _NONE if report.mean_seconds is None else f"{report.mean_seconds:.1f}",
            paper.mean_seconds,
        ),
    ]
    return _section(
        "Languages",
        tag(
            "p",
            "Kept video by final language; the paper's data set, evenly spread, would have "
            f"{human_hours(paper.hours / paper.languages)} in each.",
        ),
        tag("div", bars(hours, "Time kept per language"), class_="wide") if hours else "",
        table(
            (
                "language",
                "name",
                "sources",
                "clips cut",
                "accepted",
                "accept rate",
                "clips",
                "time",
                "mean s",
                "identities",
            ),
            [_language_cells(row) for row in report.languages],
        ),
        tag(
            "p",
            "Sources, clips cut and the accept rate go by the language as listed, "
            "clips and time by the final one.",
        ),
        tag("h3", "Beside the paper’s Table 1"),
        table(("", "here", "paper"), compared),
    )


def _language_cells(row: LanguageRow) -> list[Content]:
    rate = f"{row.clips_accepted / row.clips_cut:.0%}" if row.clips_cut else _NONE
    mean = _NONE if row.mean_seconds is None else f"{row.mean_seconds:.1f}"
    people = _NONE if row.identities is None else row.identities
    counts: list[Content] = [row.sources, row.clips_cut, row.clips_accepted, rate, row.clips_kept]
    return [
        row.language,
        NAMES.get(row.language, ""),
        *counts,
        human_hours(row.hours_kept),
        mean,
        people,
    ]


def _funnel(report: Report) -> Markup:
    parts: list[Content] = []
    for level, title in (("source", "Sources"), ("clip", "Clips")):
        if report.funnels[level]:
            parts += [tag("h3", title), _steps(report.funnels[level])]
    for language, steps in report.language_funnels.items():
        last = steps[-1]
        summary = f"Clips listed as {language}: {last.stayed} left after {last.stage}"
        parts.append(tag("details", tag("summary", summary), _steps(steps)))
    lost = _lost_reasons(report)
    parts.append(tag("h3", "Why items were lost"))
    parts.append(
        table(
            ("reason", "meaning", "items"),
            [(name, ALL.get(name, ""), count) for name, count in lost],
        )
    )
    return _section("Funnel", *parts)


def _lost_reasons(report: Report) -> list[tuple[str, int]]:
    """Reasons of all items that were not kept, the most frequent first."""
    counts: dict[str, int] = {}
    for steps in report.funnels.values():
        for step in steps:
            for reason, count in step.reasons.items():
                counts[reason] = counts.get(reason, 0) + count
    return sorted(counts.items(), key=lambda pair: (-pair[1], pair[0]))


def _steps(steps: Sequence[Step]) -> Markup:
    rows = [_step_cells(step) for step in steps]
    headings = (
        "stage",
        "",
        "entered",
        "kept",
        "rejected",
        "failed",
        "pending",
        "time kept",
        "reasons",
    )
    return table(headings, rows)


def _step_cells(step: Step) -> tuple[Content, ...]:
    """One row of a funnel; what was let through unmeasured is no number of kept items."""
    lost_counts = (step.rejected, step.failed, step.pending)
    lost = ", ".join(f"{reason} {count}" for reason, count in step.reasons.items())
    hours = _NONE if step.hours_kept is None else human_hours(step.hours_kept)
    bar = share_bar(step.stayed, *lost_counts, measured=step.measured)
    if step.measured:
        return (step.stage, bar, step.entered, step.stayed, *lost_counts, hours, lost)
    words = f"not measured ({step.unmeasured})" + (f"; {lost}" if lost else "")
    grey = [tag("span", cell, class_="unmeasured") for cell in (step.stage, words)]
    return (grey[0], bar, step.entered, _NONE, *lost_counts, _NONE, grey[1])


def _identities(report: Report) -> Markup:
    sides = sorted({side for row in report.languages for side in row.sides})
    counted: list[tuple[Content, ...]] = [
        (row.language, *(row.sides.get(side, 0) for side in sides)) for row in report.languages
    ]
    people = "not measured" if report.identities is None else number(report.identities)
    copies = "not compared" if report.duplicates is None else number(report.duplicates)
    return _section(
        "Identities, duplicates, split",
        tag("p", f"Identities among kept clips: {people}. Clips found to be copies: {copies}."),
        table(("language", *sides), counted) if sides else tag("p", "No split was made."),
    )


def _failures(report: Report) -> Markup:
    if not report.failures:
        return _section("Failures", tag("p", "Nothing failed."))
    rows = [
        (f.item, f.source, f.language, f.stage, f.reason, f.detail, f.attempts)
        for f in report.failures[:MOST_FAILURES]
    ]
    headings = ("item", "source", "language", "stage", "reason", "what was found", "attempts")
    more = len(report.failures) - len(rows)
    note = tag("p", f"{more} more are in ledger/.") if more else ""
    return _section("Failures", table(headings, rows), note)


def _costs(report: Report) -> Markup:
    rows = [
        (
            cost.stage,
            cost.items,
            cost.retries,
            f"{cost.seconds:.2f}",
            f"{cost.cpu_seconds:.2f}",
            _NONE if cost.cpu_per_source_second is None else f"{cost.cpu_per_source_second:.4f}",
        )
        for cost in report.costs
    ]
    charted = [(c.stage, c.cpu_seconds, f"{c.cpu_seconds:.2f} s") for c in report.costs if c.items]
    headings = (
        "stage",
        "items",
        "retries",
        "seconds",
        "CPU seconds",
        "CPU seconds per source second",
    )
    drawn = tag("div", bars(charted, "CPU seconds per stage"), class_="wide") if charted else ""
    return _section("Time and cost", drawn, table(headings, rows))


def _unmeasured(report: Report) -> Markup:
    missing = report.recorded.unmeasured
    if not missing:
        return _section("Unmeasured", tag("p", "Every stage of the recipe measured."))
    return _section("Unmeasured", table(("stage", "why"), list(missing.items())))
