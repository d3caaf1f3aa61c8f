"""``tfw schema`` and the page that is made of it."""

import json
from pathlib import Path

import pyarrow.parquet as pq

from talkingface_wild.cli.main import run
from tests.speed import synthetic

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


def test_the_items_table_has_every_column_that_a_run_writes(tmp_path, capsys):
    """Recut, why and ls work on items/, and its columns could be looked up nowhere."""
    synthetic.write(tmp_path / "out", 20)
    assert run(["schema", "--table", "items", "--json"]) == 0
    rows = json.loads(capsys.readouterr().out)["data"]
    written = pq.read_schema(tmp_path / "out" / "dataset" / "items" / "part-0.parquet")
    assert [row["name"] for row in rows] == written.names
    assert all(row["meaning"] for row in rows)
