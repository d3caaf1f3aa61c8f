"""What ``tfw curate --plan`` says: stages, weights, what is done, what is left, about how long."""

from __future__ import annotations

import statistics
from typing import Any

from talkingface_wild.dataset.layout import Layout
from talkingface_wild.engine.journal import Journal
from talkingface_wild.engine.stage import Workplace
from talkingface_wild.engine.table import build_table, fact
from talkingface_wild.pipelines.curate import recipe_of
from talkingface_wild.pipelines.gathering import load_sources
from talkingface_wild.pipelines.items import root_item
from talkingface_wild.pipelines.planning import plan_of, plan_summary
from talkingface_wild.pipelines.request import Request
from talkingface_wild.pipelines.targets import admitted_ruling


def estimate(request: Request) -> dict[str, Any]:
    """Plain data for ``--plan``; reads the journal, starts nothing, opens no media and no network.

    Seconds are estimated from what the same stage took in this folder; without that they are None.
    """
    recipe = recipe_of(request)
    plan = plan_of(recipe, request.score_all)
    layout = Layout(request.out.absolute())
    sources = load_sources(layout)
    table = None
    todo: dict[str, int] = {}
    if layout.out.exists():
        journal = Journal(layout.out / "journal")
        table, _ = build_table(plan, journal, [root_item(source) for source in sources])
        ruling = admitted_ruling(plan, recipe, table, sources, Workplace(layout.out))
        for _, position, _ in ruling.todo:
            name = plan.stages[position].name
            todo[name] = todo.get(name, 0) + 1
    rows = plan_summary(recipe)
    for row in rows:
        name = str(row["stage"])
        seconds: list[float] = []
        row["done"] = 0
        if table is not None and fact(name, "state") in table:
            row["done"] = int(table[fact(name, "state")].notna().sum())
            seconds = [float(value) for value in table[fact(name, "seconds")].dropna()]
        row["to_do"] = todo.get(name, 0)
        row["seconds_estimated"] = (
            round(statistics.mean(seconds) * todo.get(name, 0), 1) if seconds else None
        )
    notes = [f"{len(sources)} sources are known in {request.out}."]
    if not sources:
        where = (
            "the demo corpus"
            if recipe.corpus == "demo"
            else "keyword searches"
            if recipe.corpus == "search"
            else "--sources"
        )
        notes = [
            f"No sources are known in {request.out} yet; "
            f"they will come from {', '.join(request.sources) or where}."
        ]
    missing = [
        name for row in rows if row["policy"] == "required" for name in row["weights_missing"]
    ]
    if missing:
        notes.append(
            "Weights that this recipe requires are missing: "
            f"tfw weights fetch {' '.join(dict.fromkeys(missing))}"
        )
    return {"recipe": recipe.name, "stages": rows, "sources": len(sources), "notes": notes}
