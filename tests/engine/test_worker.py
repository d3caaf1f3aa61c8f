"""One worker: batches, what faults of a stage come to, gates, and what it leaves to others."""

from collections import Counter

import pytest

from talkingface_wild.core.columns import Column
from talkingface_wild.core.errors import WeightMissing
from talkingface_wild.core.outcome import Done, Rejected
from talkingface_wild.core.reasons import LOOSEN, OWN, Reason
from talkingface_wild.engine import attempt as trying
from talkingface_wild.engine.journal import Journal
from talkingface_wild.engine.stage import Cache, Workplace
from talkingface_wild.engine.worker import Task, Worker, request_stop
from tests.engine.stages import GATES, Look, Measure, Settings, Weigh, go, notes, plan_of, roots_of


@pytest.fixture(autouse=True)
def _no_waiting(monkeypatch):
    monkeypatch.setattr(trying, "_pause", lambda tries: 0.0)


def _work(out, plan, roots, end=4):
    worker = Worker(plan, 0, end, Workplace(out), "test")
    left = worker.run([Task(root, 0) for root in roots])
    worker.close()
    journal = Journal(out / "journal")
    journal.gather()
    return left, journal


def _state(plan, journal, item, stage):
    record = journal.get(item, {p.name: p.fingerprint for p in plan.stages}[stage])
    return None if record is None else (record.state, record.reason)


@pytest.mark.parametrize(
    ("fault", "state"),
    [
        ("reject", ("rejected", "silent")),
        ("rejects", ("rejected", "undecodable")),
        ("fail", ("failed", "network")),
        ("transient", ("failed", "network")),
        ("raise", ("failed", "crash")),
        ("undeclared", ("failed", "crash")),
        ("wrong", ("failed", "crash")),
        ("batch", ("done", None)),
        ("count", ("done", None)),
        ("once", ("done", None)),
    ],
)
@pytest.mark.parametrize("size", [1, 4])
def test_a_fault_is_its_items_alone(tmp_path, monkeypatch, fault, state, size):
    monkeypatch.setattr(Look, "batch_size", size)
    roots = roots_of(8, r6={"faults": {"look": fault}})
    plan = plan_of([])
    _, journal = _work(tmp_path, plan, roots)
    assert _state(plan, journal, "r6", "look") == state
    others = {_state(plan, journal, f"r{k}", "look") for k in range(8) if k != 6}
    assert others == {("done", None)}


@pytest.mark.parametrize(("fault", "tries"), [("transient", 3), ("once", 2), ("fail", 1), ("", 1)])
@pytest.mark.parametrize("size", [1, 4])
def test_what_is_transient_is_tried_three_times_in_batches_too(
    tmp_path, monkeypatch, fault, tries, size
):
    monkeypatch.setattr(Look, "batch_size", size)
    plan = plan_of([], settings=Settings(tally=str(tmp_path / "tally")))
    _, journal = _work(tmp_path, plan, roots_of(8, r6={"faults": {"look": fault}}), end=1)
    assert notes(tmp_path / "tally").count("look r6") == tries
    assert journal.get("r6", plan.stages[0].fingerprint).attempts == tries


def test_the_deepest_full_batch_goes_first_so_that_little_lies_half_finished(tmp_path, monkeypatch):
    monkeypatch.setattr(Weigh, "batch_size", 2)
    plan = plan_of([], settings=Settings(tally=str(tmp_path / "tally")))
    _work(tmp_path, plan, roots_of(8))
    order = [line.split()[0] for line in notes(tmp_path / "tally")]
    # Four sources are looked at; the first one cut (1 part) fills no batch, the second (2 parts)
    # does: its clips are weighed and measured before the next source is cut.
    assert order[:4] == ["look"] * 4
    assert order[4:10] == ["cut", "cut", "weigh", "weigh", "measure", "measure"]
    waiting = Counter()
    for stage in order:
        waiting[stage] += 1
        assert waiting["look"] - waiting["cut"] <= 4


def test_gates_end_items_and_score_all_lets_them_go_on_but_for_what_makes_files(tmp_path):
    roots = roots_of(10)
    plain, scored = plan_of(), plan_of(score_all=True)
    _, journal = _work(tmp_path / "plain", plain, roots)
    assert _state(plain, journal, "r1", "cut") is None
    left, journal = _work(tmp_path / "scored", scored, roots)
    assert _state(scored, journal, "r1", "cut") == ("done", None)
    assert _state(scored, journal, "r1.0", "weigh") == ("done", None)
    assert {task.item.id: task.kept for task in left}["r1.0"] is False
    ruling = go(tmp_path / "run", scored, roots)
    of_r1 = ruling.verdicts.loc[["r1", "r1.0", "r1.1"]]
    assert list(of_r1["state"]) == ["rejected"] * 3
    assert list(of_r1["gate"]) == ["size"] * 3
    assert ruling.table.loc[["r1.0"], "weight"].notna().all()
    assert ruling.table.loc[["r1.0"], "seal"].isna().all()
    kept = ruling.verdicts["state"] == "kept"
    assert set(kept.index[kept]) == set(
        (fresh := go(tmp_path / "fresh", plain, roots).verdicts).index[fresh["state"] == "kept"]
    )


def test_an_unmeasured_stage_says_why_and_its_gates_decide_by_missing(tmp_path):
    why = {"weigh": "weight scales is missing"}
    passing = go(tmp_path / "pass", plan_of(GATES[:3], unmeasured=why), roots_of(1))
    assert plan_of(GATES[:3], unmeasured=why).unmeasured["weigh"] == why["weigh"]
    assert not [name for name in passing.table if name.endswith("_unmeasured")]
    strict = [GATES[0], GATES[1], type(GATES[2])("w", "weight", "<=", 20.0, "too_large", "reject")]
    plan = plan_of(strict, unmeasured=why)
    _, journal = _work(tmp_path / "reject", plan, roots_of(8))
    assert _state(plan, journal, "r7.0", "measure") is None
    plan = plan_of(GATES[:3], unmeasured=why)
    _, journal = _work(tmp_path / "again", plan, roots_of(8))
    assert _state(plan, journal, "r7.0", "measure") == ("done", None)


def test_a_child_with_the_id_of_its_parent_is_a_fault_of_the_stage(tmp_path):
    plan = plan_of([])
    _, journal = _work(tmp_path, plan, roots_of(2, r1={"same_id": True}))
    assert _state(plan, journal, "r1", "cut") == ("failed", "crash")
    assert _state(plan, journal, "r0", "cut") == ("done", None)


def test_an_error_with_an_exit_code_ends_the_run(tmp_path, monkeypatch):
    def lacking(self):
        raise WeightMissing("Expected the weight scales, found none; fetch it.")

    monkeypatch.setattr(Weigh, "open", lacking)
    with pytest.raises(WeightMissing):
        _work(tmp_path, plan_of([]), roots_of(3))


def test_after_a_request_to_stop_nothing_new_is_taken(tmp_path):
    place = Workplace(tmp_path)
    request_stop(place, "interrupted")
    left, journal = _work(tmp_path, plan_of([]), roots_of(3))
    assert left == []
    assert len(journal) == 0


SCALES = Cache("scales", needs=("size",))


def _with_caches(monkeypatch, filled):
    """``weigh`` fills a cache, ``measure`` reads it last; ``filled`` gets what each one sees."""
    for stage in (Weigh, Measure):
        answer = stage.answer

        def answered(self, item, answer=answer):
            folder = SCALES.folder(item, self.place)
            filled.append((self.name, item.id, folder.exists(), set(item.values)))
            folder.mkdir(parents=True, exist_ok=True)
            return answer(self, item)

        monkeypatch.setattr(stage, "reads", (SCALES,))
        monkeypatch.setattr(stage, "answer", answered)


def test_a_cache_goes_when_its_last_reader_is_through_whoever_filled_it(tmp_path, monkeypatch):
    """Fails before: caches went only by the hook of one stage, so a plan without it kept all."""
    filled = []
    _with_caches(monkeypatch, filled)
    left, _ = _work(tmp_path, plan_of([]), roots_of(4))
    seen = {(stage, item): there for stage, item, there, _ in filled}
    clips = {task.item.id for task in left}
    assert clips == {f"r{k}.{p}" for k in range(4) for p in range(1 + k)}
    assert all(seen["measure", clip] for clip in clips)
    assert not any(seen["weigh", clip] for clip in clips)
    assert list((tmp_path / "work" / "cache" / "scales").iterdir()) == []


def test_a_cache_goes_where_a_gate_or_a_known_result_ends_its_item(tmp_path, monkeypatch):
    """Fails before, as the one above."""
    filled = []
    _with_caches(monkeypatch, filled)
    heavy = type(GATES[0])("w", "weight", ">=", 1e9, "small_face")
    _work(tmp_path, plan_of([heavy]), roots_of(4))
    assert {stage for stage, *_ in filled} == {"weigh"}
    assert list((tmp_path / "work" / "cache" / "scales").iterdir()) == []


def test_an_item_brings_only_what_its_stage_or_its_cache_needs(tmp_path, monkeypatch):
    """Fails before: every value went along, and a stage could read what it did not declare."""
    filled = []
    _with_caches(monkeypatch, filled)
    _work(tmp_path, plan_of([]), roots_of(4))
    assert {frozenset(values) for *_, values in filled} == {frozenset({"length", "size"})}


def test_a_column_that_locates_a_file_goes_along_and_changes_no_fingerprint(tmp_path, monkeypatch):
    """Fails before: a value came with every item, or with the fingerprint of who gives it."""
    before = {planned.name: planned.fingerprint for planned in plan_of([]).stages}
    place = Column("place_of_file", "string", "where it lies", locates=True)
    monkeypatch.setattr(Look, "columns", (*Look.columns, place))
    look = Look.answer
    monkeypatch.setattr(
        Look, "answer", lambda self, item: Done({**look(self, item).values, "place_of_file": "a"})
    )
    seen = []
    weigh = Weigh.answer
    monkeypatch.setattr(
        Weigh, "answer", lambda self, item: (seen.append(dict(item.values)), weigh(self, item))[1]
    )
    _work(tmp_path, plan_of([]), roots_of(3))
    assert {frozenset(values) for values in seen} == {frozenset({"length", "place_of_file"})}
    assert {planned.name: planned.fingerprint for planned in plan_of([]).stages} == before


def test_a_cache_of_another_version_is_measured_anew(monkeypatch):
    """Fails before: what several stages looked at had no version."""
    prints = []
    for version in (1, 2):
        monkeypatch.setattr(Measure, "reads", (Cache("scales", version, ("size",)),))
        prints.append({planned.name: planned.fingerprint for planned in plan_of([]).stages})
    changed = {name for name in prints[0] if prints[0][name] != prints[1][name]}
    assert changed == {"measure"}


def test_a_stage_may_reject_for_a_reason_of_its_own_and_for_no_unknown_one(tmp_path, monkeypatch):
    """Fails before: the list of reasons was closed to a stage of another package."""
    monkeypatch.setattr(Look, "answer", lambda self, item: Rejected("dull"))
    plan = plan_of([])
    _, journal = _work(tmp_path / "unknown", plan, roots_of(1))
    assert _state(plan, journal, "r0", "look") == ("failed", "crash")
    monkeypatch.setattr(Look, "reasons", (Reason("dull", OWN, "nothing happens", LOOSEN),))
    _, journal = _work(tmp_path / "own", plan, roots_of(1))
    assert _state(plan, journal, "r0", "look") == ("rejected", "dull")
