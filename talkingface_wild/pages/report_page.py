"""The report on a data set as one HTML page without scripts or outside hosts."""

import contextlib
from collections.abc import Sequence
from pathlib import Path

from talkingface_wild.core.durations import human_hours
from talkingface_wild.core.errors import RecipeError
from talkingface_wild.core.language_names import NAMES
from talkingface_wild.core.paths import write_text
from talkingface_wild.core.reasons import ALL
from talkingface_wild.dataset.funnel import Step
from talkingface_wild.dataset.snapshot import read_recorded
from talkingface_wild.pages.charts import bars, share_bar
from talkingface_wild.pages.data_report import (
    MOST_PICTURES,
    TABLE_1,
    LanguageRow,
    Report,
    gather_report,
)
from talkingface_wild.pages.report_gates import gate_chart, scores_by_language
from talkingface_wild.pages.svg import number
from talkingface_wild.pages.templating import NONE, Cell, MarkedText, decimals, noun, render
from talkingface_wild.pipelines.stages import stage_class

MOST_FAILURES = 200


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
    recorded, languages, costs = report.recorded, report.languages, report.costs
    hours = [(row.language, row.hours_kept, _hours_of(row)) for row in languages]
    seconds = [(c.stage, c.cpu_seconds, f"{c.cpu_seconds:.2f} s") for c in costs if c.items]
    sides = sorted({side for row in languages for side in row.sides})
    return render(
        "report.html",
        title=f"{recorded.name}: data set report, commit {recorded.number}",
        report=report,
        recorded=recorded,
        words=f"Commit {recorded.number} of {recorded.written:%Y-%m-%d %H:%M} UTC, "
        f"recipe {recorded.recipe}. {recorded.summary}",
        paper=TABLE_1,
        spoken=sum(row.clips_kept > 0 for row in languages),
        people=_people(report),
        hours_chart=bars(hours, "Time kept per language") if hours else None,
        languages=[_language_cells(row) for row in languages],
        funnels=[
            (title, [_step_cells(step) for step in report.funnels[level]])
            for level, title in (("source", "Sources"), ("clip", "Clips"))
        ],
        language_funnels=[
            (
                f"Clips listed as {language}: {steps[-1].stayed} left after {steps[-1].stage}",
                [_step_cells(step) for step in steps],
            )
            for language, steps in report.language_funnels.items()
        ],
        lost=_lost_reasons(report),
        gates=[(view, gate_chart(view)) for view in report.gates],
        scores=scores_by_language(report),
        sides=sides,
        split=[(row.language, *(row.sides.get(side, 0) for side in sides)) for row in languages],
        failures=[
            (f.item, f.source, f.language, f.stage, f.reason, f.detail, f.attempts)
            for f in report.failures[:MOST_FAILURES]
        ],
        costs_chart=bars(seconds, "CPU seconds per stage") if seconds else None,
        costs=[
            (
                cost.stage,
                cost.items,
                cost.retries,
                decimals(cost.seconds, 2),
                decimals(cost.cpu_seconds, 2),
                decimals(cost.cpu_per_source_second, 4),
            )
            for cost in costs
        ],
    )


def _people(report: Report) -> str:
    """The count of identities, and how far it hangs on the bound."""
    if report.identities is None:
        return NONE
    few, many = report.identity_range or (report.identities, report.identities)
    count = number(report.identities)
    return count if few == many else f"{count} ({number(few)} to {number(many)})"


def _hours_of(row: LanguageRow) -> str:
    clips = noun(row.clips_kept, "clip", "clips")
    return f"{human_hours(row.hours_kept)}, {row.clips_kept} {clips}"


def _language_cells(row: LanguageRow) -> tuple[Cell, ...]:
    return (
        row.language,
        NAMES.get(row.language, ""),
        row.sources,
        row.clips_cut,
        row.clips_accepted,
        f"{row.clips_accepted / row.clips_cut:.0%}" if row.clips_cut else NONE,
        row.clips_kept,
        human_hours(row.hours_kept),
        decimals(row.mean_seconds),
        NONE if row.identities is None else row.identities,
    )


def _lost_reasons(report: Report) -> Sequence[tuple[Cell, ...]]:
    """Reasons of all items that were not kept, the most frequent first."""
    counts: dict[str, int] = {}
    for steps in report.funnels.values():
        for step in steps:
            for reason, count in step.reasons.items():
                counts[reason] = counts.get(reason, 0) + count
    ordered = sorted(counts.items(), key=lambda pair: (-pair[1], pair[0]))
    meanings = _own_meanings(report) | ALL
    return [(reason, meanings.get(reason, ""), count) for reason, count in ordered]


def _own_meanings(report: Report) -> dict[str, str]:
    """What gates and stages say of reasons of their own; a plug-in may be gone by now."""
    meanings = {gate.reason: gate.meaning for gate in report.recorded.gates}
    for name in report.recorded.stages:
        with contextlib.suppress(RecipeError):
            own = getattr(stage_class(name), "reasons", ())
            meanings |= {reason.name: reason.meaning for reason in own}
    return meanings


def _step_cells(step: Step) -> tuple[Cell, ...]:
    """One row of a funnel; what was let through unmeasured is no number of kept items."""
    lost_counts = (step.rejected, step.failed, step.pending)
    lost = ", ".join(f"{reason} {count}" for reason, count in step.reasons.items())
    hours = NONE if step.hours_kept is None else human_hours(step.hours_kept)
    bar = share_bar(step.stayed, *lost_counts, measured=step.measured)
    if step.measured:
        return (step.stage, bar, step.entered, step.stayed, *lost_counts, hours, lost)
    words = f"not measured ({step.unmeasured})" + (f"; {lost}" if lost else "")
    stage, why = (MarkedText(text, class_="unmeasured") for text in (step.stage, words))
    return (stage, bar, step.entered, NONE, *lost_counts, NONE, why)
