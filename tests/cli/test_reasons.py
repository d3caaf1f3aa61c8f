"""``tfw reasons`` and the page that is made of it."""

import json
import re
from pathlib import Path

import yaml

from talkingface_wild.cli.main import run

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs" / "reasons.md"
RECIPE = ROOT / "talkingface_wild" / "pipelines" / "recipes" / "talkingface_wild.yaml"


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
    """A stage's reason that is on no page leaves a person without an answer."""
    assert run(["reasons", "--json"]) == 0
    reasons = {row["name"]: row for row in json.loads(capsys.readouterr().out)["data"]}
    given = re.compile(r"(?:Item)?(?:Rejected|Failed)\(\s*\"(\w+)\"")
    for path in (ROOT / "talkingface_wild").rglob("*.py"):
        for name in given.findall(path.read_text("utf-8")):
            assert name in reasons, path
            if {"pipelines", "media", "engine"} & set(path.parts):
                assert reasons[name]["stages"], (name, path)


def test_one_reason_and_an_unknown_one(capsys):
    assert run(["reasons", "no_face"]) == 0
    said = capsys.readouterr().out
    assert "gate presence (faces), keeps face_presence_ratio >= 0.95" in said
    assert "small_face" not in said
    assert run(["reasons", "no_face", "--recipe", "embedded"]) == 0
    assert "face_presence_ratio >= 0.85" in capsys.readouterr().out
    assert run(["reasons", "no_fase"]) == 2
    assert "did you mean 'no_face'" in capsys.readouterr().err
