"""The paper's printed figures, read again from the paper's own text."""

import re

import pytest

from talkingface_wild.benchmark.tables.reported import PAPER_METRICS, paper_list, reported_rows

LISTS = {2: ("hdtf", "celebvhq"), 3: ("talkingface-wild",)}
LISTS |= {4: ("talkingface-wild",), 5: ("talkingface-wild",)}
NAMES = (
    (r"MegActor-", "MegActor-Σ"),
    (r"w/o F.*_\{a\}", "w/o F_a"),
    (r"w/o F.*_\{pc\}", "w/o F_pc"),
    (r"w/o MTA", "w/o MTA"),
)


def printed_rows(text):
    """(table, list, method, figures) of every row between a heading and its caption."""
    rows, pending, inside = [], [], False
    for line in text.splitlines():
        caption = re.match(r"Table ([2-5]): ", line)
        if line.startswith("Method "):
            pending, inside = [], True
        elif caption:
            number, inside = int(caption[1]), False
            for method, figures in pending:
                for place, name in enumerate(LISTS[number]):
                    rows.append((number, name, method, figures[6 * place : 6 * place + 6]))
        elif inside and (found := re.match(r"(.+?)((?: \d+\.\d+)+)$", line)):
            method = next((name for form, name in NAMES if re.match(form, found[1])), found[1])
            pending.append((method, tuple(found[2].split())))
    return rows


@pytest.fixture
def printed(shared):
    (seed,) = (shared / "seeds").glob("003_*.txt")
    return printed_rows(seed.read_text(encoding="utf-8"))


def test_every_printed_row_is_there_with_its_very_digits(printed):
    ours = [
        (row.table, row.list_name, row.method, tuple(row.figures.values()))
        for row in reported_rows()
    ]
    assert len(printed) == 8 * 2 + 8 + 4 + 3
    assert sorted(ours) == sorted(printed)


def test_columns_are_the_papers_in_its_order():
    for row in reported_rows():
        assert list(row.figures) == list(PAPER_METRICS)


def test_the_figure_that_occurs_in_two_tables_says_so():
    twice = [row for row in reported_rows() if row.figures["fid"] == "52.77"]
    assert [(row.table, row.method) for row in twice] == [(2, "SadTalker"), (3, "SadTalker")]
    assert all("Tables 2 and 3" in row.note for row in twice)


def test_a_list_gets_its_own_tables_and_a_foreign_one_gets_all():
    assert {row.list_name for row in reported_rows(["hdtf-100"])} == {"hdtf"}
    assert {row.table for row in reported_rows(["tfw-400"])} == {3, 4, 5}
    assert len(reported_rows(["my-folder"])) == len(reported_rows())
    assert {row.list_name for row in reported_rows(["hdtf-91", "mine"])} == {"hdtf"}
    assert paper_list("celebv-200") == "celebvhq"
    assert paper_list("hdtf-mine") is None
