"""``tfw report`` at the command line."""

import json

from talkingface_wild.cli.main import run
from tests.dataset.fixture import make_data_set


def test_the_page_is_written_where_asked_and_told(tmp_path, capsys):
    made = make_data_set(tmp_path / "out")
    assert run(["report", str(made.out)]) == 0
    assert "7 clips" in capsys.readouterr().out
    assert (made.out / "report.html").read_text(encoding="utf-8").startswith("<!doctype html>")
    page = tmp_path / "elsewhere" / "page.html"
    assert run(["report", str(made.out), "--output", str(page), "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["data"]["output"] == str(page)
    assert told["data"]["bytes"] == page.stat().st_size
    assert told["data"]["clips"] == 7
    assert {row["language"]: row["clips_kept"] for row in told["data"]["languages"]} == {
        "en": 5,
        "ko": 2,
    }
    assert told["data"]["unmeasured"] == {"sync": "weight syncnet_v2 is missing"}
    assert told["data"]["pictures"] == 0
    assert told["data"]["pictures_missing"] > 0
    assert any("--retry-failed" in warning for warning in told["warnings"])


def test_a_folder_without_a_data_set_is_unreadable(tmp_path, capsys):
    assert run(["report", str(tmp_path)]) == 5
    assert "tfw curate" in capsys.readouterr().err
    assert not (tmp_path / "report.html").exists()
