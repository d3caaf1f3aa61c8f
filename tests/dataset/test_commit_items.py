"""The wide table goes to Parquet and back as it was, so that rulings on it come out the same."""

from talkingface_wild.dataset.snapshot import load_items
from talkingface_wild.engine.ruling import rule
from talkingface_wild.engine.stage import Workplace
from tests.dataset.made import made
from tests.engine.stages import GATES, assert_same, plan_of


def test_types_and_values_come_back(tmp_path):
    commit, ruling = made(tmp_path, 10, r3={"faults": {"look": "reject"}})
    back = load_items(commit.folder)
    # Long measures lie in tracks/, no ruling reads them.
    wide = ruling.table.drop(columns=["edges", "review"])
    assert list(back.index) == list(wide.index)
    assert set(back.columns) == set(wide.columns)
    for name in wide:
        assert back[name].dtype == wide[name].dtype, name
        same = back[name].astype(object).where(back[name].notna(), None)
        assert same.tolist() == wide[name].astype(object).where(wide[name].notna(), None).tolist()


def test_a_ruling_on_stored_items_is_the_ruling_on_measured_ones(tmp_path):
    commit, first = made(tmp_path, 14)
    place = Workplace(tmp_path)
    for gates in (GATES, GATES[1:], GATES[:1], ()):
        plan = plan_of(gates)
        from_stored = rule(plan, load_items(commit.folder), place)
        measured = rule(plan, first.table.drop(columns=["edges"]), place)
        assert_same(from_stored, _without(measured, "review"))
        assert from_stored.todo == measured.todo


def _without(ruling, name):
    ruling.table = ruling.table.drop(columns=[name])
    return ruling
