"""The commands that help texts and the README show, read from there and split as a shell would."""

import glob
import importlib
import os
import re
import shlex
from pathlib import Path

import typer

from talkingface_wild.cli.main import VERBS

README = Path(__file__).resolve().parents[2] / "README.md"
_COMMENT = re.compile(r"\s+#\s")


def leaves(command, words):
    """What can be typed as it stands: plain verbs, and groups that do something of their own."""
    below = getattr(command, "commands", None) or {}
    if not below or command.invoke_without_command:
        yield words, command
    for name, sub in below.items():
        yield from leaves(sub, [*words, name])


def all_leaves():
    """By verb as typed (``bench list make``) the command behind it."""
    return {
        " ".join(words): leaf
        for verb, (module, _) in VERBS.items()
        for words, leaf in leaves(
            typer.main.get_command(importlib.import_module(module).app), [verb]
        )
    }


def example_lines():
    """By verb as typed, the lines of its help's end."""
    return {
        words: [line[2:] for line in (leaf.epilog or "").splitlines() if line[:6] == "  tfw "]
        for words, leaf in all_leaves().items()
    }


def words_of(line):
    """The words after ``tfw`` as a shell hands them over, and the file that ``>`` names."""
    command, _, target = _COMMENT.split(line)[0].partition(" > ")
    words = []
    for word in shlex.split(command)[1:]:
        matches = sorted(glob.glob(os.path.expanduser(word))) if "*" in word else []
        words += matches or [os.path.expanduser(word)]
    return words, target.strip()


def readme_blocks():
    """Each ``sh`` block's paragraph before it, and its ``tfw`` lines."""
    text = README.read_text("utf-8")
    for match in re.finditer(r"^```sh\n(.*?)^```", text, re.MULTILINE | re.DOTALL):
        before = text[: match.start()].strip().rpartition("\n\n")[2]
        lines = match[1].replace("\\\n", " ").splitlines()
        commands = [line.removeprefix(".venv/bin/") for line in lines]
        yield before, [line for line in commands if line.startswith("tfw ")]
