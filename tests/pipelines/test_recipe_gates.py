"""Gates that ``--set`` puts on measured columns: what they become, and what is refused."""

import pytest

from talkingface_wild.core.errors import RecipeError
from talkingface_wild.core.gate import Gate
from talkingface_wild.pipelines.recipe import load_recipe


def _gates(recipe, *settings):
    return {gate.name: gate for gate in load_recipe(recipe, settings).gates}


@pytest.mark.parametrize(
    ("word", "sign"),
    [("at_least", ">="), ("at_most", "<="), ("above", ">"), ("below", "<"), ("equals", "==")],
)
def test_each_word_makes_its_gate_on_a_column_without_one(word, sign):
    gate = _gates("embedded", f"gates.pitch_p90.{word}=20")["pitch_p90"]
    assert (gate.column, gate.comparison, gate.bound) == ("pitch_p90", sign, 20.0)


@pytest.mark.parametrize(
    ("setting", "reason"),
    [
        ("yaw_p90.at_most=20", "profile"),
        ("sharpness.at_least=12", "blurry"),
        ("sync_confidence.above=2", "low_sync"),
        ("clip_seconds.at_most=30", "beyond_bound"),
        ("yaw_p90.at_least=20", "beyond_bound"),
        ("loudness_dbfs.at_most=-20", "beyond_bound"),
    ],
)
def test_the_reason_is_the_shipped_one_for_that_column_and_side_only(setting, reason):
    """A clip that is too long must not be rejected as too_short for the column's sake."""
    assert list(_gates("embedded", f"gates.{setting}").values())[-1].reason == reason


def test_a_column_means_the_gate_that_bounds_it_on_that_side():
    paper = _gates("talkingface_wild", "gates.yaw_p90.at_most=50")
    assert "yaw_p90" not in paper
    assert paper["yaw"].bound == 50.0
    both = _gates("talkingface_wild", "gates.yaw_p90.at_least=5")
    assert (both["yaw"].bound, both["yaw_p90"].bound) == (40.0, 5.0)


def test_two_gates_on_one_side_are_asked_apart():
    with pytest.raises(RecipeError, match="no_sync and sync_offset"):
        load_recipe("talkingface_wild", ["gates.sync_offset_size.at_most=5"])


def test_another_word_replaces_the_bound_and_those_of_single_languages():
    """Old bounds of single languages would bound the other side of their column."""
    gate = _gates("embedded", "gates.length.zh=2", "gates.length.at_most=9")["length"]
    assert gate == Gate("length", "clip_seconds", "<=", 9.0, "too_short")
    kept = _gates("embedded", "gates.length.zh=2", "gates.length.at_least=9")["length"]
    assert dict(kept.per_group) == {"zh": 2.0}


def test_a_language_has_its_own_bound_and_a_gate_its_reason_and_its_way_with_nulls():
    gate = _gates(
        "embedded",
        "gates.yaw_p90.at_most=20",
        "gates.yaw_p90.at_most.zh=15",
        "gates.yaw_p90.de=25",
        "gates.yaw_p90.reason=face_gap",
        "gates.yaw_p90.missing=pass",
    )["yaw_p90"]
    assert (gate.bound_for("zh"), gate.bound_for("de"), gate.bound_for("en")) == (15, 25, 20)
    assert (gate.reason, gate.missing) == ("face_gap", "pass")


def test_it_comes_back_from_the_dump_and_off_leaves_the_recipe_as_it_was(tmp_path):
    recipe = load_recipe("embedded", ["gates.yaw_p90.at_most=20", "gates.yaw_p90.zh=15"])
    path = tmp_path / "dumped.yaml"
    path.write_text(recipe.dump(), encoding="utf-8")
    assert load_recipe(str(path)) == recipe
    assert load_recipe(str(path), ["gates.yaw_p90=off"]) == load_recipe("embedded")


def test_off_by_the_column_switches_a_recipes_own_gate_off_and_a_bound_on_again():
    off = load_recipe("talkingface_wild", ["gates.yaw_p90=off"])
    assert [gate.name for gate in off.gates_off.values()] == ["yaw"]
    assert (
        _gates("talkingface_wild", "gates.yaw=off", "gates.yaw_p90.at_most=30")["yaw"].bound == 30
    )


@pytest.mark.parametrize(
    ("setting", "says"),
    [
        ("gates.yaw=20", "yaw_p90, yaw_max, mesh_yaw_p90: `--set gates.yaw_p90.at_most=20`"),
        ("gates.sync.zh=4", "`--set gates.sync_confidence.at_least=4`"),
        ("gates.sharpness=12", "--set gates.sharpness.at_least=12"),
        ("gates.yaw_p90.at_most.zh=15", "for all languages: --set gates.yaw_p90.at_most=15"),
        ("gates.yaw_p9.at_most=3", "did you mean 'yaw_p90'"),
        ("gates.length.at_lest=3", "did you mean 'at_least'"),
        ("gates.length.at_most.zh=3", "--set gates.length.at_most=3"),
        ("gates.identity.equals=a", "identity holds text"),
        ("gates.face_boxes.at_most=1", "face_boxes holds lists"),
        ("gates.language_verified.at_most=1", "gates.language_verified.equals=true"),
        ("gates.yaw_p90.at_most=wide", "a number, found 'wide'"),
        ("gates.length=inf", "a finite number, found 'inf'"),
        ("gates.length.zh=-.inf", "a finite number, found -inf"),
    ],
)
def test_a_wrong_setting_names_the_command_that_is_meant(setting, says):
    with pytest.raises(RecipeError) as error:
        load_recipe("embedded", [setting])
    assert says in str(error.value)
