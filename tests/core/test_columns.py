"""What a column stores: plain, rounded, finite."""

import json
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from talkingface_wild.core.columns import Column, clean_values

FLOAT = Column("x", "float", "a number", decimals=2)


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf, np.float32("nan")])
def test_what_is_not_finite_is_null(value):
    assert FLOAT.clean(value) is None
    assert Column("x", "list<float>", "numbers").clean([1.0, value]) == [1.0, None]


def test_floats_are_rounded_to_the_declared_decimals_and_zero_has_no_sign():
    assert FLOAT.clean(1.23456) == 1.23
    assert math.copysign(1, FLOAT.clean(-0.001)) == 1
    assert FLOAT.clean(np.float32(0.1)) == 0.1


@pytest.mark.parametrize(
    ("kind", "value", "stored"),
    [
        ("int", np.int64(7), 7),
        ("bool", np.bool_(True), True),
        ("string", np.str_("a"), "a"),
        ("list<int>", np.array([1, 2], dtype=np.uint8), [1, 2]),
        ("list<float>", np.array([0.5, -0.0]), [0.5, 0.0]),
        ("float", 3, 3.0),
        ("string", None, None),
    ],
)
def test_numpy_values_become_plain_ones(kind, value, stored):
    clean = Column("x", kind, "anything").clean(value)
    assert clean == stored
    assert type(clean) is type(stored)
    json.dumps(clean, allow_nan=False)


def test_text_of_odd_file_names_can_be_written_as_utf8():
    odd = b"caf\xe9.mp4".decode("utf-8", "surrogateescape")
    stored = Column("path", "string", "a file").clean(odd)
    assert stored.encode("utf-8") == b"caf?.mp4"


@given(st.floats(allow_nan=False, allow_infinity=False, width=32), st.integers(0, 6))
def test_rounding_is_stable(value, decimals):
    column = Column("x", "float", "a number", decimals=decimals)
    once = column.clean(value)
    assert column.clean(once) == once
    assert abs(once - value) <= 0.5 * 10.0**-decimals + abs(value) * 1e-12


def test_an_undeclared_value_is_refused():
    with pytest.raises(KeyError, match="y"):
        clean_values((FLOAT,), {"y": 1})


def test_an_unknown_type_is_refused():
    with pytest.raises(ValueError, match="'x' has type 'decimal'"):
        Column("x", "decimal", "a number")
