"""The page of ``tfw status``."""

from talkingface_wild.cli.output import show
from talkingface_wild.pages.terminal.status import status_page

DATA = {
    "out": "my_set",
    "recipe": "demo",
    "items": {"source": {"rejected": 4, "split": 12345}, "clip": {"kept": 16}},
    "commit": None,
    "results": 181,
    "unmeasured": {},
    "held_by": None,
    "left": {},
}


def test_the_counts_keep_their_whole_headings_on_a_narrow_terminal(monkeypatch, capsys):
    """At 40 columns the headings of the states were cut to a few letters."""
    monkeypatch.setenv("COLUMNS", "40")
    show(status_page(DATA))
    lines = capsys.readouterr().out.splitlines()
    assert max(map(len, lines)) <= 40
    rows = [[cell.strip() for cell in line.strip("│").split("│")] for line in lines if "│" in line]
    assert [row[0] for row in rows] == ["kept", "rejected", "failed", "pending", "cut"]
    assert ["kept", "0", "16"] in rows and ["cut", "12345", "0"] in rows
