"""The picture of a sweep: time kept over the bound, in all and by language."""

from pathlib import Path

from talkingface_wild.core.paths import write_text
from talkingface_wild.dataset.layout import Layout
from talkingface_wild.pages.line_figure import Curve, Mark, Panel, figure
from talkingface_wild.pages.svg import number
from talkingface_wild.pipelines.sweep import Point, Sweep

_UNITS = (("h", 1.0), ("min", 60.0), ("s", 3600.0))


def write_figure(out: Path, swept: Sweep) -> Path:
    """Write ``figures/sweep_COLUMN.svg`` in the data set's folder; gives the path."""
    path = Layout(out).figures / f"sweep_{swept.column.name}.svg"
    write_text(path, sweep_figure(swept))
    return path


def sweep_figure(swept: Sweep) -> str:
    """The figure as SVG. A present bound far outside of the others is left out of it."""
    points = swept.points
    tried = [point.bound for point in points if not point.current]
    if tried and swept.now is not None:
        room = max(tried) - min(tried)
        points = [p for p in points if min(tried) - room <= p.bound <= max(tried) + room]
    most = max(point.kept.hours + point.pending.hours for point in points)
    unit, factor = next((u for u in _UNITS if most * u[1] >= 1), _UNITS[-1])
    kept = Curve("kept", [(p.bound, p.kept.hours * factor) for p in points])
    curves = [kept]
    if any(point.pending.clips for point in points):
        both = [(p.bound, (p.kept.hours + p.pending.hours) * factor) for p in points]
        curves.append(Curve("with pending", both, dashed=True))
    panels = [Panel("All languages", unit, curves)]
    languages = sorted({language for point in points for language in point.languages})
    if len(languages) > 1:
        panels.append(Panel("Each language", unit, _by_language(points, languages, factor)))
    column = swept.column
    rule = swept.word.replace("_", " ")
    x_name = f"{column.name} {rule}{', ' + column.unit if column.unit else ''}"
    mark = None if swept.now is None else Mark(swept.now, f"now {number(swept.now)}")
    title = f"What is kept as the bound on {column.name} moves"
    words = f"{column.meaning}; commit {swept.commit}, all other gates as they are"
    return figure(title, words, x_name, panels, mark)


def _by_language(points: list[Point], languages: list[str], factor: float) -> list[Curve]:
    """A line per language, those with most first."""
    curves = [
        Curve(
            language,
            [
                (p.bound, p.languages[language].hours * factor if language in p.languages else 0.0)
                for p in points
            ],
        )
        for language in languages
    ]
    return sorted(curves, key=lambda curve: -max(y for _, y in curve.points))
