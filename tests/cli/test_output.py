"""What reaches stdout and stderr: one object or a human's view, whatever happens in between."""

import datetime
import json
from pathlib import Path

import numpy as np
import pytest

from talkingface_wild.cli.main import run
from talkingface_wild.core.counting import human_bytes
from talkingface_wild.core.errors import RecipeError, UsageError, WeightMissing
from talkingface_wild.core.plain_data import plain


def test_json_gives_one_object_on_stdout_and_talk_on_stderr(verb, capsys):
    def body(output):
        output.say("working")
        print("a library prints")
        output.warn("mind this")
        output.result({"value": 1}, "for a person")

    verb(body)
    assert run(["probe", "--json"]) == 0
    out, err = capsys.readouterr()
    assert json.loads(out) == {
        "command": "probe",
        "ok": True,
        "data": {"value": 1},
        "warnings": ["mind this"],
    }
    assert out.count("\n") == 1
    assert err.splitlines() == ["working", "a library prints", "Warning: mind this"]


def test_a_person_gets_the_view_alone_on_stdout(verb, capsys):
    verb(lambda output: output.result({"value": 1}, lambda: "for a person [bold]"))
    assert run(["probe"]) == 0
    assert capsys.readouterr() == ("for a person [bold]\n", "")


def test_a_result_may_end_the_verb_with_a_code_and_is_not_repeated(verb, capsys):
    verb(lambda output: output.result({"failed": 2}, "two failed", exit_code=1))
    assert run(["probe", "--json"]) == 1
    told = json.loads(capsys.readouterr().out)
    assert (told["ok"], told["data"]) == (False, {"failed": 2})


@pytest.mark.parametrize(("error", "code"), [(UsageError, 2), (RecipeError, 3), (WeightMissing, 4)])
def test_an_expected_error_is_its_sentence_and_its_code(verb, capsys, error, code):
    def body(output):
        output.warn("before")
        raise error("Expected this, found that; do so.")

    verb(body)
    assert run(["probe"]) == code
    out, err = capsys.readouterr()
    assert out == ""
    assert err.splitlines() == ["Warning: before", "Expected this, found that; do so."]
    assert run(["probe", "--json"]) == code
    told = json.loads(capsys.readouterr().out)
    assert told == {
        "command": "probe",
        "ok": False,
        "data": {"error": "Expected this, found that; do so.", "exit_code": code},
        "warnings": ["before"],
    }


def test_an_unexpected_error_is_one_sentence_and_a_file(verb, capsys, monkeypatch, tmp_path):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    monkeypatch.delenv("TFW_DEBUG", raising=False)

    def body(output):
        raise ZeroDivisionError("https://user:secret@host/ went wrong\nsecond line")

    verb(body)
    assert run(["probe", "--json"]) == 1
    out, err = capsys.readouterr()
    assert json.loads(out)["data"]["exit_code"] == 1
    assert len(err.splitlines()) == 1
    (kept,) = tmp_path.iterdir()
    assert str(kept) in err
    assert "in body" in kept.read_text()
    assert "secret" not in err + out + kept.read_text()


def test_the_traceback_is_shown_when_asked_for(verb, capsys, monkeypatch, tmp_path):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    monkeypatch.setenv("TFW_DEBUG", "1")
    verb(lambda output: 1 / 0)
    assert run(["probe"]) == 1
    assert "Traceback" in capsys.readouterr().err


def test_an_interrupt_is_130_in_one_sentence(verb, capsys):
    def body(output):
        raise KeyboardInterrupt

    verb(body)
    assert run(["probe", "--json"]) == 130
    out, err = capsys.readouterr()
    assert json.loads(out)["data"]["exit_code"] == 130
    assert err.startswith("Interrupted;")
    assert "Traceback" not in err


@pytest.mark.parametrize("arguments", [["probe", "--nonsense"], ["probe", "extra"], ["prob"]])
def test_wrong_usage_is_2_and_an_object_under_json(verb, capsys, arguments):
    verb(lambda output: output.result({}))
    assert run(arguments) == 2
    assert "Try 'tfw" in capsys.readouterr().err
    assert run([*arguments, "--json"]) == 2
    told = json.loads(capsys.readouterr().out)
    assert told["ok"] is False
    assert told["command"] == arguments[0]


def test_numbers_that_json_cannot_hold_become_null():
    value = {"a": [float("nan"), float("-inf"), 1.5], "b": np.array([np.nan, 2]), "c": np.int64(3)}
    value |= {"d": Path("x"), "e": {2, 1}, "f": datetime.date(2026, 1, 2), 4: (True, None)}
    text = json.dumps(plain(value), allow_nan=False)
    assert json.loads(text) == {
        "a": [None, None, 1.5],
        "b": [None, 2.0],
        "c": 3,
        "d": "x",
        "e": [1, 2],
        "f": "2026-01-02",
        "4": [True, None],
    }
    with pytest.raises(TypeError, match="no plain data"):
        plain(object())


def test_sizes_are_written_for_people():
    assert [human_bytes(n) for n in (None, 0, 999, 1000, 16_923_827, 2.5e12)] == [
        "—",
        "0 B",
        "999 B",
        "1.0 kB",
        "16.9 MB",
        "2.5 TB",
    ]
