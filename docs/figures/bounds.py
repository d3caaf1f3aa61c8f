"""Where the bounds of the open networks' gates lie among real clips.

``python docs/figures/bounds.py SET`` reads a set curated with ``--score-all`` and writes bounds.csv
(a row per clip and gate) beside this file; without SET it draws bounds.svg from that file.
"""

import csv
import sys
from pathlib import Path

import numpy as np

from talkingface_wild.dataset.borderline import is_numeric
from talkingface_wild.dataset.snapshot import read_recorded
from talkingface_wild.pages.charts import binned
from talkingface_wild.pages.gate_views import gate_views
from talkingface_wild.pages.svg import Shapes, file_drawing, number, scale

HERE = Path(__file__).parent
COLUMNS = ("gate", "column", "comparison", "bound", "unit", "clip", "value")
STAGES = (
    "shots",
    "speech",
    "mesh",
    "liveness",
    "speaks",
    "voices",
    "sound_quality",
    "burnt_text",
    "lips",
)
"""The stages whose gates are drawn."""
ACROSS, WIDE, TALL = 3, 300, 150
PASS, FAIL, INK = "#4477aa", "#cc6677", "#333333"


def read(folder: Path) -> list[dict[str, str]]:
    """A row per clip and numeric gate of these stages, from the latest commit."""
    recorded = read_recorded(folder)
    rows = []
    for view in gate_views(recorded, pictures=0):
        gate, column = view.gate, view.column
        if recorded.owners.get(gate.column) not in STAGES or not is_numeric(gate):
            continue
        for item, value in zip(view.rows.index, view.rows["value"], strict=True):
            source = recorded.origins.get(str(recorded.row(str(item))["root_id"]))
            clip = Path(source.path).stem if source and source.path else str(item)
            words = (gate.name, gate.column, gate.comparison, gate.bound, column.unit, clip, value)
            rows.append(dict(zip(COLUMNS, map(str, words), strict=True)))
    return rows


def draw(rows: list[dict[str, str]]) -> str:
    """Small histograms side by side, a gate each, failing clips in red and named."""
    names = list(dict.fromkeys(row["gate"] for row in rows))
    height = TALL * -(-len(names) // ACROSS) + 10
    page = file_drawing(ACROSS * WIDE, height, font_family="sans-serif", font_size=11)
    page.bar(0, 0, ACROSS * WIDE, height, None, fill="white")
    for place, name in enumerate(names):
        own = [row for row in rows if row["gate"] == name]
        corner = (place % ACROSS * WIDE, place // ACROSS * TALL)
        cell = Shapes(page.add("g", None, transform="translate({} {})".format(*corner)))
        _panel(cell, own)
    return page.markup()


def _panel(cell: Shapes, rows: list[dict[str, str]]) -> None:
    gate, bound = rows[0], float(rows[0]["bound"])
    values = np.array([float(row["value"]) for row in rows])
    at_least = gate["comparison"] in (">=", ">")
    passed = values >= bound if at_least else values <= bound
    bins = binned(values, passed, [bound])
    x_at = scale(float(bins.edges[0]), float(bins.edges[-1]), 12, WIDE - 12)
    most, axis, top = int((bins.passed + bins.failed).max()), TALL - 28.0, 40.0
    for index, edge in enumerate(bins.edges[:-1]):
        floor = axis
        for counts, colour in ((bins.passed, PASS), (bins.failed, FAIL)):
            tall = float(counts[index]) / most * (axis - top)
            floor -= tall
            wide = x_at(float(bins.edges[index + 1])) - x_at(float(edge)) - 1
            if tall:
                cell.bar(x_at(float(edge)), floor, wide, tall, None, fill=colour)
    cell.line(12, axis, WIDE - 12, axis, stroke=INK)
    cell.line(x_at(bound), top - 6, x_at(bound), axis, stroke=INK, stroke_dasharray="3 2")
    rule = f"{gate['column']} {'≥' if at_least else '≤'} {number(bound)} {gate['unit']}"
    cell.label(12, 14, rule.strip(), "start", fill=INK, font_weight="bold")
    out = [row["clip"] for row, passes in zip(rows, passed, strict=True) if not passes]
    words = f"{len(rows)} clips, {len(out)} beyond" + (f": {', '.join(out)}" if out else "")
    cell.label(12, 28, words if len(words) < 50 else words[:47] + "…", "start", fill=INK)
    cell.label(12, TALL - 12, number(float(bins.edges[0])), "start", fill=INK)
    cell.label(WIDE - 12, TALL - 12, number(float(bins.edges[-1])), "end", fill=INK)


def main() -> None:
    """Read a set where one is named, then draw."""
    table = HERE / "bounds.csv"
    if len(sys.argv) > 1:
        rows = read(Path(sys.argv[1]))
        with table.open("w", newline="", encoding="utf-8") as stream:
            writer = csv.DictWriter(stream, COLUMNS, lineterminator="\n")
            writer.writeheader()
            writer.writerows(rows)
    with table.open(newline="", encoding="utf-8") as stream:
        (HERE / "bounds.svg").write_text(draw(list(csv.DictReader(stream))), encoding="utf-8")


if __name__ == "__main__":
    main()
