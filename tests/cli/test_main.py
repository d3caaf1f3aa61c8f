"""The frame of ``tfw``: help that is light and complete, examples that parse, codes told."""

import importlib
import re
import shlex
import subprocess
import sys

import pytest
import typer

from talkingface_wild import __version__
from talkingface_wild.cli.main import VERBS, app, run

HEAVY = {
    "torch",
    "ray",
    "gradio",
    "jinja2",
    "cv2",
    "av",
    "pandas",
    "numpy",
    "onnxruntime",
    "yaml",
    "pyarrow",
}


def _help(capsys, *words):
    assert run([*words, "--help"]) == 0
    return capsys.readouterr().out


def _subcommands(command):
    return getattr(command, "commands", None) or {}


def test_help_loads_nothing_heavy():
    code = (
        "import sys; from talkingface_wild.cli.main import run; "
        "codes = [run(words) for words in (['--help'], ['weights', 'fetch', '--help'], "
        "['doctor', '--help'])]; print(codes, sorted(set(sys.modules) & set(sys.argv[1:])))"
    )
    done = subprocess.run([sys.executable, "-c", code, *HEAVY], capture_output=True, text=True)
    assert done.stdout.splitlines()[-1] == "[0, 0, 0] []"


def test_only_the_verb_that_is_typed_is_imported():
    code = (
        "import sys; from talkingface_wild.cli.main import run; run(['weights', 'where']); "
        "print(sorted(m for m in sys.modules if m.startswith('talkingface_wild.cli.')))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    names = {"main", "options", "output", "typed_command", "weights"}
    assert done.stdout.splitlines()[-1] == str(sorted(f"talkingface_wild.cli.{n}" for n in names))


@pytest.mark.parametrize("verb", VERBS)
def test_every_verb_has_help_with_json_and_examples_that_parse(verb, capsys):
    command = typer.main.get_command(importlib.import_module(VERBS[verb][0]).app)
    for words, leaf in _leaves(command, [verb]):
        text = _help(capsys, *words)
        assert "--json" in text, words
        assert leaf.help, words
        examples = [line for line in (leaf.epilog or "").splitlines() if line.startswith("  tfw ")]
        assert examples, f"{words} has no examples"
        for example in examples:
            given = shlex.split(re.split(r"\s[|>#]\s", example)[0])[1:]
            assert given[: len(words)] == words
            leaf.make_context(" ".join(words), given[len(words) :])


def _leaves(command, words):
    """What can be typed as it stands: plain verbs, and groups that do something of their own."""
    below = _subcommands(command)
    if not below or command.invoke_without_command:
        yield words, command
    for name, sub in below.items():
        yield from _leaves(sub, [*words, name])


def test_the_version_is_printed(capsys):
    assert run(["--version"]) == 0
    assert capsys.readouterr().out == f"tfw {__version__}\n"


def test_no_verb_shows_the_help_and_is_wrong_usage(capsys):
    assert run([]) == 2
    out, err = capsys.readouterr()
    assert "curate" in out + err


def test_a_mistyped_verb_gets_the_nearest(capsys):
    assert run(["wieghts"]) == 2
    assert "Did you mean 'weights'?" in capsys.readouterr().err


def test_a_reader_that_goes_away_is_no_error():
    command = [sys.executable, "-m", "talkingface_wild.cli.main", "weights", "list"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    process.stdout.close()
    err = process.stderr.read()
    process.stderr.close()
    assert process.wait() == 0
    assert err == b""


def test_completion_offers_verbs():
    assert typer.main.get_command(app).list_commands(None)[: len(VERBS)] == list(VERBS)
