"""Hints that go on: the command as it was typed, to be pasted, and without secrets."""

import shlex
import sys

import pytest

from talkingface_wild.cli.main import run
from talkingface_wild.cli.typed_command import going_on_by, remembered, typed_command
from talkingface_wild.core.errors import Interrupted


def test_it_is_what_was_typed_as_a_shell_takes_it():
    """The hint of ``curate`` left ``--engine local`` and ``--langs`` out."""
    words = [
        "curate",
        "--langs",
        "de,fr",
        "--engine",
        "local",
        "--out",
        "my set",
        "--set",
        "a.b=$x",
    ]
    with remembered(words):
        assert shlex.split(typed_command()) == ["tfw", *words]


@pytest.mark.parametrize(
    ("words", "secret"),
    [
        (["--proxy", "me:hunter2@proxy.example:8080"], "hunter2"),
        (["--proxy=http://me:hunter2@proxy.example"], "hunter2"),
        (["--cookies", "/srv/me/cookies.txt"], "cookies.txt"),
        (["--cookies-from-browser=firefox:work"], "firefox"),
        (["--sources", "https://me:hunter2@host.example/a.csv"], "hunter2"),
    ],
)
def test_secrets_are_never_shown(words, secret):
    with remembered(["curate", *words, "--out", "x"]):
        command = typed_command()
    assert secret not in command
    assert "…" in command
    assert command.endswith("--out x")


def test_what_would_begin_anew_is_left_out_and_what_goes_on_is_there():
    with remembered(["generate", "--out", "v.mp4", "--fresh"]):
        assert typed_command(without=["--fresh"], also=["--resume"]).endswith("v.mp4 --resume")
    with remembered(["generate", "--resume"]):
        assert typed_command(also=["--resume"]).count("--resume") == 1


def test_a_script_that_the_shell_would_not_find_is_named_by_its_path(tmp_path, monkeypatch):
    """README's commands begin with .venv/bin/tfw, which is on no PATH."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(sys, "argv", [str(tmp_path / ".venv" / "bin" / "tfw"), "status"])
    with remembered(["status", "x"]):
        assert typed_command() == ".venv/bin/tfw status x"


def test_an_interrupted_verb_ends_in_its_command(verb, capsys):
    def interrupted(output):
        with going_on_by():
            raise Interrupted("Interrupted after 3 of 9; run the same command again to go on.")

    verb(interrupted)
    assert run(["probe"]) == 130
    said = capsys.readouterr().err
    assert said == "Interrupted after 3 of 9; run the same command again to go on: tfw probe\n"


def test_ctrl_c_anywhere_ends_in_the_command(verb, capsys):
    def pressed(output):
        raise KeyboardInterrupt

    verb(pressed)
    assert run(["probe", "--json"]) == 130
    assert capsys.readouterr().err.endswith("go on with: tfw probe --json\n")
