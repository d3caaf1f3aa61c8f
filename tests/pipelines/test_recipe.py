"""Recipes: what the package brings, what users write over it, and what is refused with its line."""

import dataclasses
from dataclasses import dataclass

import pytest

from talkingface_wild.core.columns import Column
from talkingface_wild.core.errors import RecipeError
from talkingface_wild.core.outcome import Done
from talkingface_wild.core.reasons import LOOSEN, OWN, Reason
from talkingface_wild.engine.plan import make_plan
from talkingface_wild.engine.stage import Stage
from talkingface_wild.pipelines.clip_crops import CLIP_CROPS
from talkingface_wild.pipelines.planning import check_weights
from talkingface_wild.pipelines.recipe import load_recipe, recipe_names
from talkingface_wild.pipelines.schema import given_reasons, reason_called
from talkingface_wild.pipelines.stages import REGISTRY, stage_class


def _written(tmp_path, text, name="mine.yaml"):
    path = tmp_path / name
    path.write_text(text, encoding="utf-8")
    return str(path)


def _gate(recipe, name):
    return next(gate for gate in recipe.gates if gate.name == name)


def _config(recipe, name):
    return next(choice.config for choice in recipe.stages if choice.name == name)


@pytest.mark.parametrize("name", recipe_names())
def test_every_recipe_of_the_package_makes_a_plan_and_comes_back_from_its_dump(tmp_path, name):
    recipe = load_recipe(name)
    stages = [(stage_class(choice.name), choice.config, None) for choice in recipe.stages]
    plan = make_plan(stages, recipe.gates, lambda weight: None)
    judged = {gate.name for planned in plan.stages for gate in planned.gates}
    assert judged == {gate.name for gate in recipe.gates}
    assert load_recipe(_written(tmp_path, recipe.dump())) == recipe


def test_the_recipes_and_the_ten_languages():
    assert {"demo", "embedded", "open", "talkingface_wild"} <= set(recipe_names())
    assert set(load_recipe("talkingface_wild").languages) == set(
        ["ar", "de", "en", "es", "fr", "hi", "ja", "ko", "ru", "zh"]
    )


def test_embedded_gates_what_a_person_would_leave_out():
    gates = {gate.column: (gate.comparison, gate.bound) for gate in load_recipe("embedded").gates}
    tail = gates.pop("dropped_tail", None)
    assert tail in (None, ("==", False))
    assert gates == {
        "has_audio": ("==", True),
        "clip_seconds": (">=", 3.0),
        "face_presence_ratio": (">=", 0.85),
        "second_face_ratio": ("<=", 0.02),
        "inner_transitions": ("<=", 0),
        "speech_ratio": (">=", 0.25),
        "voice_similarity": (">=", 0.74),
        "mouth_speed_speech": (">=", 0.10),
        "speaks_ratio": (">=", 0.5),
    }


def test_open_asks_for_no_weight_and_is_the_papers_pipeline():
    """Stages are the paper's, in their order, and an open network more."""
    paper, mine = load_recipe("talkingface_wild"), load_recipe("open")
    assert set(choice.name for choice in mine.stages) == {
        *(choice.name for choice in paper.stages),
        "speaks",
    }
    assert mine.corpus is None and mine.targets.hours_per_language is None
    check_weights(mine)
    without = {gate.name for gate in paper.gates} - {"lines", "length"}
    for name in without:
        # What no open network measures is asked of nobody who lacks the weights.
        own = dataclasses.replace(_gate(mine, name), missing=_gate(paper, name).missing)
        assert own == _gate(paper, name)


def test_demo_is_embedded_with_gates_on_sharpness_and_lip_sync():
    demo, embedded = load_recipe("demo"), load_recipe("embedded")
    assert demo.stages == embedded.stages
    assert demo.corpus == "demo"
    own = [_gate(demo, name) for name in ("sharpness", "lips", "early", "late")]
    assert list(demo.gates) == [*embedded.gates, *own]


def test_the_papers_recipe_asks_for_its_weights():
    policies = {choice.name: choice.weights for choice in load_recipe("talkingface_wild").stages}
    required = ("faces", "quality", "sync", "identity")
    assert [policies[name] for name in required] == ["required"] * 4


def test_every_registered_stage_declares_columns_that_no_other_gives_in_another_way():
    seen = {}
    for name in REGISTRY:
        stage = stage_class(name)
        assert stage.name == name
        for column in stage.columns:
            assert seen.setdefault(column.name, column.type) == column.type
            assert column.meaning


def test_a_users_recipe_extends_another_by_name_or_file(tmp_path):
    first = _written(
        tmp_path,
        "name: first\nextends: embedded\nstages:\n  - shots: {threshold: 2.5}\n"
        "gates:\n  length: {column: clip_seconds, at_least: 4, reason: too_short}\n",
        "first.yaml",
    )
    second = load_recipe(
        _written(tmp_path, f"name: second\nextends: {first}\ngates: {{sound: null}}\n")
    )
    embedded = load_recipe("embedded")
    assert second.name == "second"
    assert _config(second, "shots").threshold == 2.5
    assert _config(second, "shots").stride_seconds == _config(embedded, "shots").stride_seconds
    assert _gate(second, "length").bound == 4.0
    assert "sound" not in {gate.name for gate in second.gates}
    assert [choice.name for choice in second.stages] == [c.name for c in embedded.stages]


def test_a_circle_of_recipes_is_refused(tmp_path):
    path = tmp_path / "a.yaml"
    path.write_text(f"extends: {path}\n")
    with pytest.raises(RecipeError, match="circle"):
        load_recipe(str(path))


def test_settings_change_stages_gates_targets_and_search():
    recipe = load_recipe(
        "talkingface_wild",
        [
            "faces.detector=scrfd_2.5g",
            "gates.sync=2.5",
            "gates.sync.zh=2",
            "gates.quality=off",
            "gates.sync.missing=pass",
            "targets.hours_per_language=1.5",
            "search.results=7",
        ],
    )
    assert _config(recipe, "faces").detector == "scrfd_2.5g"
    sync = _gate(recipe, "sync")
    assert (sync.bound, dict(sync.per_group), sync.missing) == (2.5, {"zh": 2.0}, "pass")
    assert (sync.bound_for("zh"), sync.bound_for("en")) == (2.0, 2.5)
    assert "quality" not in {gate.name for gate in recipe.gates}
    assert (recipe.targets.hours_per_language, recipe.search.results) == (1.5, 7)


def test_settings_outlive_the_dump(tmp_path):
    recipe = load_recipe("embedded", ["gates.length.zh=2.5", "shots.threshold=2"])
    assert load_recipe(_written(tmp_path, recipe.dump())) == recipe


@pytest.mark.parametrize(
    ("setting", "says"),
    [
        ("shots.treshold=2", "did you mean 'threshold'"),
        ("shot.threshold=2", "did you mean 'shots'"),
        ("gates.lenght=2", "did you mean 'length'"),
        ("gates.length=long", "a number, found 'long'"),
        ("gates.length.zh=long", "a number, found 'long'"),
        ("gates.length.missing=maybe", "pass or reject"),
        ("gates.length.reason=to_short", "did you mean 'too_short'"),
        ("shots.threshold=wide", "a number, found 'wide'"),
        ("targets.hours=3", "is no known setting"),
        ("shots=2", "expected stage.field=value"),
        ("shots.threshold", "expected stage.field=value"),
        ("faces.detector=scrfd_3g", "did you mean"),
    ],
)
def test_a_wrong_setting_says_what_was_meant(setting, says):
    with pytest.raises(RecipeError) as error:
        load_recipe("embedded", [setting])
    assert says in str(error.value)
    assert error.value.exit_code == 3


@pytest.mark.parametrize(
    ("text", "line", "says"),
    [
        ("name: x\nlanguges: [en]\n", 2, "did you mean 'languages'"),
        ("stages:\n  - probe\n  - shotz\n", 3, "did you mean 'shots'"),
        ("stages:\n  - probe\n  - shots:\n      treshold: 2\n", 4, "did you mean 'threshold'"),
        ("stages:\n  - shots: {weights: maybe}\n", 2, "required or optional"),
        (
            "stages: [shots]\ngates:\n  g: {column: clip_secnds, at_least: 1, reason: too_short}\n",
            3,
            "did you mean 'clip_seconds'",
        ),
        ("stages: [shots]\ngates:\n  g:\n    colum: x\n", 4, "did you mean 'column'"),
        ("stages: [shots]\ngates:\n  g: {column: clip_seconds}\n", 3, "exactly one of"),
        (
            "stages: [shots]\ngates:\n  g: {column: clip_seconds, at_least: 1, reason: short}\n",
            3,
            "no known reason",
        ),
        ("stages: [shots]\ngates:\n  g: 3\n", 3, "expects column, a bound and a reason"),
        ("stages: shots\n", 1, "expects a list"),
        ("stages: [shots]\ngates: [a]\n", 2, "expects a mapping"),
        ("targets:\n  hours_per_language: many\n", 2, "a number, found 'many'"),
    ],
)
def test_a_wrong_recipe_says_the_line_and_what_was_meant(tmp_path, text, line, says):
    with pytest.raises(RecipeError) as error:
        load_recipe(_written(tmp_path, text))
    assert f"mine.yaml, line {line}" in str(error.value)
    assert says in str(error.value)


def test_an_unknown_recipe_is_answered_with_the_nearest():
    with pytest.raises(RecipeError, match="did you mean 'embedded'"):
        load_recipe("embeded")


@pytest.mark.parametrize(
    ("text", "line", "says"),
    [
        ("stages:\n  - shots:\n    threshold: 2\n", 2, "indented below its name"),
        ("stages:\n  - 5\n", 2, "expected one stage"),
        ("stages:\n  - probe\n  - probe\n", 3, "once"),
        ("stages:\n  - shots: 3\n", 2, "a mapping of settings"),
        ("corpus: dmeo\n", 1, "did you mean 'demo'"),
        (
            "stages: [shots]\ngates:\n  g: {column: clip_seconds, at_least: 1, "
            "reason: too_short, per_language: {at_least: 3}}\n",
            3,
            "no language tag",
        ),
    ],
)
def test_what_would_be_passed_over_in_silence_is_refused(tmp_path, text, line, says):
    with pytest.raises(RecipeError) as error:
        load_recipe(_written(tmp_path, text))
    assert f"mine.yaml, line {line}" in str(error.value)
    assert says in str(error.value)


@pytest.mark.parametrize(
    "setting", ["gates.length.at_lest=5", "shots.threshold.zh=3", "gates.length.zh.x=3"]
)
def test_a_setting_that_would_change_nothing_is_refused(setting):
    with pytest.raises(RecipeError):
        load_recipe("embedded", [setting])


def test_the_crop_is_set_by_its_own_name():
    for name, value in (("pad", "never"), ("factor", 1.4), ("bars", False)):
        recipe = load_recipe("embedded", [f"crop.{name}={str(value).lower()}"])
        (faces,) = (choice.config for choice in recipe.stages if choice.name == "faces")
        assert getattr(faces, f"crop_{name}") == value
    with pytest.raises(RecipeError, match="no setting 'crop_pads' .did you mean 'crop_pad'"):
        load_recipe("embedded", ["crop.pads=never"])


@dataclass(frozen=True)
class _Nothing:
    """Nothing to set."""


class Smile(Stage):
    """A newcomer's measure of the shared crops."""

    name, Config = "smile", _Nothing
    reads = (CLIP_CROPS,)
    columns = (Column("smile", "float", "how much the face smiles", "", 0, 1),)

    def process(self, items):
        return [Done({"smile": 0.5}) for _ in items]


@pytest.fixture
def smile(monkeypatch):
    """The stage ``smile`` is registered."""
    monkeypatch.setitem(REGISTRY, "smile", "tests.pipelines.test_recipe:Smile")


def test_a_new_stage_stands_behind_what_it_needs(tmp_path, smile):
    """Fails before: it was appended, behind encode, and decoded every clip a second time."""
    recipe = load_recipe(_written(tmp_path, "name: a\nextends: embedded\nstages: [smile]\n"))
    names = [choice.name for choice in recipe.stages]
    assert names.index("smile") == names.index("faces") + 1
    assert set(names) == {"smile", *(choice.name for choice in load_recipe("embedded").stages)}
    assert load_recipe(_written(tmp_path, recipe.dump(), "dump.yaml")) == recipe


def test_after_names_another_place(tmp_path, smile):
    """Fails before: there was no such setting."""
    text = "name: a\nextends: embedded\nstages:\n  - smile: {after: sync}\n"
    names = [choice.name for choice in load_recipe(_written(tmp_path, text)).stages]
    assert names.index("smile") == names.index("sync") + 1
    with pytest.raises(RecipeError, match=r"line 4: smile\.after expects .*'sink'.*sync"):
        load_recipe(_written(tmp_path, text.replace("sync", "sink")))


def test_a_measure_behind_encode_is_refused(tmp_path, smile):
    """Fails before: it ran, on clips that were encoded already."""
    text = "name: a\nextends: embedded\nstages:\n  - smile: {after: encode}\n"
    with pytest.raises(RecipeError, match=r"line 4: expected every stage .* before encode"):
        load_recipe(_written(tmp_path, text))


OWN_REASON = """name: a
extends: embedded
gates:
  bright: {column: brightness, at_least: 20, reason: night, meaning: nobody lit the face}
"""


def test_a_reason_may_be_declared_beside_its_gate(tmp_path):
    """Fails before: a new reason was a line in core/reasons.py, a third file for a new gate."""
    path = _written(tmp_path, OWN_REASON)
    recipe = load_recipe(path)
    assert _gate(recipe, "bright").reason == "night"
    assert load_recipe(_written(tmp_path, recipe.dump(), "dump.yaml")) == recipe
    row = next(row for row in given_reasons(path) if row.reason.name == "night")
    assert row.reason.meaning == "nobody lit the face"
    assert row.gates == (("bright", "sharpness", "brightness >= 20"),)
    assert reason_called("night", path) == row.reason


def test_a_reason_may_be_declared_by_its_stage(tmp_path, smile, monkeypatch):
    """Fails before, as the one above."""
    grim = Reason("grim", OWN, "the face never smiles", LOOSEN)
    monkeypatch.setattr(Smile, "reasons", (grim,))
    gates = "gates:\n  smile: {column: smile, at_least: 0.2, reason: grim}\n"
    path = _written(tmp_path, f"name: a\nextends: embedded\nstages: [smile]\n{gates}")
    recipe = load_recipe(path)
    assert _gate(recipe, "smile").meaning == "the face never smiles"
    assert load_recipe(_written(tmp_path, recipe.dump(), "dump.yaml")) == recipe
    assert reason_called("grim", path) is grim


def test_an_unknown_reason_is_said_once(tmp_path):
    """Fails before: "gate g gate 'g': 'nihgt' is no known reason"."""
    text = OWN_REASON.replace(", meaning: nobody lit the face", "")
    with pytest.raises(RecipeError) as error:
        load_recipe(_written(tmp_path, text))
    assert str(error.value).endswith(
        "/mine.yaml, line 4: gate bright: 'night' is no known reason; beside one of its own, "
        "a gate says by `meaning` what that means."
    )


def _names(recipe):
    return [choice.name for choice in recipe.stages]


def test_settings_of_faces_from_before_it_was_two_stages_still_count(tmp_path, caplog):
    settings = ["faces.cut_at_violations=true", "faces.least_seconds=4"]
    recipe = load_recipe("embedded", settings)
    assert _names(recipe).index("face_cuts") + 1 == _names(recipe).index("faces")
    assert _config(recipe, "face_cuts").least_seconds == 4.0
    assert load_recipe(_written(tmp_path, recipe.dump())) == recipe
    assert not caplog.text
    former = "name: a\nextends: embedded\nstages:\n  - faces: {cut_at_violations: true}\n"
    assert "face_cuts" in _names(load_recipe(_written(tmp_path, former)))
    assert "line 4: cutting at violations is the stage face_cuts now" in caplog.text
    whole = load_recipe("talkingface_wild", ["faces.cut_at_violations=false"])
    assert "face_cuts" not in _names(whole)
    with pytest.raises(RecipeError, match="cut_at_violations expects yes or no|cut_at_violations"):
        load_recipe("embedded", ["faces.cut_at_violations=perhaps"])


def test_the_stage_that_cuts_looks_with_the_detector_of_the_one_that_measures(tmp_path):
    recipe = load_recipe("talkingface_wild", ["faces.detector=scrfd_2.5g"])
    assert _config(recipe, "face_cuts").detector == "scrfd_2.5g"
    again = load_recipe(_written(tmp_path, recipe.dump()), ["faces.detector=haar"])
    assert _config(again, "face_cuts").detector == "haar"


BEFORE = {
    "probe": "abca15c3a1a1ce5d",
    "shots": "ef7dbb82192b4b71",
    "speech": "62a6be96931e42f0",
    "faces": "d60ec55ba9f21953",
    "sharpness": "65d7f39de2d6916e",
    "liveness": "7f2518a9a3359ce9",
    "sync": "573ec348edc03698",
    "prints": "51931b4a18bcba66",
    "encode": "f74b3f22bd4b8845",
}
"""Of the recipe embedded, as the version before the stage face_cuts computed them."""


def test_a_folder_of_the_version_before_is_not_measured_again():
    """Caches, declared needs and two stages of faces changed what the fingerprints are made of."""
    recipe = load_recipe("embedded")
    stages = [(stage_class(choice.name), choice.config, None) for choice in recipe.stages]
    plan = make_plan(stages, recipe.gates, lambda weight: None)
    now = {planned.name: planned.fingerprint for planned in plan.stages}
    assert {name: now[name] for name in BEFORE} == BEFORE
