"""How a data set stands, by the journal: counts by state, what is left, who holds the folder."""

import json
from collections import Counter
from typing import Any

import pyarrow.compute as pc
import pyarrow.parquet as pq

from talkingface_wild.core.errors import InputUnreadable
from talkingface_wild.dataset.decisions import apply_decisions
from talkingface_wild.dataset.layout import Layout
from talkingface_wild.engine.item_table import build_table
from talkingface_wild.engine.journal import Journal
from talkingface_wild.engine.lock import holder_of
from talkingface_wild.engine.stage import Workplace
from talkingface_wild.jobs.request import StatusRequest
from talkingface_wild.pipelines.planning import plan_of
from talkingface_wild.pipelines.recipe import load_recipe
from talkingface_wild.pipelines.source_items import root_item
from talkingface_wild.pipelines.sources.collect import load_sources
from talkingface_wild.pipelines.targets import admitted_ruling


def status(request: StatusRequest) -> dict[str, Any]:
    """Plain data for ``tfw status``. Raises InputUnreadable where no run ever began."""
    out = request.out
    layout = Layout(out.absolute())
    stored = layout.out / "recipe.yaml"
    if not stored.is_file():
        raise InputUnreadable(
            f"Expected a data set in {out}, found no run there; "
            f"begin one with `tfw curate --out {out}`."
        )
    recipe = load_recipe(str(stored))
    plan = plan_of(recipe)
    journal = Journal(layout.out / "journal", with_logs=True)
    sources = load_sources(layout)
    table, _ = build_table(plan, journal, [root_item(source) for source in sources])
    ruling = admitted_ruling(plan, recipe, table, sources, Workplace(layout.out))
    apply_decisions(layout, ruling)
    left = Counter(plan.stages[position].name for _, position, _ in ruling.todo)
    states = ruling.verdicts["state"]
    counts = {
        level: {str(s): int(n) for s, n in states[mask.to_numpy(bool)].value_counts().items()}
        for level, mask in ((level, table["level"] == level) for level in ("source", "clip"))
    }
    number = rows = hours = None
    if (layout.dataset / "manifest.json").is_file():
        number = int(layout.dataset.resolve().name)
        rows = json.loads((layout.dataset / "manifest.json").read_text())["rows"]
        seconds = pq.read_table(layout.latest() / "clips", columns=["clip_seconds"])["clip_seconds"]
        hours = round((pc.sum(seconds).as_py() or 0.0) / 3600, 6)
    return {
        "out": str(out),
        "recipe": recipe.name,
        "results": len(journal),
        "items": counts,
        "left": left,
        "held_by": holder_of(layout.out),
        "commit": number,
        "rows": rows,
        "hours_kept": hours,
        "unmeasured": plan.unmeasured,
    }
