"""A plan: stages in order with configuration, fingerprint and gates. Plain data for workers."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from talkingface_wild.core.columns import Column
from talkingface_wild.core.fingerprint import digest
from talkingface_wild.core.gate import Gate
from talkingface_wild.core.outcome import Value
from talkingface_wild.engine.stage import Cache, Resources, Stage, Whole, config_data


@dataclass(frozen=True)
class Planned:
    """One stage of a plan.

    ``unmeasured`` set means that the stage does not run, and says why (a weight is missing and the
    recipe calls it optional): its columns are null for every item.
    """

    name: str
    stage: type[Stage] | type[Whole]
    config: Any
    fingerprint: str
    gates: tuple[Gate, ...] = ()
    unmeasured: str | None = None
    from_barriers: tuple[str, ...] = ()
    """The columns it needs that barriers give: they may change when nothing was measured anew, and
    a result that was made from other values of them is made again."""
    pool: Resources = field(default_factory=Resources)
    """What one worker of it asks for; the stage's own unless the plan's maker knows better."""

    @property
    def whole(self) -> bool:
        """Whether this is a barrier over the whole table."""
        return self.stage.kind == "whole"


@dataclass(frozen=True)
class Plan:
    """Stages in order. ``score_all`` measures rejected items too."""

    stages: tuple[Planned, ...]
    score_all: bool = False

    @property
    def columns(self) -> tuple[Column, ...]:
        """Every declared column once, in order of the stages."""
        by_name = {c.name: c for planned in self.stages for c in planned.stage.columns}
        return tuple(by_name.values())

    @property
    def unmeasured(self) -> dict[str, str]:
        """Why stages measured nothing: what they lack, or the unmeasured stages a barrier reads."""
        lacking = {s.name: s.unmeasured for s in self.stages if s.unmeasured is not None}
        barriers = {}
        owners = {
            column.name: planned.name
            for planned in reversed(self.stages)
            for column in planned.stage.columns
        }
        for planned in self.stages:
            if planned.whole:
                givers = dict.fromkeys(owners.get(name) for name in planned.stage.needs)
                names = [str(name) for name in givers if name in lacking]
                if names:
                    barriers[planned.name] = f"stage {', '.join(names)} was not measured"
        return lacking | barriers

    def visible(self, position: int) -> frozenset[str]:
        """The columns whose values an item brings to a stage: its needs, and where files lie."""
        earlier = self.stages[:position]
        columns = {column for planned in earlier for column in planned.stage.columns}
        places = {column.name for column in columns if column.locates}
        return frozenset({*places, *needs_of(self.stages[position].stage)})

    def readers(self, start: int, end: int) -> dict[Cache, int]:
        """The caches that stages of a range read, each with the position of its last reader."""
        return {
            cache: position
            for position, planned in enumerate(self.stages[start:end], start)
            if planned.unmeasured is None
            for cache in caches_of(planned.stage)
        }

    def segments(self) -> Iterator[tuple[int, int]]:
        """Half-open ranges of item stages between the barriers, in order; empty ones left out."""
        start = 0
        for position, planned in enumerate(self.stages):
            if planned.whole:
                if position > start:
                    yield start, position
                start = position + 1
        if start < len(self.stages):
            yield start, len(self.stages)

    def segment_of(self, position: int) -> tuple[int, int]:
        """The segment that an item stage belongs to."""
        return next((start, end) for start, end in self.segments() if start <= position < end)


def caches_of(stage: type[Stage] | type[Whole]) -> tuple[Cache, ...]:
    """The caches that a stage reads; a barrier reads none."""
    return stage.reads if issubclass(stage, Stage) else ()


def needs_of(stage: type[Stage] | type[Whole]) -> tuple[str, ...]:
    """Columns that a stage reads, itself or by its caches."""
    names = (*stage.needs, *(name for cache in caches_of(stage) for name in cache.needs))
    return tuple(dict.fromkeys(names))


def given_text(values: Iterable[Value]) -> str:
    """What barriers gave for one item, as one text: equal texts, equal values."""
    return "|".join("" if value is None else str(value) for value in values)


def make_plan(
    stages: Sequence[tuple[type[Stage] | type[Whole], Any, str | None]],
    gates: Sequence[Gate],
    weight_hash: Callable[[str], str | None],
    score_all: bool = False,
) -> Plan:
    """Bind configured stages, ``(class, config, unmeasured)``, to fingerprints and gates.

    What a config leaves open is chosen by what is on this machine.

    A fingerprint covers the stage's name, version, config, its weights' hashes, the fingerprints of
    the stages before it that give the columns it needs, and its caches; never a threshold. A gate
    is judged after each stage that gives its column. Raises KeyError when a gate or a stage names
    a column that no stage gives.
    """
    owner: dict[str, int] = {}
    barriers = {position for position, (stage, _, _) in enumerate(stages) if stage.kind == "whole"}
    by_stage: list[list[Gate]] = [[] for _ in stages]
    names_by_stage = [{column.name for column in stage.columns} for stage, _, _ in stages]
    for gate in gates:
        givers = [position for position, names in enumerate(names_by_stage) if gate.column in names]
        if not givers:
            raise KeyError(gate.column)
        for position in givers:
            by_stage[position].append(gate)
    prints: list[str] = []
    planned: list[Planned] = []
    for position, (stage, own_config, unmeasured) in enumerate(stages):
        config, needs = stage.on_this_machine(own_config), needs_of(stage)
        upstream = sorted({prints[owner[name]] for name in needs})
        # Caches of version 1 are not spelled out: results of before they had versions stay valid.
        upstream += [f"{c.name}:{c.version}" for c in caches_of(stage) if c.version > 1]
        hashes = {name: weight_hash(name) for name in stage.weights(config)}
        settings = stage.identity(config) if issubclass(stage, Stage) else config_data(config)
        prints.append(digest([stage.name, stage.version, settings, hashes, upstream]))
        gates_here = tuple(by_stage[position])
        from_barriers = tuple(name for name in needs if owner[name] in barriers)
        planned.append(
            Planned(
                stage.name,
                stage,
                config,
                prints[-1],
                gates_here,
                unmeasured,
                from_barriers,
                getattr(stage, "resources", Resources()),
            )
        )
        owner |= dict.fromkeys([*names_by_stage[position], *getattr(stage, "covers", ())], position)
    return Plan(tuple(planned), score_all)
