"""``tfw review`` at the command line: out to the reviewers and back into a new commit."""

import csv
import json

import pytest

from talkingface_wild.cli.main import run
from talkingface_wild.dataset.load import load
from talkingface_wild.jobs import recut
from tests.dataset.fixture import make_data_set


@pytest.fixture
def made(tmp_path, monkeypatch):
    """A data set whose own plan is used to commit again: no recipe knows the fixture's stages."""
    made = make_data_set(tmp_path / "out")
    monkeypatch.setattr(recut, "recommit", lambda out: made.commit())
    return made


def _told(capsys, *words):
    code = run(["review", *map(str, words), "--json"])
    return code, json.loads(capsys.readouterr().out)


def _answer(path, answers):
    with path.open(encoding="utf-8", newline="") as stream:
        rows = list(csv.DictReader(stream))
    for row in rows:
        row |= answers.get(row["clip_id"], {})
    with path.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.DictWriter(stream, rows[0])
        writer.writeheader()
        writer.writerows(rows)


def test_out_and_back(made, capsys):
    code, told = _told(capsys, "export", made.out)
    assert code == 0
    assert told["data"]["random"] == 7
    assert len(told["data"]["sheets"]) == 2
    text = made.out / "review" / "manifest.csv"
    gone, good = made.clip("en/two.mp4", 2), made.clip("ko/three.mp4", 0)
    refused = {
        "decision": "reject",
        "reason": "dubbed",
        "words": "another voice",
        "reviewer": "ana",
    }
    _answer(text, {gone: refused, good: {"decision": "accept"}})

    code, told = _told(capsys, "import", text, "--out", made.out)
    assert code == 0
    data = told["data"]
    assert (data["commit"], data["rejected"], data["accepted"], data["empty"]) == (2, 1, 1, 9)
    rates = {row["language"]: row for row in data["defects"]}
    assert (rates["en"]["answered"], rates["en"]["defects"], rates["en"]["kept"]) == (1, 1, 5)
    assert rates["ko"]["high"] == pytest.approx(0.975)
    assert data["defect_rate"] == pytest.approx(5 / 7)
    clips = load(made.out).set_index("clip_id")
    assert gone not in clips.index
    assert clips.at[good, "review"] == "accepted"

    assert run(["review", "import", str(text)]) == 0
    assert "rejected 1, accepted 1, left empty 9" in capsys.readouterr().out
    assert run(["why", str(made.out), gone]) == 0
    assert "review: rejected as dubbed by ana: another voice" in capsys.readouterr().out


def test_a_wrong_line_imports_nothing(made, capsys):
    assert run(["review", "export", str(made.out), "--no-sheets"]) == 0
    assert not (made.out / "review" / "sheets").exists()
    text = made.out / "review" / "manifest.csv"
    clips = [made.clip("en/two.mp4", index) for index in (2, 3)]
    _answer(
        text,
        {clips[0]: {"decision": "accept"}, clips[1]: {"decision": "reject", "reason": "dubed"}},
    )
    capsys.readouterr()
    code, told = _told(capsys, "import", text, "--out", made.out)
    assert code == 5
    assert "did you mean 'dubbed'" in told["data"]["error"]
    assert not (made.out / "review" / "decisions.parquet").exists()
    assert load(made.out)["review"].isna().all()


def test_a_second_export_waits_for_the_import(made, capsys):
    assert run(["review", "export", str(made.out), "--no-sheets"]) == 0
    text = made.out / "review" / "manifest.csv"
    _answer(text, {made.clip("en/two.mp4", 2): {"decision": "accept"}})
    assert run(["review", "export", str(made.out), "--no-sheets"]) == 2
    assert "tfw review import" in capsys.readouterr().err
    assert run(["review", "import", str(text)]) == 0
    assert run(["review", "export", str(made.out), "--no-sheets"]) == 0


def test_no_answers_and_no_manifest_are_said(made, tmp_path, capsys):
    lonely = tmp_path / "answers.csv"
    lonely.write_text("clip_id,decision\n", encoding="utf-8")
    code, told = _told(capsys, "import", lonely, "--out", made.out)
    assert code == 0
    assert [("no answers" in warning, "at random" in warning) for warning in told["warnings"]] == [
        (True, False),
        (False, True),
    ]
