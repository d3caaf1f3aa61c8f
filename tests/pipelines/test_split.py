"""Train, val and test: sizes by the rule, nobody on two sides, no say of the rows' order."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from talkingface_wild.engine.stage import Workplace
from talkingface_wild.pipelines.stages.split import Split, SplitConfig


def _split(table, **settings):
    return Split(SplitConfig(**settings), Workplace(None)).compute(table)["split"]


def _table(groups, languages=None):
    spoken = languages or ["en"] * len(groups)
    frame = pd.DataFrame({"identity_group": groups, "group": spoken, "language": spoken})
    frame.index = [f"c{index:04d}" for index in range(len(frame))]
    return frame.astype("string")


@pytest.mark.parametrize("count", range(1, 201))
def test_sizes_follow_the_rule(count):
    sides = _split(_table([f"g{index}" for index in range(count)]))
    found = sides.value_counts().to_dict()
    test = min(40, count // 4) if count >= 3 else 0
    val = min(20, count // 8) if count >= 3 else 0
    if count >= 3:
        test, val = max(test, 1), max(val, 1)
    expected = {"test": test, "val": val, "train": count - test - val}
    assert found == {side: number for side, number in expected.items() if number}


@hypothesis_settings(deadline=None, max_examples=60)
@given(
    st.lists(st.tuples(st.integers(0, 12), st.sampled_from(["en", "zh"])), max_size=60),
    st.randoms(),
)
def test_no_group_is_on_two_sides_and_the_order_of_rows_says_nothing(rows, random):
    table = _table([f"g{group}" for group, _ in rows], [language for _, language in rows])
    sides = _split(table)
    assert sides.notna().all()
    assert (sides.groupby(table["identity_group"]).nunique() <= 1).all()
    order = list(range(len(rows)))
    random.shuffle(order)
    pd.testing.assert_series_equal(_split(table.iloc[order]).sort_index(), sides.sort_index())


def test_every_language_has_its_own_share():
    groups = [f"{language}{index}" for language in ("en", "zh") for index in range(8)]
    sides = _split(_table(groups, ["en"] * 8 + ["zh"] * 8))
    for part in (sides.iloc[:8], sides.iloc[8:]):
        assert part.value_counts().to_dict() == {"train": 5, "test": 2, "val": 1}


def test_a_group_in_two_languages_counts_where_it_has_most_clips():
    groups = ["g0", "g0", "g0", "g1", "g2", "g3"]
    languages = ["zh", "zh", "en", "en", "en", "en"]
    sides = _split(_table(groups, languages))
    # English has three groups of its own (one on each side); Chinese has one, which trains.
    assert sides.iloc[:3].tolist() == ["train"] * 3
    assert set(sides.iloc[3:]) == {"train", "val", "test"}


def test_another_seed_draws_other_groups_and_the_same_seed_the_same():
    table = _table([f"g{index}" for index in range(100)])
    assert _split(table, seed=1).tolist() == _split(table, seed=1).tolist()
    assert _split(table, seed=1).tolist() != _split(table, seed=2).tolist()


def test_one_more_group_moves_few():
    before = _split(_table([f"g{index}" for index in range(400)]))
    after = _split(_table([f"g{index}" for index in range(401)]))
    assert np.sum(before.to_numpy() != after.to_numpy()[:400]) <= 3


def test_an_empty_table_has_an_empty_answer():
    assert len(_split(_table([]))) == 0


def test_languages_of_few_groups_share_one_split():
    """Ten languages of a source each had no test split at all, so nothing could be held out."""
    groups = [f"g{index}" for index in range(10)] + [f"en{index}" for index in range(8)]
    languages = [f"l{index // 2}" for index in range(10)] + ["en"] * 8
    sides = _split(_table(groups, languages))
    assert sides.iloc[:10].value_counts().to_dict() == {"train": 7, "test": 2, "val": 1}
    assert sides.iloc[10:].value_counts().to_dict() == {"train": 5, "test": 2, "val": 1}


def test_two_groups_in_all_are_all_for_training():
    assert set(_split(_table(["a", "b"], ["en", "zh"]))) == {"train"}
