"""One item's path through a commit: stages, measures, gates, cost, verdict, reviewers' words."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from talkingface_wild.core.gate import COMPARISONS, Bound, Gate
from talkingface_wild.core.outcome import Value
from talkingface_wild.dataset.arrow_schema import NOT_MEASURED
from talkingface_wild.dataset.decisions import Decision, load_decisions
from talkingface_wild.dataset.snapshot import Recorded
from talkingface_wild.engine.item_table import fact


@dataclass(frozen=True)
class Judgement:
    """One gate on one item.

    ``outcome`` is passed, failed, not measured (and let through), failed unmeasured or not judged.
    """

    gate: str
    column: str
    value: Value
    comparison: str
    bound: Bound
    reason: str
    outcome: str
    would_pass: bool | None
    """Where it was not judged: whether the measured value would pass; None without a value."""


@dataclass(frozen=True)
class Passage:
    """One stage's work on the item, or on what it was cut from (``item``)."""

    stage: str
    item: str
    state: str
    """done, split, rejected, failed, unmeasured, or computed for a stage over the whole table."""
    reason: str | None
    detail: str | None
    attempts: int | None
    seconds: float | None
    cpu_seconds: float | None
    measures: dict[str, Value]
    gates: tuple[Judgement, ...]


@dataclass(frozen=True)
class CutClip:
    """A clip that came of the item."""

    clip: str
    start_seconds: float | None
    end_seconds: float | None
    verdict: str


@dataclass(frozen=True)
class Story:
    """The whole path of one item. ``review`` is the reviewer's answer, if any."""

    item: str
    level: str
    language: str
    source_id: str
    source: str
    start_seconds: float | None
    end_seconds: float | None
    state: str
    stage: str | None
    gate: str | None
    reason: str | None
    detail: str | None
    value: str | None
    bound: str | None
    media_path: str | None
    review: Decision | None
    passages: tuple[Passage, ...]
    parts: tuple[CutClip, ...]


def story_of(recorded: Recorded, item: str) -> Story:
    """The path of one item of the commit, in order of the stages."""
    row = recorded.row(item)
    source = recorded.sources.set_index("source_id").loc[row["root_id"]]
    return Story(
        item=item,
        level=str(row["level"]),
        language=recorded.language_of(item),
        source_id=str(row["root_id"]),
        source=str(_plain(source["source_path"]) or _plain(source["source_url"])),
        start_seconds=_plain(row.get("start_seconds")),
        end_seconds=_plain(row.get("end_seconds")),
        media_path=_plain(row.get("media_path")),
        **{name: _plain(row[f"verdict_{name}"]) for name in _VERDICT},
        review=load_decisions(recorded.layout).get(item),
        passages=tuple(_passages(recorded, item)),
        parts=tuple(_parts(recorded, item)),
    )


_VERDICT = ("state", "stage", "gate", "reason", "detail", "value", "bound")


def _parts(recorded: Recorded, item: str) -> list[CutClip]:
    """The clips that came of a source, or of a clip that was cut further; not those in between."""
    items = recorded.items
    children = items.index[items["parent_id"] == item]
    clips: list[CutClip] = []
    for child in map(str, children):
        row = recorded.row(child)
        if row["verdict_state"] == "split":
            clips += _parts(recorded, child)
        else:
            span = _plain(row.get("start_seconds")), _plain(row.get("end_seconds"))
            clips.append(CutClip(child, *span, recorded.verdict_of(child)))
    return clips


def _passages(recorded: Recorded, item: str) -> list[Passage]:
    """What each stage did, from the source down to the item."""
    chain = [item]
    while parent := _plain(recorded.items.at[chain[0], "parent_id"]):
        chain.insert(0, str(parent))
    passages: list[Passage] = []
    reported: set[str] = set()
    over = False
    for link, name in enumerate(chain):
        row = recorded.row(name)
        above = recorded.row(chain[link - 1]) if link else None
        passed = _passed_stages(recorded, row)
        for stage in _steps(recorded):
            left_out = recorded.unmeasured.get(stage) if stage in passed else None
            last = name == item
            passage = _passage(recorded, stage, row, above, over, reported, last, left_out)
            if passage is not None:
                passages.append(passage)
                over = over or passage.state in ("rejected", "failed") or _stopped(passage)
    return passages


def _passed_stages(recorded: Recorded, row: pd.Series) -> tuple[str, ...]:
    """The stages that an item comes to: behind the one that cut it, before the one that cuts it."""
    items, stages = recorded.items, recorded.stages
    begin = stages.index(row["born"]) + 1 if row["born"] in stages else 0
    children = items["parent_id"] == row["item_id"]
    if not children.any() and row["level"] == "clip":
        return stages[begin:]
    cuts = set(items.loc[children, "born"] if children.any() else items["born"])
    ends = [position for position, stage in enumerate(stages) if stage in cuts]
    return stages[begin : min(ends, default=begin)]


def _steps(recorded: Recorded) -> list[str]:
    """The stages in order; joined names where columns are known to come from several."""
    joined = {owner for owner in recorded.owners.values() if ", " in owner}
    shared = {owner.rsplit(", ", 1)[-1]: owner for owner in joined}
    steps: list[str] = []
    for stage in recorded.stages:
        steps += [shared[stage], stage] if stage in shared else [stage]
    return steps


def _stopped(passage: Passage) -> bool:
    return any(gate.outcome.startswith("failed") for gate in passage.gates)


def _passage(
    recorded: Recorded,
    stage: str,
    row: pd.Series,
    above: pd.Series | None,
    over: bool,
    reported: set[str],
    last: bool,
    left_out: str | None,
) -> Passage | None:
    """What ``stage`` did on the item of ``row``, or None when it did nothing there; ``left_out``
    says why it measured nothing on an item that came to it.
    """
    owned = [name for name, owner in recorded.owners.items() if owner == stage]
    measures = {name: _plain(row[name]) for name in owned if name not in reported and name in row}
    measures = {name: value for name, value in measures.items() if value is not None}
    state = _plain(row.get(fact(stage, "state")))
    born = row["born"] == stage
    whole = fact(stage, "state") not in row
    measures.pop(f"{stage}_unmeasured", None)  # Commits of earlier versions have such columns.
    why = None if whole else left_out
    if above is not None:
        # A child inherits its parent's measures; only what is new was measured on it.
        measures = {n: v for n, v in measures.items() if born or not _same(v, _plain(above.get(n)))}
    nothing = stage in recorded.unmeasured
    if whole and last and nothing and (measures or not over):
        why = recorded.unmeasured[stage]
    if state is None and not born and why is None and not (whole and last and measures):
        return None
    judged_here = state in ("done", None)
    gates = _judgements(recorded, owned, row, over, nothing) if judged_here else ()
    reported.update(measures)
    return Passage(
        stage,
        str(row["item_id"]),
        "unmeasured" if why is not None else state or ("cut" if born else "computed"),
        why or _plain(row.get(fact(stage, "reason"))),
        _plain(row.get(fact(stage, "detail"))),
        _plain(row.get(fact(stage, "attempts"))),
        _plain(row.get(fact(stage, "seconds"))),
        _plain(row.get(fact(stage, "cpu_seconds"))),
        measures,
        gates,
    )


def _judgements(
    recorded: Recorded, owned: Sequence[str], row: pd.Series, over: bool, measured_nothing: bool
) -> tuple[Judgement, ...]:
    group = str(row["group"])
    judgements = []
    for gate in recorded.gates:
        if gate.column not in owned or gate.column not in row:
            continue
        value = _plain(row[gate.column])
        judgement = _judge(gate, value, group, over, measured_nothing)
        over = over or judgement.outcome.startswith("failed")
        judgements.append(judgement)
    return tuple(judgements)


def _judge(gate: Gate, value: Any, group: str, over: bool, measured_nothing: bool) -> Judgement:
    bound = gate.bound_for(group)
    passes = None if value is None else bool(COMPARISONS[gate.comparison](value, bound))
    if over:
        outcome = "not judged"
    elif passes is None:
        outcome = NOT_MEASURED if gate.missing == "pass" else "failed unmeasured"
    elif passes:
        outcome = NOT_MEASURED if measured_nothing else "passed"
    else:
        outcome = "failed"
    would = passes if over else None
    return Judgement(
        gate.name, gate.column, value, gate.comparison, bound, gate.reason, outcome, would
    )


def _same(one: Value, other: Value) -> bool:
    return type(one) is type(other) and one == other


def _plain(value: Any) -> Any:
    """A cell as Python's own value; None for whatever is missing."""
    if isinstance(value, np.ndarray | list | tuple):
        return [_plain(part) for part in value]
    if value is None or pd.isna(value):
        return None
    return value.item() if isinstance(value, np.generic) else value
