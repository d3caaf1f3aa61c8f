"""Somebody else's package adds a stage, a metric, a generator: installed, tested, used."""

import json
import os
import re
import shutil
import subprocess
import sys

import pandas as pd
import pytest

from tests.conftest import ROOT
from tests.pipelines.curated import environment

PLUG_IN = ROOT / "tests" / "plug_in"


@pytest.fixture(scope="module")
def package(tmp_path_factory):
    """The plug-in's folder, installed beside it in ``site``."""
    folder = tmp_path_factory.mktemp("plug_in") / "tfw-vivid"
    shutil.copytree(PLUG_IN, folder)
    words = ["install", "--quiet", "--no-deps", "--no-build-isolation", "--no-index", "--target"]
    done = _python(folder, "-m", "pip", *words, folder / "site", folder)
    assert done.returncode == 0, done.stderr
    return folder


def _python(folder, *words):
    variables = environment()
    variables["PYTHONPATH"] = os.pathsep.join([str(folder / "site"), str(ROOT)])
    return subprocess.run(
        [sys.executable, *map(str, words)],
        env=variables,
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=900,
    )


def _tfw(folder, *words):
    done = _python(folder, "-m", "talkingface_wild.cli.main", *words)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_its_own_test_passes(package):
    done = _python(package, "-m", "pytest", "-q", "-p", "no:cacheprovider", "test_vivid.py")
    assert done.returncode == 0, done.stdout
    assert "3 passed" in done.stdout


def test_its_stage_and_the_reason_of_its_gate_are_used_by_curate(package, shared):
    """Fails before: a stage was a line in this package's registry."""
    videos = package / "videos" / "en"
    videos.mkdir(parents=True)
    shutil.copy(shared / "media" / "clips" / "hdtf_hill.mp4", videos)
    out = package / "set"
    where = ("--sources", package / "videos", "--out", out)
    _tfw(package, "curate", "--recipe", "recipe.yaml", *where, "--engine", "local")
    items = pd.read_parquet(out / "dataset" / "items")
    (clip,) = items[items["level"] == "clip"].to_dict("records")
    assert 0 < clip["vividness"] < 0.9
    assert (clip["verdict_reason"], clip["verdict_stage"]) == ("pale", "vividness")
    assert pd.isna(clip["mouth_change_speech"])
    assert "mean saturation of the face crop" in _tfw(package, "schema", "--recipe", "recipe.yaml")
    told = _tfw(package, "reasons", "pale", "--recipe", "recipe.yaml")
    assert "the picture has little colour" in told


def test_its_metric_is_used_by_bench(package, shared):
    """Fails before: a metric was a line in this package's registry."""
    clip = shared / "media" / "clips" / "hdtf_hill.mp4"
    (package / "pairs.csv").write_text(f"generated;reference;clip\n{clip};{clip};hill\n")
    where = ("--pairs", "pairs.csv", "--out", package / "run", "--device", "cpu")
    _tfw(package, "bench", *where, "--metrics", "ssim_least")
    scores = json.loads((package / "run" / "scores.json").read_text())["scores"]
    score = scores["ssim_least"] if isinstance(scores, dict) else scores[0]
    assert score["value"] == pytest.approx(1.0)
    assert score["signature"]


def test_its_generator_is_used_by_generate(package, shared):
    """Fails before: any other generator was taken for MCDM."""
    clip = shared / "media" / "clips" / "hdtf_hill.mp4"
    words = ("--model", "wobble", "--image", clip, "--audio", clip, "--seconds", "0.4")
    _tfw(package, "generate", *words, "--out", "wobble.mp4")
    mark = json.loads((package / "wobble.mp4.json").read_text())
    assert mark["generated"] and mark["model"] == "wobble"


def test_the_page_shows_the_files_as_they_are():
    """docs/extending.md is at most 80 lines, and every example is a part of the plug-in's files."""
    page = (ROOT / "docs" / "extending.md").read_text("utf-8")
    assert len(page.splitlines()) <= 80
    texts = [path.read_text("utf-8") for path in PLUG_IN.rglob("*.*") if path.suffix != ".pyc"]
    examples = re.findall(r"^```\w+\n(.*?)^```", page, flags=re.DOTALL | re.MULTILINE)
    assert len(examples) == 5
    for example in examples:
        assert any(example in text for text in texts), example
