"""``tfw reasons`` and the page that is made of it."""

import ast
import json
import re
from pathlib import Path

import yaml

from talkingface_wild.cli.main import run
from talkingface_wild.pipelines.recipe import load_recipe
from talkingface_wild.pipelines.stage_table import stage_table

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs" / "reasons.md"
RECIPE = ROOT / "talkingface_wild" / "pipelines" / "recipes" / "talkingface_wild.yaml"

_KINDS = re.compile(r"(?:Item)?(?:Rejected|Failed)")


def test_the_page_is_what_the_code_says(capsys):
    """A reason or a bound that changes without its page misleads whoever reads the page."""
    assert run(["reasons", "--markdown"]) == 0
    assert capsys.readouterr().out.strip() in PAGE.read_text(encoding="utf-8")


def test_every_gate_of_the_recipe_stands_at_its_reason_with_its_bound(capsys):
    assert run(["reasons", "--json"]) == 0
    reasons = {row["name"]: row for row in json.loads(capsys.readouterr().out)["data"]}
    gates = yaml.safe_load(RECIPE.read_text("utf-8"))["gates"]
    listed = {
        gate["gate"]: (name, gate["keeps"])
        for name, row in reasons.items()
        for gate in row["gates"]
    }
    assert set(listed) == set(gates)
    for name, entry in gates.items():
        reason, keeps = listed[name]
        assert reason == entry["reason"]
        assert keeps.startswith(f"{entry['column']} ")
    assert listed["presence"] == ("no_face", "face_presence_ratio >= 0.95")
    assert listed["length"] == ("too_short", "clip_seconds >= 10 s")


def test_every_reason_that_the_code_gives_is_listed(capsys):
    """A stage's reason that is on no page leaves a person without an answer: that the stage faces
    itself rejected for a second face stood nowhere, for the reason is in a variable there."""
    assert run(["reasons", "--json"]) == 0
    reasons = {row["name"]: row for row in json.loads(capsys.readouterr().out)["data"]}
    named = set()
    for path in (ROOT / "talkingface_wild").rglob("*.py"):
        for name in _given_reasons(ast.parse(path.read_text("utf-8"))):
            named.add((name, path.stem))
            assert name in reasons, path
            if {"pipelines", "media", "engine"} & set(path.parts):
                assert reasons[name]["stages"], (name, path)
    assert {("multiple_faces", "face_cuts"), ("no_face", "faces")} <= named


def _given_reasons(module: ast.Module) -> set[str]:
    """The texts that come first in ``Rejected(…)`` and its kin, by way of a variable too."""
    names = set()
    for scope in ast.walk(module):
        if not isinstance(scope, ast.FunctionDef | ast.Module):
            continue
        nodes = list(ast.walk(scope))
        for call in nodes:
            if (
                isinstance(call, ast.Call)
                and call.args
                and _KINDS.fullmatch(ast.unparse(call.func))
            ):
                variable = ast.unparse(call.args[0])
                values = [call.args[0]] + [
                    node.value
                    for node in nodes
                    if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == variable
                ]
                names |= {text for value in values for text in _texts(value)}
    return names


def _texts(value: ast.expr) -> list[str]:
    """A text, or the two that an ``a if … else b`` may give."""
    if isinstance(value, ast.IfExp):
        return _texts(value.body) + _texts(value.orelse)
    return [value.value] if isinstance(value, ast.Constant) else []


def test_a_gate_of_a_column_from_two_stages_stands_with_both_as_in_the_recipes_table(capsys):
    """The length was told of the stage shots here, and of faces in README's table."""
    assert run(["reasons", "too_short", "--json"]) == 0
    (row,) = json.loads(capsys.readouterr().out)["data"]
    (gate,) = [gate for gate in row["gates"] if gate["gate"] == "length"]
    assert gate["stage"] == "shots, face_cuts"
    table = stage_table(load_recipe("talkingface_wild")).splitlines()
    (line,) = [line for line in table if "`clip_seconds`" in line]
    assert line.startswith(f"| {gate['stage'].split(', ')[-1]} |")


def test_what_helps_names_the_recipes_gate(capsys):
    assert run(["reasons", "--json"]) == 0
    reasons = {row["name"]: row for row in json.loads(capsys.readouterr().out)["data"]}
    assert "--set gates.loudness=BOUND`" in reasons["silent"]["remedy"]
    assert reasons["profile"]["remedy"].endswith(
        "--set gates.yaw=BOUND` (or gates.yaw_most, gates.pitch)"
    )


def test_a_narrow_terminal_gets_a_list_with_whole_words(monkeypatch, capsys):
    """At 40 columns the table had columns of three letters."""
    monkeypatch.setenv("COLUMNS", "40")
    assert run(["reasons"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert max(map(len, lines)) <= 40
    assert lines[lines.index("no_face") + 1] == "  a face is missing in too many samples"


def test_one_reason_and_an_unknown_one(capsys):
    assert run(["reasons", "no_face"]) == 0
    said = capsys.readouterr().out
    assert "gate presence (faces), keeps face_presence_ratio >= 0.95" in said
    assert "small_face" not in said
    assert run(["reasons", "no_face", "--recipe", "embedded"]) == 0
    assert "face_presence_ratio >= 0.85" in capsys.readouterr().out
    assert run(["reasons", "no_fase"]) == 2
    assert "did you mean 'no_face'" in capsys.readouterr().err
