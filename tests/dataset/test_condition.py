"""Conditions, against rows that were judged by hand; what is no condition is refused."""

import pyarrow as pa
import pytest

from talkingface_wild.core.errors import UsageError
from talkingface_wild.dataset.condition import Condition

ROWS = {
    "yaw_p90": pa.array([10.0, 25.0, None, 40.0]),
    "windows": pa.array([1, None, 3, 4]),
    "language": pa.array(["de", "en", "de", None]),
    "has_audio": pa.array([True, False, None, True]),
}
KINDS = {"yaw_p90": "number", "windows": "number", "language": "text", "has_audio": "bool"}


def _rows(text):
    condition = Condition(text, KINDS)
    mask = condition.mask({name: ROWS[name] for name in condition.columns})
    return [place for place, true in enumerate(mask.to_pylist()) if true]


@pytest.mark.parametrize(
    ("text", "rows"),
    [
        ("yaw_p90 > 20", [1, 3]),
        ("20 < yaw_p90", [1, 3]),
        ("yaw_p90 >= 25 and yaw_p90 < 40", [1]),
        ("10 < yaw_p90 <= 40", [1, 3]),
        ("yaw_p90 == 10", [0]),
        ("yaw_p90 != 10", [1, 3]),
        ("yaw_p90 > -1.5", [0, 1, 3]),
        ("not yaw_p90 > 20", [0]),
        ("not (yaw_p90 > 20 or language == 'de')", []),
        ("yaw_p90 > 20 or language == 'de'", [0, 1, 2, 3]),
        ("yaw_p90 > 20 and language == 'de'", []),
        ("yaw_p90 is None", [2]),
        ("yaw_p90 is null", [2]),
        ("yaw_p90 is not null", [0, 1, 3]),
        ("yaw_p90 == None", [2]),
        ("language in ('de', 'fr')", [0, 2]),
        ("language not in ['de']", [1]),
        ("windows in (1, 4)", [0, 3]),
        ("windows in (1.0, 3.5, 1e30)", [0]),
        ("windows not in (1.0, 3.5)", [2, 3]),
        ("windows in ()", []),
        ("has_audio in (true,)", [0, 3]),
        ("'e' in language", [0, 1, 2]),
        ("has_audio", [0, 3]),
        ("not has_audio", [1]),
        ("has_audio == false", [1]),
        ("yaw_p90 > windows", [0, 3]),
        ("windows > 2 and yaw_p90 is null", [2]),
    ],
)
def test_rows_are_those_for_which_it_is_true(text, rows):
    """Null compares to nothing: neither a condition nor its contrary may take it in. A list of
    members means what == means: 3 is not in (3.5,).
    """
    assert _rows(text) == rows


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("yaw_p9 > 20", "did you mean 'yaw_p90'"),
        ("language == de", "text stands in quotes"),
        ("yaw_p90 = 20", "equality is written =="),
        ("yaw_p90 >", "expected a condition"),
        ("", "expected a condition"),
        ("yaw_p90", "neither true nor false"),
        ("20", "neither true nor false"),
        ("1 < 2", "without a column"),
        ("language > 3", r"language \(text\) beside 3 \(number\)"),
        ("has_audio > true", "an order"),
        ("yaw_p90 > null", "is null"),
        ("yaw_p90 is 3", "only null"),
        ("language in 'de'", "in without a list"),
        ("language in (1, 2)", "where text"),
        ("yaw_p90 + 1 > 20", "only columns, numbers"),
        ("yaw_p90 > abs(20)", "expected a column, found 'abs'"),
        ("__import__('os').system('true')", "expected a column, found '__import__'"),
        ("language.__class__ == 'x'", "only columns, numbers"),
        ("[x for x in ()]", "expected a column"),
        ("yaw_p90 if has_audio else windows", "neither true nor false"),
        ("(yaw_p90 := 3) > 2", "only columns, numbers"),
        ("f'{language}' == 'de'", "only columns, numbers"),
        ("lambda: 1", "neither true nor false"),
        ("(" * 500 + "yaw_p90" + ")" * 500 + " > 1", "expected a condition"),
        ("yaw_p90 > 1" * 300, "at most"),
        ("yaw_p90 > " + "9" * 1900, "cannot be compared"),
        ("yaw_p90 > " + "-" * 1900 + "1", "cannot be (compared|read)"),
        ('language == "\\ud800"', "cannot be compared"),
        ("language == '\udcff'", r"\\udcff"),
    ],
)
def test_anything_else_is_refused_in_one_sentence(text, says):
    with pytest.raises(UsageError, match=says) as error:
        Condition(text, KINDS)
    assert str(error.value).count("\n") == 0
