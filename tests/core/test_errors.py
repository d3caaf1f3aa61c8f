"""Hints stand inside sentences: a misspelt name must not leave ``?.`` or ``?;`` behind."""

import ast
import re
from pathlib import Path

import pytest

import talkingface_wild
from talkingface_wild.cli.main import run
from talkingface_wild.core.errors import nearest

PACKAGE = Path(talkingface_wild.__file__).parent


def _hints():
    """Every use of ``nearest(…)`` in the package: its file, its node, and what encloses it."""
    for path in sorted(PACKAGE.rglob("*.py")):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        for parent in ast.walk(tree):
            for child in ast.iter_child_nodes(parent):
                call = child.value if isinstance(child, ast.FormattedValue) else child
                if isinstance(call, ast.Call) and getattr(call.func, "id", "") == "nearest":
                    yield path.relative_to(PACKAGE), child, parent


def test_a_hint_is_a_parenthesis():
    assert nearest("lenght", ["length", "speech"]) == " (did you mean 'length'?)"
    assert nearest("xyz", ["length", "speech"]) == ""


def test_a_sentence_goes_on_after_each_hint_as_it_would_without_one():
    """A hint that is swapped for other punctuation reads well in one of the two cases only."""
    uses = list(_hints())
    assert len(uses) > 40
    for path, hint, parent in uses:
        assert not isinstance(parent, ast.BoolOp | ast.IfExp) or path.name == "run_videos.py", path
        if isinstance(parent, ast.JoinedStr):
            after = parent.values[parent.values.index(hint) + 1 :]
            text = after[0].value if after and isinstance(after[0], ast.Constant) else ""
            assert not text or re.match(r"[.;,:)]", text), (path, hint.lineno, text)


@pytest.mark.parametrize(
    "command",
    [
        "curate --recipe embeded --out x",
        "curate --recipe demo --set gates.lenght=2 --out x",
        "curate --recipe demo --set shot.threshold=2 --out x",
        "curate --recipe demo --set shots.treshold=2 --out x",
        "curate --recipe demo --set gates.length.reason=to_short --out x",
        "curate --recipe demo --set faces.detector=harr --out x",
        "curate --recipe demo --langs deutch --out x",
        "curate --recipe demo --langs enn --engine local --out x",
        "reasons no_fase",
        "schema --table clip",
        "recipes show dmeo",
        "weights path syncnet_v3",
        "weights fetch syncnet_v3",
        "bench --model statc --dataset nowhere --out x",
        "bench --model static --dataset hdft --out x",
        "bench --model static --dataset hdtf --metrics ssmi --out x",
        "bench --model static --dataset hdtf --protocol tfw-v2 --out x",
        "bench list make tfw-v1/hdtg --out x",
        "train --stage encoder --out x",
        "train --preset tinny --out x",
        "train --preset tiny --variant no_archve --data x --out x",
        "train --preset tiny --set training.stage3.iteration=1 --data x --out x",
        "generate --model mcmd",
        "why nowhere x",
    ],
)
def test_messages_end_as_sentences_do(command, tmp_path, monkeypatch, capsys):
    """``did you mean 'length'?.`` was printed for a misspelt gate."""
    monkeypatch.chdir(tmp_path)
    assert run(command.split()) != 0
    said = capsys.readouterr().err
    assert not re.search(r"\?'?[.;,]|\.\.|;\.|\)\(", said.replace("…", "")), said
    assert re.search(r"[.?'\"a-z)]\n?$", said), said
