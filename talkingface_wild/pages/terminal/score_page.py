"""The scores of a run as a person reads them."""

from collections.abc import Mapping
from typing import Any

from rich.console import Group
from rich.text import Text

from talkingface_wild.benchmark.metrics import METRICS
from talkingface_wild.benchmark.tables.score_columns import ARROWS
from talkingface_wild.core.counting import counted
from talkingface_wild.pages.terminal.rich_table import table


def scores_page(data: Mapping[str, Any]) -> Group:
    """The page of a run's ``--json`` data."""
    rows = []
    for name, score in data["scores"].items():
        bounds = (score["low"], score["high"])
        notes = (score["note"], "UNOFFICIAL WEIGHTS" * bool(score["unofficial"]))
        rows.append(
            (
                f"{METRICS[name].title} {ARROWS[METRICS[name].better]}".strip(),
                "–" if score["value"] is None else f"{score['value']:.4f}",
                "" if None in bounds else f"{bounds[0]:.4f} – {bounds[1]:.4f}",
                counted(score["n"], score["unit"].removesuffix("s")),
                "; ".join(filter(None, notes)),
            )
        )
    title = f"{data['name']} on {data['list']}, {data['protocol']}"
    headings = ("metric", "value", "95 % interval", "n", "note")
    page = table(title, headings, rows, right=("value", "n"), fold=True)
    lines = [
        f"{data['scored']} of {data['clips']} clips scored",
        f"run     {data['out']}",
        f"page    {data['report']}",
        f"next    tfw bench table {data['out']}",
    ]
    if data["trained_on"]:
        lines.insert(1, f"trained on {data['trained_on']}")
    return Group(page, *map(Text, lines))
