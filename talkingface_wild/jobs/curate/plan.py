"""What ``tfw curate --plan`` says: what there is, what is left to do, how long, how much disk.

Reads journals, lists and the headers of files; writes nothing, asks no host.
"""

from collections.abc import Sequence
from typing import Any

from talkingface_wild.core.clip import Source
from talkingface_wild.core.counting import counted
from talkingface_wild.core.durations import clock
from talkingface_wild.dataset.layout import Layout
from talkingface_wild.engine.forecast import Forecast, Reach
from talkingface_wild.engine.item_table import build_table, fact
from talkingface_wild.engine.journal import Journal
from talkingface_wild.engine.plan import Plan
from talkingface_wild.engine.stage import Workplace
from talkingface_wild.jobs.curate.prospects import Prospects, prospects
from talkingface_wild.jobs.curate.request import CurateRequest
from talkingface_wild.jobs.curate.run import recipe_of
from talkingface_wild.pipelines.planning import plan_of, plan_summary, with_required
from talkingface_wild.pipelines.recipe import Recipe
from talkingface_wild.pipelines.source_items import root_item
from talkingface_wild.pipelines.stage_costs import cost_table, curation_costs
from talkingface_wild.pipelines.targets import admitted_ruling

_HOUR = 3600.0


def plan_run(request: CurateRequest) -> dict[str, Any]:
    """Plain data for ``--plan``: a row per stage, and of the whole run files, hours, time, disk.

    Raises what gathering sources raises for a name that cannot be read.
    """
    recipe = recipe_of(request)
    plan = with_required(plan_of(recipe, request.score_all), recipe)
    layout = Layout(request.out.absolute())
    ahead = prospects(request.source_choice, recipe, layout)
    forecast, reach, done = _forecast(request, recipe, plan, layout, ahead)
    rows = plan_summary(recipe)
    positions = {planned.name: position for position, planned in enumerate(plan.stages)}
    costs = forecast.costs
    for row in rows:
        name = str(row["stage"])
        position = positions[name]
        count, size = reach.count[position], reach.size[position]
        row["done"] = done.get(name, 0)
        row["to_do"] = round(count)
        row["approximate"] = count > reach.certain[position] + 1e-6
        row["seconds_estimated"] = round(costs.stage(name).of(count, size), 1)
    making = ahead.to_make * float(cost_table()["demo_video"])
    left = forecast.seconds_left(0.0)[0] if any(reach.count) else 0.0
    whole = {
        "sources": len(ahead.sources),
        "sources_new": ahead.new,
        "video_seconds": round(ahead.lengths.total_seconds, 1),
        "files_unreadable": len(ahead.lengths.unreadable),
        "files_absent": len(ahead.lengths.absent),
        "links_of_unknown_length": ahead.lengths.unknown_links,
        "seconds_assumed_per_link": round(costs.typical_size, 1),
        "searches_unexpanded": len(ahead.unasked),
        "seconds_estimated": round(left + making, 1),
        "seconds_per_hour_of_video": round(_per_hour(forecast, plan), 1),
        "workers": costs.speedup,
        "disk_bytes": _disk(plan, reach),
    }
    notes = _notes(request, recipe, ahead, whole) + _missing(rows)
    return {"recipe": recipe.name, **whole, "stages": rows, "notes": notes}


def _forecast(
    request: CurateRequest, recipe: Recipe, plan: Plan, layout: Layout, ahead: Prospects
) -> tuple[Forecast, Reach, dict[str, int]]:
    """What is still to come of all sources, and the results that are there, by stage."""
    sources: Sequence[Source] = ahead.sources
    journal = Journal(layout.out / "journal", with_logs=True)
    if request.retry_failed:
        journal.reopen_failed()
    if request.fresh:
        journal = Journal(layout.out / "no journal")
    table, _ = build_table(plan, journal, [root_item(source) for source in sources])
    ruling = admitted_ruling(plan, recipe, table, sources, Workplace(layout.out))
    sizes = ahead.lengths.seconds
    costs = curation_costs(plan, request.engine, request.workers, sizes)
    forecast = Forecast(plan, costs.corrected(plan, table))
    forecast.begin(ruling, 0.0)
    done = {
        planned.name: int(table[fact(planned.name, "state")].notna().sum())
        for planned in plan.stages
        if not planned.whole
    }
    return forecast, forecast.reach(), done


def _per_hour(forecast: Forecast, plan: Plan) -> float:
    """Wall seconds for an hour of new video in sources of typical length, all of it kept."""
    costs, seconds, count = forecast.costs, 0.0, _HOUR / forecast.costs.typical_size
    for planned in plan.stages:
        if not planned.whole and planned.unmeasured is None:
            clip = planned.stage.level == "clip"
            items = costs.parts.of(count, _HOUR) if clip else count
            seconds += costs.stage(planned.name).of(items, _HOUR)
    return seconds / costs.speedup


def _disk(plan: Plan, reach: Reach) -> dict[str, int]:
    """Bytes that the run will need: finished media, tables, and the cache while it works."""
    disk = cost_table()["disk"]
    seconds = {planned.name: reach.size[p] for p, planned in enumerate(plan.stages)}
    count = {planned.name: reach.count[p] for p, planned in enumerate(plan.stages)}
    encoded = seconds.get("encode", 0.0)
    return {
        "media": round(encoded * float(disk["media_per_second"])),
        "tables": round(count.get("encode", 0.0) * float(disk["tables_per_clip"])),
        "cache": round(min(seconds.get("shots", 0.0), _HOUR) * float(disk["cache_per_second"])),
    }


def _notes(
    request: CurateRequest, recipe: Recipe, ahead: Prospects, whole: dict[str, Any]
) -> list[str]:
    notes = list(ahead.notes)
    if ahead.to_make:
        videos = counted(ahead.to_make, "video")
        notes.append(f"The run makes the {videos} of the demo corpus first.")
    if not ahead.sources and not ahead.unasked:
        where = "--sources" if recipe.corpus is None else "the recipe's corpus"
        notes.append(f"No sources are known in {request.out}; they will come from {where}.")
    if not request.sources and ahead.new == 0 and ahead.sources:
        notes.append(
            f"These are the sources that {request.out} knows; "
            "give --sources again to have a folder or a list looked at for new ones."
        )
    for what, paths in (
        ("Files that are not there", ahead.lengths.absent),
        ("Files without a header that can be read", ahead.lengths.unreadable),
    ):
        if paths:
            shown = ", ".join(paths[:3]) + ", …" * (len(paths) > 3)
            notes.append(f"{what}: {len(paths)} ({shown}).")
    return notes + _unknown(ahead, whole)


def _unknown(ahead: Prospects, whole: dict[str, Any]) -> list[str]:
    """What searches, playlists and links leave open until the run."""
    searches, links = len(ahead.unasked), ahead.lengths.unknown_links
    if not searches and not links:
        return []
    parts = [counted(searches, "search or playlist", "searches or playlists")] * bool(searches)
    parts += [counted(links, "link")] * bool(links)
    hour = clock(float(whole["seconds_per_hour_of_video"]))
    return [
        f"How long the videos of {' and '.join(parts)} are is not known before the run, nor "
        f"how large their downloads; an hour of video takes about {hour} here, without the "
        "download."
    ]


def _missing(rows: list[dict[str, Any]]) -> list[str]:
    names = [name for row in rows if row["policy"] == "required" for name in row["weights_missing"]]
    if not names:
        return []
    return [
        "Weights that this recipe requires are missing, and it does not run without them: "
        f"tfw weights fetch {' '.join(dict.fromkeys(names))}"
    ]
