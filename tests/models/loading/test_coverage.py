"""The report itself."""

import pytest

from talkingface_wild.core.errors import InputUnreadable, WeightMissing
from talkingface_wild.models.loading import Coverage, Mismatch, table


def coverage(loaded, missing, **more):
    return Coverage(
        "temporal q,k,v",
        "mm.ckpt",
        tuple(f"l{i}" for i in range(loaded)),
        tuple(f"m{i}" for i in range(missing)),
        **more,
    )


def test_the_bound_is_99_per_cent_of_the_tensors():
    coverage(99, 1).check()
    with pytest.raises(WeightMissing) as caught:
        coverage(989, 11, advice="take mm_v2.ckpt").check()
    assert str(caught.value) == (
        "Expected at least 99% of the 1000 tensors of temporal q,k,v in mm.ckpt, found 989 "
        "(98.9 %) without m0, m1, m2 and 8 more; take mm_v2.ckpt."
    )
    coverage(98, 2).check(least=0.98)


def test_nothing_expected_is_nothing_covered():
    with pytest.raises(WeightMissing):
        coverage(0, 0).check()


def test_a_wrong_shape_is_an_error_however_much_fits():
    wrong = (Mismatch("conv", "(4,)", "(9,)"), Mismatch("fc", "(1,)", "(2,)"))
    with pytest.raises(InputUnreadable, match=r"conv as \(9,\) instead of \(4,\) and 1 more"):
        coverage(10_000, 0, mismatched=wrong).check()


def test_idle_tensors_do_not_count_and_shares_are_not_rounded_up():
    whole = coverage(10, 0, idle=("unread",))
    assert whole.share == 1
    almost = coverage(9_999, 1)
    assert almost.row()[3] == "99.9 %"


def test_table_is_plain_rows():
    rows = table([coverage(10, 0, unexpected=("x", "y"), left_out=("z",))])
    assert rows[0][:4] == ("group", "loaded", "of", "share")
    assert rows[1] == (
        "temporal q,k,v", "10", "10", "100.0 %", "0", "0", "2", "1", "mm.ckpt",
    )  # fmt: skip
    assert all(isinstance(cell, str) for row in rows for cell in row)
