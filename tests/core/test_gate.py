"""Gates: comparisons, bounds by group, missing values."""

import pytest

from talkingface_wild.core.gate import Gate, Verdict, judge


@pytest.mark.parametrize(
    ("comparison", "below", "at", "above"),
    [
        (">=", False, True, True),
        (">", False, False, True),
        ("<=", True, True, False),
        ("<", True, False, False),
        ("==", False, True, False),
        ("!=", True, False, True),
    ],
)
def test_each_comparison_keeps_its_side_of_the_bound(comparison, below, at, above):
    gate = Gate("g", "x", comparison, 3.0, "too_short")
    kept = [judge((gate,), {"x": value}, "en").kept for value in (2.9, 3.0, 3.1)]
    assert kept == [below, at, above]


def test_a_group_may_have_its_own_bound():
    gate = Gate("sync", "x", ">=", 3.0, "low_sync", per_group={"zh": 2.0})
    assert judge((gate,), {"x": 2.5}, "zh").reason is None
    assert judge((gate,), {"x": 2.5}, "en").reason == "low_sync"
    assert gate.bound_for("zh") == 2.0


def test_a_missing_value_passes_or_is_unmeasured_as_the_gate_says():
    strict, lenient = (Gate("g", "x", ">=", 1, "blurry", missing) for missing in ("reject", "pass"))
    assert judge((strict,), {"x": None}, "en").reason == "unmeasured"
    assert judge((lenient,), {"x": None}, "en").kept


def test_the_first_gate_that_fails_gives_the_verdict_with_value_and_bound():
    gates = (
        Gate("one", "a", ">=", 1, "too_short"),
        Gate("two", "b", "==", True, "no_audio"),
        Gate("three", "c", "<=", 5, "too_long"),
    )
    values = {"a": 2, "b": False, "c": 9}
    assert judge(gates, values, "en") == Verdict("no_audio", "two", False, True)
    assert judge(gates, {"a": 1, "b": True, "c": 5}, "en").kept
    assert judge((), {}, "en").kept


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"comparison": "=>"}, "none of"),
        ({"reason": "no_fase"}, "did you mean 'no_face'"),
        ({"missing": "pas"}, "pass or reject"),
    ],
)
def test_a_gate_that_makes_no_sense_is_refused(change, says):
    settings = {"comparison": ">=", "bound": 1, "reason": "no_face", **change}
    with pytest.raises(ValueError, match=says):
        Gate("g", "x", **settings)
