"""The config loader: names and lines in its errors, and YAML that means harm."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, Literal

import pytest
from pydantic import Field

from talkingface_wild.core.config import Count, build, coerce, read_yaml, read_yaml_file, scalar
from talkingface_wild.core.errors import RecipeError


@dataclass(frozen=True)
class Inner:
    threshold: float = 3.0
    """When to cut."""
    min_frames: int = 15
    detector: Literal["adaptive", "content"] = "adaptive"
    """Which detector."""
    sizes: tuple[int, ...] = ()
    note: str | None = None
    active: bool = True
    bounds: Mapping[str, float] = field(default_factory=dict)


def _build(text: str) -> Inner:
    document = read_yaml(text, "my.yaml")
    return build(Inner, document.data, document)


def test_values_arrive_with_their_declared_types():
    made = _build(
        "threshold: 2\nmin_frames: 9\nsizes: [1, 2]\nnote: 5\nbounds: {zh: 1}\nactive: false"
    )
    assert made == Inner(2.0, 9, "adaptive", (1, 2), "5", False, {"zh": 1.0})
    assert isinstance(made.threshold, float)


def test_an_unknown_key_is_answered_with_the_nearest_name_and_its_line():
    with pytest.raises(RecipeError) as error:
        _build("min_frames: 3\n\ntreshold: 2\n")
    assert "my.yaml, line 3" in str(error.value)
    assert "did you mean 'threshold'?" in str(error.value)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("threshold: high", "a number, found 'high'"),
        ("threshold: .nan", "a number"),
        ("threshold: true", "a number, found True"),
        ("min_frames: 2.5", "a whole number, found 2.5"),
        ("min_frames: .inf", "a whole number"),
        ("detector: adaptve", "did you mean 'adaptive'"),
        ("sizes: [1, x]", "a whole number, found 'x'"),
        ("active: maybe", "true or false, found 'maybe'"),
        ("bounds: 3", "a mapping, found 3"),
        ("note: [1]", "text, found"),
    ],
)
def test_a_wrong_type_says_what_was_expected_and_where(text, says):
    with pytest.raises(RecipeError) as error:
        _build(f"# one line of talk\n{text}\n")
    assert says in str(error.value)
    assert "my.yaml, line 2" in str(error.value)


def test_a_key_given_twice_is_refused_with_the_second_line():
    with pytest.raises(RecipeError, match="'threshold' once in my.yaml, found it again on line 3"):
        read_yaml("threshold: 1\nactive: true\nthreshold: 2\n", "my.yaml")


@pytest.mark.parametrize(
    "text",
    [
        "a: !!python/object/apply:os.system ['true']",
        "a: !unknown 3",
        "a: [1, 2",
        "a: b: c",
        "\t- x",
        "a: 2001-99-99",
        "? {a: 1}\n: 2",
        "a: *nowhere",
        "just text",
        "- a list",
        "",
    ],
)
def test_yaml_that_is_not_plain_settings_is_a_recipe_error(text):
    with pytest.raises(RecipeError, match=r"my\.yaml"):
        read_yaml(text, "my.yaml")


def test_deep_nesting_is_refused():
    for depth in (30, 5000):
        with pytest.raises(RecipeError, match="levels"):
            read_yaml("a: " + "[" * depth + "]" * depth, "my.yaml")


def test_aliases_that_multiply_are_refused_before_they_fill_the_memory():
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x]"]
    for level in range(1, 9):
        lines.append(f"a{level}: &a{level} [{', '.join([f'*a{level - 1}'] * 9)}]")
    with pytest.raises(RecipeError, match="entries"):
        read_yaml("\n".join(lines), "my.yaml")


def test_an_alias_to_itself_is_refused():
    with pytest.raises(RecipeError, match="levels"):
        read_yaml("a: &a [*a]", "my.yaml")


def test_a_file_that_cannot_be_read_is_a_recipe_error(tmp_path):
    for path in (tmp_path / "absent.yaml", tmp_path):
        with pytest.raises(RecipeError, match="that can be read"):
            read_yaml_file(path)
    latin = tmp_path / "latin.yaml"
    latin.write_bytes(b"name: caf\xe9")
    with pytest.raises(RecipeError, match=r"latin\.yaml"):
        read_yaml_file(latin)


def test_lines_of_nested_keys_are_known():
    document = read_yaml("stages:\n  - probe\n  - shots: {threshold: 2}\n", "r.yaml")
    assert document.where(("stages", "1", "shots", "threshold")) == "r.yaml, line 3"
    assert document.where(("stages", "0", "nothing")) == "r.yaml, line 2"
    assert document.where(("nothing",)) == "r.yaml"


@pytest.mark.parametrize(
    ("text", "value"),
    [("3", 3), ("0.5", 0.5), ("true", True), ("off", False), ("[a, b]", ["a", "b"]), ("null", None)]
    + [("plain words", "plain words"), ("a: b: c", "a: b: c"), ("2001-99-99", "2001-99-99")],
)
def test_a_command_lines_value_reads_as_yaml_or_stays_text(text, value):
    assert scalar(text) == value


def test_a_list_may_be_given_as_text_with_commas():
    assert coerce("1,2,3", tuple[int, ...]) == (1, 2, 3)


@dataclass(frozen=True)
class Outer:
    name: str
    inner: Inner = field(default_factory=Inner)
    other: Inner | None = None
    sizes: Annotated[tuple[Count, ...], Field(min_length=1)] = (1,)
    share: Annotated[float, Field(gt=0, lt=1)] = 0.5


def test_sections_are_built_and_bounds_hold_with_the_line_of_what_breaks_them():
    document = read_yaml("name: a\ninner: {min_frames: 2}\nother: {active: false}\n", "my.yaml")
    assert build(Outer, document.data, document) == Outer(
        "a", Inner(min_frames=2), Inner(active=False)
    )
    for text, words in (
        ("inner: {}", r"expected 'name', found none; the fields are name, inner"),
        ("name: a\ninner:\n  treshold: 1", r"line 3: 'inner\.treshold' .*did you mean 'threshold'"),
        ("name: a\ninner: 3", r"line 2: inner expects a mapping of settings, found 3\."),
        ("name: a\ninner: null", r"inner expects a mapping of settings, found None"),
        ("name: a\nsizes: []", r"line 2: sizes must be at least 1 long, found \(\)"),
        ("name: a\nsizes: [1, 0]", r"line 2: sizes must be at least 1, found 0"),
        ("name: a\nshare: 1", r"line 2: share must be below 1, found 1\.0"),
        ("name: a\nshare: 0", r"line 2: share must be above 0, found 0\.0"),
    ):
        document = read_yaml(text, "my.yaml")
        with pytest.raises(RecipeError, match=words):
            build(Outer, document.data, document)
