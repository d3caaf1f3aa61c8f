"""The ruling by columns equals the walk item by item, whatever was found, failed or never run."""

from dataclasses import replace
from pathlib import Path

import pandas as pd
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from talkingface_wild.core.gate import Gate, judge
from talkingface_wild.engine.item_table import build_table
from talkingface_wild.engine.journal import Record as Stored
from talkingface_wild.engine.plan import given_text
from talkingface_wild.engine.ruling import rule
from talkingface_wild.engine.stage import Item, Workplace
from tests.engine.stages import STAGES, Look, plan_of
from tests.reference.ruling import Record, first_failure, walk

NUMBERS = st.one_of(st.none(), st.integers(-2, 6).map(float))
GATE_COLUMNS = {
    "size": NUMBERS.filter(lambda n: n is not None),
    "length": st.integers(-2, 6).map(float),
    "weight": st.integers(-2, 6).map(float),
    "height": st.integers(-2, 6),
    "place": st.integers(1, 4),
    "even": st.booleans(),
    "seal": st.sampled_from(["a", "b"]),
}


@st.composite
def gates(draw):
    chosen = draw(st.lists(st.sampled_from(sorted(GATE_COLUMNS)), max_size=5))
    made = []
    for index, column in enumerate(chosen):
        ordered = column not in ("even", "seal")
        signs = [">=", "<=", ">", "<", "==", "!="] if ordered else ["==", "!="]
        bounds = GATE_COLUMNS[column]
        made.append(
            Gate(
                f"g{index}",
                column,
                draw(st.sampled_from(signs)),
                draw(bounds),
                draw(st.sampled_from(["too_short", "blurry", "no_face"])),
                draw(st.sampled_from(["pass", "reject"])),
                draw(st.dictionaries(st.sampled_from(["en", "xx"]), bounds, max_size=2)),
            )
        )
    return made


@st.composite
def records(draw, columns, item):
    """What a stage found for an item: values, a reject, a failure, or nothing yet."""
    kind = draw(st.sampled_from(["done"] * 7 + ["rejected", "failed", "absent"]))
    if kind == "absent":
        return None
    if kind == "failed":
        return Record("failed", {}, "network")
    values = {name: draw(strategy) for name, strategy in columns.items()}
    return Record(kind, values, "silent" if kind == "rejected" else None)


@st.composite
def worlds(draw):
    roots = [
        (f"r{index}", draw(st.sampled_from(["en", "xx", "de"])))
        for index in range(draw(st.integers(0, 5)))
    ]
    found = {}
    for root, _ in roots:
        found[root, "look"] = draw(records({"size": NUMBERS}, root))
        if draw(st.integers(0, 9)) == 0:
            continue
        count = draw(st.integers(0, 3))
        parts = [(f"{root}.{part}", {"length": draw(NUMBERS)}) for part in range(count)]
        found[root, "cut"] = Record("done", {}, None, parts)
        for clip, _ in parts:
            weights = {"weight": st.integers(-2, 6).map(float), "even": st.booleans()}
            found[clip, "weigh"] = draw(records(weights, clip))
            found[clip, "measure"] = draw(records({"height": st.integers(-2, 6)}, clip))
            found[clip, "seal"] = draw(records({"seal": st.sampled_from(["a", "b"])}, clip))
    return roots, {key: record for key, record in found.items() if record is not None}


class Memory:
    """A journal in memory."""

    folder = Path("nowhere", "journal")

    def __init__(self, plan, found):
        prints = {planned.name: planned.fingerprint for planned in plan.stages}
        self._records = {
            (item, prints[stage]): Stored(
                item, stage, prints[stage], record.state, record.reason, None, record.values,
                None
                if record.children is None
                else [{"id": id_, "payload": {}, "values": v} for id_, v in record.children],
            )
            for (item, stage), record in found.items()
        }  # fmt: skip

    def get(self, item, fingerprint):
        return self._records.get((item, fingerprint))


@settings(max_examples=250, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    world=worlds(),
    bounds=gates(),
    score_all=st.booleans(),
    unmeasured=st.sets(st.sampled_from(["weigh", "measure"]), max_size=1),
)
def test_the_ruling_equals_the_walk_item_by_item(
    tmp_path_factory, world, bounds, score_all, unmeasured
):
    roots, found = world
    # ``rank`` sorts by weight: it needs one wherever it is reached.
    if "weigh" in unmeasured:
        unmeasured = {"measure"}
    found = {key: r for key, r in found.items() if key[1] not in unmeasured}
    plan = plan_of(bounds, unmeasured=dict.fromkeys(unmeasured, "left out"), score_all=score_all)
    items = [Item(id_, "source", group) for id_, group in roots]
    table, _ = build_table(plan, Memory(plan, found), items)
    ruling = rule(plan, table, Workplace(tmp_path_factory.getbasetemp()))
    verdicts, todo, given = walk(plan, roots, found, score_all)
    names = ["state", "stage", "gate", "reason"]
    reached = ruling.verdicts.loc[list(verdicts), names].to_numpy(object).tolist()
    assert dict(zip(verdicts, map(tuple, reached), strict=True)) == verdicts
    assert {(i, plan.stages[position].name) for i, position, _ in ruling.todo} == todo
    places = {i: v["place"] for i, v in given.items()}
    assert ruling.table["place"].dropna().astype(int).to_dict() == places
    # What the walk never met was cut from something that did not come so far, and shares its end.
    for clip in set(ruling.verdicts.index) - set(verdicts):
        parent = ruling.verdicts.loc[ruling.table.at[clip, "parent_id"]]
        assert ruling.verdicts.at[clip, "state"] == parent["state"] != "split"
    lost = ruling.ledger[ruling.ledger["state"] != "kept"]
    assert lost["item_id"].is_unique
    # A clip of a rejected source, scored all the same, has its source's verdict and no row itself.
    own = {i: v[0] for i, v in verdicts.items() if verdicts.get(i.split(".")[0], v)[0] == "split"}
    own |= {i: v[0] for i, v in verdicts.items() if "." not in i}
    states = {i: state for i, state in own.items() if state not in ("kept", "split")}
    assert {k: v for k, v in zip(lost["item_id"], lost["state"], strict=True)} == states
    assert not ruling.ledger.duplicated(["item_id", "stage"]).any()


ROWS = st.fixed_dictionaries(
    {name: st.one_of(st.none(), values) for name, values in GATE_COLUMNS.items()}
)


@settings(max_examples=250, deadline=None)
@given(bounds=gates(), values=ROWS, group=st.sampled_from(["en", "xx", "de"]))
def test_a_worker_judges_as_the_walk_does(bounds, values, group):
    """Gates are applied twice, by columns and item by item: only the first was held to the walk."""
    verdict = judge(tuple(bounds), values, group)
    failure = None if verdict.kept else (verdict.gate, verdict.reason)
    assert failure == first_failure(bounds, values, group)


def test_a_result_made_from_other_values_of_a_barrier_is_made_again(tmp_path):
    plan = plan_of([])
    clips = [("r0.0", {"length": 1.0}), ("r0.1", {"length": 1.0})]
    found = {
        ("r0", "look"): Record("done", {"size": 1.0}),
        ("r0", "cut"): Record("done", {}, None, clips),
    }
    for clip, weight in (("r0.0", 5.0), ("r0.1", 3.0)):
        found[clip, "weigh"] = Record("done", {"weight": weight, "even": True})
        found[clip, "measure"] = Record("done", {"height": 1})
        found[clip, "seal"] = Record("done", {"seal": "a"})
    memory = Memory(plan, found)
    seal = plan.stages[-1]
    assert seal.from_barriers == ("place",)
    for clip, place in (("r0.0", 1), ("r0.1", 1)):
        key = (clip, seal.fingerprint)
        memory._records[key] = replace(memory._records[key], given=given_text([place]))
    table, _ = build_table(plan, memory, [Item("r0", "source", "en")])
    ruling = rule(plan, table, Workplace(tmp_path))
    assert ruling.verdicts["state"].to_dict() == {"r0": "split", "r0.0": "kept", "r0.1": "pending"}
    assert ruling.todo == [("r0.1", len(STAGES) - 1, True)]


def test_values_of_a_barrier_that_an_item_no_longer_reaches_are_gone(tmp_path):
    plan = plan_of([])
    clips = [("r0.0", {"length": 1.0})]
    found = {
        ("r0", "look"): Record("done", {"size": 1.0}),
        ("r0", "cut"): Record("done", {}, None, clips),
        ("r0.0", "weigh"): Record("done", {"weight": 5.0, "even": True}),
        ("r0.0", "measure"): Record("done", {"height": 1}),
    }
    table, _ = build_table(plan, Memory(plan, found), [Item("r0", "source", "en")])
    first = rule(plan, table, Workplace(tmp_path))
    assert first.table.at["r0.0", "place"] == 1
    tight = plan_of([Gate("weight", "weight", "<=", 2.0, "too_large")])
    second = rule(tight, first.table, Workplace(tmp_path))
    assert second.table.at["r0.0", "place"] is pd.NA
    assert first.table.at["r0.0", "place"] == 1


def test_an_empty_table_has_an_empty_ruling(tmp_path):
    plan = plan_of()
    table, _ = build_table(plan, Memory(plan, {}), [])
    ruling = rule(plan, table, Workplace(tmp_path))
    assert len(ruling.verdicts) == len(ruling.ledger) == len(ruling.todo) == 0
    assert Look.columns[0].name in ruling.table
