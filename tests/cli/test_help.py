"""``tfw --help`` and ``tfw help``: where to begin, groups, topics; the documents say the same."""

import json
import re
import subprocess
import sys
import time
from pathlib import Path

import pytest

from talkingface_wild.cli.main import VERBS, run
from talkingface_wild.core import errors
from talkingface_wild.pages.terminal.front_page import BEGIN, GROUPS, front_page, grouped
from talkingface_wild.pages.terminal.topics import EXIT_CODES, TOPICS
from tests.cli.documented import README, all_leaves, readme_blocks, words_of

ROOT = Path(__file__).resolve().parents[2]


def shown(capsys, *words):
    assert run(list(words)) == 0
    return capsys.readouterr().out


def test_the_first_line_says_where_to_begin_as_make_demo_does(capsys):
    first = shown(capsys, "--help").splitlines()[0]
    assert first == f"Begin here: {BEGIN}"
    assert f"$(BIN)/{BEGIN}\n" in (ROOT / "Makefile").read_text("utf-8")


def test_every_verb_stands_in_a_group_with_its_line(capsys):
    text = shown(capsys, "--help")
    for verb, (_, summary) in VERBS.items():
        assert re.search(rf"^  {verb} +{re.escape(summary)}$", text, re.MULTILINE), verb
    assert set(VERBS) <= {name for names in GROUPS.values() for name in names}
    assert [name for names in grouped(VERBS).values() for name in names].count("help") == 1


@pytest.mark.parametrize("width", [40, 80, 200])
def test_the_page_fits_every_terminal_and_its_command_can_be_pasted(width):
    options = [("--install-completion", "Install completion for the current shell.")]
    verbs = {"curate": "Make a data set from many things " * 3}
    page = front_page("A tool.", verbs, options, width)
    assert max(map(len, page.splitlines())) <= min(width, 100)
    pasted = page.partition("\n\n")[0].replace("\\\n", " ")
    assert " ".join(pasted.split()) == f"Begin here: {BEGIN}"


@pytest.mark.parametrize("words", [(), *((name,) for name in TOPICS)])
def test_topics_fit_a_narrow_terminal(words, monkeypatch, capsys):
    monkeypatch.setenv("COLUMNS", "40")
    assert max(map(len, shown(capsys, "help", *words).splitlines())) <= 40


def test_in_a_pipe_it_is_plain_text_and_comes_at_once():
    command = [sys.executable, "-m", "talkingface_wild.cli.main", "--help"]
    began = time.process_time(), time.monotonic()
    done = subprocess.run(command, capture_output=True, text=True)
    assert time.monotonic() - began[1] < 5
    assert "\033" not in done.stdout
    assert done.stderr == ""


def test_exit_codes_are_those_of_the_errors():
    tree, codes = [errors.TfwError], {0}
    while tree:
        kind = tree.pop()
        codes.add(kind.exit_code)
        tree += kind.__subclasses__()
    assert {int(code) for code, _ in EXIT_CODES.rows} == codes


def test_every_variable_of_this_project_is_told():
    sources = "".join(p.read_text("utf-8") for p in (ROOT / "talkingface_wild").rglob("*.py"))
    told = {name for name, _ in TOPICS["environment"].rows}
    assert set(re.findall(r"\bTFW_[A-Z]+(?:_[A-Z]+)*\b", sources)) <= told


def test_the_page_of_exit_codes_is_what_the_tool_prints(capsys):
    page = shown(capsys, "help", "exit-codes", "--markdown")
    assert (ROOT / "docs" / "exit-codes.md").read_text("utf-8") == page
    assert "(docs/exit-codes.md)" in README.read_text("utf-8")


@pytest.mark.parametrize("words", [("weights", "fetch"), ("bench",), ("model", "analyse", "lips")])
def test_help_of_a_verb_is_the_verbs_own(words, capsys):
    own = shown(capsys, *words, "--help").rstrip()
    assert shown(capsys, "help", *words).rstrip() == own


def test_help_lists_topics_and_speaks_json(capsys):
    assert all(name in shown(capsys, "help") for name in TOPICS)
    rows = json.loads(shown(capsys, "help", "exit-codes", "--json"))["data"]
    assert rows[-1]["code"] == "130"
    told = json.loads(shown(capsys, "help", "weights", "fetch", "--json"))["data"]
    assert "--all" in told["help"]


@pytest.mark.parametrize(
    ("words", "nearest"),
    [(["exit-code"], "exit-codes"), (["wieghts"], "weights"), (["weights", "ftch"], "fetch")],
)
def test_an_unknown_topic_gets_the_nearest(words, nearest, capsys):
    assert run(["help", *words]) == 2
    assert f"did you mean '{nearest}'?" in capsys.readouterr().err


def test_every_command_of_the_readme_parses():
    commands = all_leaves()
    lines = [line for _, block in readme_blocks() for line in block]
    assert len(lines) > 25
    for line in lines:
        words, _ = words_of(line)
        verb = max((v for v in commands if words[: len(v.split())] == v.split()), key=len)
        commands[verb].make_context(verb, words[len(verb.split()) :])
