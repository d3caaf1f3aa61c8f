"""``tfw schema`` and the page that is made of it."""

from pathlib import Path

from talkingface_wild.cli.main import run

PAGE = Path(__file__).resolve().parents[2] / "docs" / "schema.md"


def test_the_schema_page_is_what_the_declarations_say(capsys):
    """A column that changes without its page misleads whoever reads the page."""
    text = PAGE.read_text(encoding="utf-8")
    for table in ("clips", "tracks", "sources", "ledger"):
        assert run(["schema", "--table", table, "--markdown"]) == 0
        assert capsys.readouterr().out.strip() in text


def test_an_unknown_table_names_the_nearest(capsys):
    assert run(["schema", "--table", "clip"]) == 2
    assert "clips" in capsys.readouterr().err
