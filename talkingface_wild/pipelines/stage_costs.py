"""Typical costs of curation's stages, read from ``costs.yaml``, as a forecast takes them."""

import functools
import importlib.resources
import os
from collections.abc import Mapping
from typing import Any

from talkingface_wild.core.config import read_yaml
from talkingface_wild.engine.costs import Cost, Costs
from talkingface_wild.engine.plan import Plan

_BY = "by"
"""The key that names the setting on which a stage's cost depends."""


@functools.cache
def cost_table() -> dict[str, Any]:
    """The whole table as plain data."""
    text = importlib.resources.files(__package__).joinpath("costs.yaml").read_text("utf-8")
    return read_yaml(text, "costs.yaml").data


def stage_cost(name: str, config: Any) -> Cost:
    """The typical cost of one stage under its settings; nothing for one that is not listed."""
    entry = cost_table()["stages"].get(name, {})
    if _BY in entry:
        variants = {key: value for key, value in entry.items() if isinstance(value, dict)}
        entry = variants.get(str(getattr(config, entry[_BY])), next(iter(variants.values())))
    numbers = {key: float(value) for key, value in entry.items() if key != "passes"}
    scale = getattr(config, "frames", None)
    if name == "quality" and scale is not None:
        patches = 25 if config.patches == "pyiqa" else 1
        numbers["fixed"] *= scale * patches * (1 + config.whole_frame) / 400
    return Cost(numbers["fixed"], numbers["per_second"], numbers["opening"]) if numbers else Cost()


def curation_costs(
    plan: Plan, engine: str, workers: int | None, sizes: Mapping[str, float]
) -> Costs:
    """Costs of a plan's stages, sizes in seconds of video; ``sizes`` are the sources' own by id."""
    table = cost_table()
    run = table["engines"][engine]
    at_once = 1.0
    if engine == "ray":
        cores = os.cpu_count() or 1
        at_once = max(1.0, min(workers or cores, cores) * float(run["share_of_cores"]))
    stages = {p.name: stage_cost(p.name, p.config) for p in plan.stages if not p.whole}
    if "face_cuts" in stages:
        seen = table["faces_seen"]
        stages["faces"] = Cost(seen["fixed"], seen["per_second"], seen["opening"])
    passes = {
        name: float(entry["passes"]) for name, entry in table["stages"].items() if "passes" in entry
    }
    mean = sum(sizes.values()) / len(sizes) if sizes else 0.0
    return Costs(
        stages=stages,
        sizes=sizes,
        typical_size=mean or float(table["source_seconds"]),
        size_columns=("clip_seconds", "source_seconds"),
        parts=Cost(float(table["clips"]["fixed"]), float(table["clips"]["per_second"])),
        passes=passes,
        speedup=at_once,
        opening=float(run["opening"]),
        closing=float(table["commit"]["fixed"]),
        closing_name="tables",
    )
