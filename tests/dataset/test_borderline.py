"""Which items are nearest to a bound, counted by hand."""

import pandas as pd

from talkingface_wild.core.gate import Gate
from talkingface_wild.dataset.borderline import judged, nearest_to_bound

GATE = Gate("quality", "score", ">=", 40.0, "low_quality", "reject", {"ko": 30.0})


def _items():
    rows = {
        "a": (41.0, "en"),
        "b": (45.0, "en"),
        "c": (39.0, "en"),
        "d": (20.0, "en"),
        "e": (30.5, "ko"),
        "f": (29.9, "ko"),
        "g": (None, "en"),
    }
    return pd.DataFrame(rows, index=["score", "group"]).T


def test_each_item_is_judged_by_its_own_languages_bound():
    rows = judged(_items(), GATE)
    assert "g" not in rows.index
    assert rows["passed"].to_dict() == {
        "a": True,
        "b": True,
        "c": False,
        "d": False,
        "e": True,
        "f": False,
    }
    assert rows.at["e", "bound"] == 30.0


def test_the_nearest_come_first_on_both_sides():
    assert nearest_to_bound(_items(), GATE, 2) == (["e", "a"], ["f", "c"])
    assert nearest_to_bound(_items(), GATE, 9) == (["e", "a", "b"], ["f", "c", "d"])
    assert nearest_to_bound(_items(), GATE, 0) == ([], [])


def test_ties_depend_on_the_seed_but_not_on_the_order():
    tied = pd.DataFrame({"score": 50.0, "group": "en"}, index=[f"c{i}" for i in range(50)])
    first = nearest_to_bound(tied, GATE, 5)
    assert first == nearest_to_bound(tied.iloc[::-1], GATE, 5)
    assert first != nearest_to_bound(tied, GATE, 5, seed=1)
    assert len(first[0]) == 5


def test_a_gate_without_a_number_has_no_border():
    flag = Gate("sound", "has_audio", "==", True, "no_audio")
    items = pd.DataFrame({"has_audio": [True, False], "group": "en"}, index=["a", "b"])
    assert nearest_to_bound(items, flag, 3) == ([], [])
    assert judged(items, flag)["passed"].tolist() == [True, False]
