"""A made-up data set of the paper's size, committed as a run would; its media are a few bytes."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa

from talkingface_wild.core.clip import Source, make_clip, source_id
from talkingface_wild.core.columns import Column
from talkingface_wild.core.gate import Gate
from talkingface_wild.dataset.clip_store import PATH_COLUMNS, move_in, temporary_name
from talkingface_wild.dataset.commit import Commit
from talkingface_wild.dataset.layout import Layout
from talkingface_wild.engine.item_table import BASE, FACTS, fact, typed
from talkingface_wild.engine.plan import Plan, make_plan
from talkingface_wild.engine.ruling import rule
from talkingface_wild.engine.stage import Workplace
from talkingface_wild.pipelines.commit_ruling import commit_ruling
from talkingface_wild.pipelines.recipe import Recipe, load_recipe
from talkingface_wild.pipelines.sources.collect import save_sources
from talkingface_wild.pipelines.stages import stage_class

CLIPS = 31_300
CLIPS_PER_SOURCE = 10
SAMPLES = 140
"""Samples of a 28 s clip at five a second."""
UNMEASURED = dict.fromkeys(
    ("language", "identity", "mesh", "voices", "sound_quality", "speaks", "burnt_text"),
    "weight missing",
)
"""Stages whose columns are null: clustering 31,300 faces is measured on its own."""


def recipe_and_plan(prints: bool) -> tuple[Recipe, Plan]:
    """The recipe of the paper without targets; ``prints`` says whether clips have fingerprints."""
    recipe = load_recipe(
        "talkingface_wild", ["targets.hours_per_language=null", "gates.language=off"]
    )
    without = UNMEASURED if prints else UNMEASURED | {"prints": "left out of this measurement"}
    stages = [(stage_class(c.name), c.config, without.get(c.name)) for c in recipe.stages]
    return recipe, make_plan(stages, recipe.gates, lambda name: None)


def write(out: Path, clips: int = CLIPS, prints: bool = False) -> Commit:
    """The data set in ``out``; about three in four clips pass every gate."""
    generator = np.random.default_rng(0)
    recipe, plan = recipe_and_plan(prints)
    sources = _sources(recipe, max(1, clips // CLIPS_PER_SOURCE))
    layout = Layout(out)
    out.mkdir(parents=True, exist_ok=True)
    save_sources(layout, sources)
    table = _table(plan, recipe, sources, clips, generator)
    _store(out, table)
    ruling = rule(plan, table, Workplace(out))
    return commit_ruling(layout, recipe, plan, ruling, sources)


def _store(out: Path, table: pd.DataFrame) -> None:
    """A file for each path of a clip, a few bytes long; no embeddings are kept."""
    clips = table.index[(table["level"] == "clip").to_numpy(bool)]
    for column, sha256_column in PATH_COLUMNS.items():
        suffix = ".mp4" if column == "media_path" else ".wav"
        names, hashes = [], []
        for clip in clips:
            temporary = temporary_name(out, clip, suffix)
            temporary.write_text(clip + suffix)
            name, sha256 = move_in(out, clip, temporary)
            names.append(name)
            hashes.append(sha256)
        table.loc[clips, column] = names
        table.loc[clips, sha256_column] = hashes
    table.loc[clips, "sync_features"] = None


def _sources(recipe: Recipe, count: int) -> list[Source]:
    keys = [f"youtube:{index:011d}" for index in range(count)]
    return [
        Source(
            source_id(key, None, None, None),
            key,
            recipe.languages[index % len(recipe.languages)],
            url=f"https://video.example/{key}",
            channel=f"channel {index // 3}",
        )
        for index, key in enumerate(keys)
    ]


def _table(
    plan: Plan, recipe: Recipe, sources: list[Source], clips: int, generator: np.random.Generator
) -> pd.DataFrame:
    owners = np.arange(clips) % len(sources)
    spans = [
        make_clip(
            sources[owner].id, 30.0 * (place // len(sources)), 30.0 * (place // len(sources)) + 28
        )
        for place, owner in enumerate(owners)
    ]
    base = {
        "item_id": [s.id for s in sources] + [c.id for c in spans],
        "level": ["source"] * len(sources) + ["clip"] * clips,
        "parent_id": [""] * len(sources) + [c.source_id for c in spans],
        "root_id": [s.id for s in sources] + [c.source_id for c in spans],
        "born": [""] * len(sources) + ["shots"] * clips,
        "group": [s.language for s in sources] + [sources[owner].language for owner in owners],
    }
    isclip = np.array([level == "clip" for level in base["level"]])
    columns: dict[str, object] = {name: base[name] for name in BASE}
    bounds = {gate.column: gate for gate in recipe.gates}
    for planned in plan.stages:
        if planned.whole:
            continue
        mine = isclip if planned.stage.level == "clip" else np.full(len(isclip), True)
        if planned.name == "shots":
            mine = isclip
        measured = planned.unmeasured is None
        for column in planned.stage.columns:
            if measured:
                made = _values(column, bounds.get(column.name), int(mine.sum()), generator)
                columns[column.name] = _placed(made, mine)
        if measured:
            worked = ~isclip if planned.stage.level == "source" else isclip
            columns |= _facts(planned.name, planned.name == "shots", worked, generator)
    channels = [source.channel for source in sources]
    columns |= {
        "channel": channels + [channels[owner] for owner in owners],
        "source_sha256": [s.id * 4 for s in sources] + [c.source_id * 4 for c in spans],
        "start_seconds": [None] * len(sources) + [c.start_seconds for c in spans],
        "end_seconds": [None] * len(sources) + [c.end_seconds for c in spans],
        "clip_seconds": [None] * len(sources) + [28.0] * clips,
    }
    table = typed(pd.DataFrame(columns).reindex(columns=_names(plan)), plan)
    return table.set_index("item_id", drop=False)


def _names(plan: Plan) -> list[str]:
    facts = [fact(p.name, name) for p in plan.stages if not p.whole for name in FACTS]
    return [*BASE, *(column.name for column in plan.columns), *facts]


def _facts(
    stage: str, split: bool, worked: np.ndarray, generator: np.random.Generator
) -> dict[str, object]:
    seconds = np.where(worked, generator.gamma(2.0, 0.4, len(worked)).round(6), np.nan)
    done = np.full(len(worked), None, dtype=object)
    done[worked] = "split" if split else "done"
    return {
        fact(stage, "state"): done,
        fact(stage, "attempts"): np.where(worked, 1, np.nan),
        fact(stage, "seconds"): seconds,
        fact(stage, "cpu_seconds"): seconds,
    }


def _placed(made: object, mine: np.ndarray) -> np.ndarray:
    column = np.full(len(mine), None, dtype=object)
    column[mine] = made
    return column


def _values(
    column: Column, gate: Gate | None, count: int, generator: np.random.Generator
) -> object:
    """Values of the declared type; of a gated column, 99 in 100 pass."""
    if column.type == "list<float>":
        width = {"face_times": 1, "face_boxes": 4, "face_points": 10}.get(column.name, 1)
        numbers = generator.normal(0, 2, (count, SAMPLES, width)).cumsum(axis=1) + 400
        filled = np.empty(count, dtype=object)
        filled[:] = list(numbers.reshape(count, -1).round(column.decimals))
        return filled
    if column.type == "list<int>":
        filled = np.empty(count, dtype=object)
        filled[:] = list(generator.integers(-2, 3, (count, 3)))
        return filled
    passes = generator.random(count) < 0.99
    if column.type == "bool":
        wanted = bool(gate.bound) if gate else True
        return np.where(passes, wanted, not wanted).astype(object)
    if column.type == "string":
        return _texts(column.name, count, generator)
    low = column.low if column.low is not None else -100.0
    high = column.high if column.high is not None else low + 1000
    numbers = generator.uniform(low, high, count)
    if gate is not None:
        size = abs(float(gate.bound)) * 0.2 + 0.5
        good = 1 if gate.comparison in (">=", ">") else -1
        numbers = (
            float(gate.bound)
            + np.where(passes, good, -good) * generator.uniform(0.001, 1, count) * size
        )
    numbers = numbers.round(column.decimals)
    return numbers.astype(int).astype(object) if column.type == "int" else numbers


def _texts(name: str, count: int, generator: np.random.Generator) -> object:
    if name.endswith(("sha256", "_path", "_features")):
        return [f"{value:016x}" * 4 for value in generator.integers(0, 2**62, count)]
    if name == "picture_print":
        return [generator.bytes(8 * 28).hex() for _ in range(count)]
    if name == "sound_print":
        return [generator.bytes(4 * 875).hex() for _ in range(count)]
    return np.full(count, f"one {name}", dtype=object)


if __name__ == "__main__":
    import sys

    made = write(Path(sys.argv[1]))
    rows = json.loads((made.folder / "manifest.json").read_text())["rows"]
    print(made.folder, rows, pa.__version__)
