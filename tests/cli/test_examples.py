"""Every example of every help text runs after ``make demo`` and the README's steps, or says in its
own line what it needs; the examples are read from the help texts themselves."""

import re
import shutil

import pytest

from talkingface_wild.cli.main import run
from tests.cli.documented import example_lines, readme_blocks, words_of

NEEDS = {
    "the network": {1, 4},
    "HDTF's lists": {5},
    "CelebV-HQ's list": {5},
    "raters' answers": {5},
    "400 identities": {2, 5},
    "your own files": {2, 5},
}
"""What an example may say that it needs, and the documented code where that is missing."""
SHORT = [
    *(f"--set=training.{part}.iterations=2" for part in ("encoders", "stage1", "stage2", "stage3")),
    "--set=training.encoders.batch=4",
    "--set=sampling.steps=2",
    "--set=sampling.prior_steps=2",
    "--limit=2",
]
SHORTER = {
    "tfw train ": SHORT,
    "tfw bench --model mcdm ": ["--limit=1", "--seeds=1"],
    "tfw bench --model groundtruth ": ["--limit=2"],
    "tfw bench --model static ": ["--limit=2"],
    "tfw generate ": ["--steps=2", "--prior-steps=2"],
    "tfw model analyse drift ": ["--steps=2", "--frames=24"],
    "tfw model analyse lips ": ["--steps=2", "--frames=24"],
    "tfw model analyse alpha ": ["--steps=2", "--frames=24"],
    "tfw model analyse expressions ": ["--steps=2"],
}
"""What is added to commands that take minutes, by their beginning; all else runs as it stands."""
BEFORE = [
    "tfw train --cpu --model mcdm --preset tiny --stage all --data demo_out --out runs/tiny",
    "tfw bench --model groundtruth --dataset demo_out --split all --metrics ssim,psnr "
    "--out bench/real",
    "tfw bench --model static --dataset demo_out --split all --metrics ssim,psnr --out bench/still",
    "tfw review export demo_out",
]
"""The README's steps that leave what examples name."""


EXAMPLES = example_lines()


def shortened(line):
    return [w for start, more in SHORTER.items() if line.startswith(start) for w in more]


@pytest.fixture(scope="session")
def workplace(demo_out, tmp_path_factory):
    """A user's working directory after ``make demo`` and the README's steps."""
    place = tmp_path_factory.mktemp("examples") / "place"
    place.mkdir()
    shutil.copytree(demo_out, place / "demo_out", symlinks=True)
    with pytest.MonkeyPatch.context() as patched:
        patched.chdir(place)
        patched.setenv("TFW_OFFLINE", "1")
        patched.setenv("TFW_WEIGHTS", str(place / "no_weights"))
        for line in BEFORE:
            words, _ = words_of(line)
            assert run([*words, *shortened(line)]) == 0, line
    return place


@pytest.fixture
def copied(workplace, tmp_path, monkeypatch):
    """The same in a folder of its own, so that no example sees what another did."""
    shutil.copytree(workplace, tmp_path / "place", symlinks=True)
    (tmp_path / "home").mkdir()
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.chdir(tmp_path / "place")


LONG = ("curate", "train", "generate", "model", "bench", "weights")
"""Verbs whose examples take minutes together; ``tfw bench table`` and its like take seconds."""


def _parameter(verb):
    return pytest.param(verb, marks=[pytest.mark.long] * (verb.split()[0] in LONG))


@pytest.mark.parametrize("verb", map(_parameter, EXAMPLES))
def test_the_examples_of_a_help_text_run(verb, copied, capfd):
    """Both examples of ``tfw why --help`` were false, and nobody had made bench/mcdm."""
    assert EXAMPLES[verb], f"tfw {verb} --help shows no example"
    for line in EXAMPLES[verb]:
        words, target = words_of(line)
        code = run([*words, *shortened(line)])
        out, err = capfd.readouterr()
        assert "Traceback" not in out + err, line
        assert "Unexpected error" not in err, (line, err)
        need = re.search(r"\s#\sneeds (.+)$", line)
        assert code in (NEEDS[need[1]] if need else {0}), (line, code, err[-600:])
        if target:
            with open(target, "w", encoding="utf-8") as stream:
                stream.write(out)


@pytest.mark.long
def test_the_commands_that_the_readme_has_run_after_make_demo_run(copied, capfd):
    lines = [
        line
        for before, block in readme_blocks()
        if "after `make demo`" in before.lower()
        for line in block
    ]
    assert len(lines) >= 6
    for line in lines:
        words, _ = words_of(line)
        code = run([*words, *shortened(line)])
        out, err = capfd.readouterr()
        assert (code, "Traceback" in out + err) == (0, False), (line, err[-600:])
