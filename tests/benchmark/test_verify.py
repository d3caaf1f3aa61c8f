"""``verify`` holds on a fresh run and on a moved one, and fails for whatever was changed since."""

import json
import shutil

import numpy as np
import pytest

from talkingface_wild.benchmark.runs import read_run
from talkingface_wild.benchmark.verify import verify
from talkingface_wild.core.errors import InputUnreadable, WeightMissing
from tests.benchmark.films import MADE, film, pictures, scored, worse


@pytest.fixture
def finished(pairs_of, pixels, tmp_path):
    """A run whose videos and files the test may change."""
    scored(tmp_path / "run", **pairs_of(), protocol=pixels)
    return tmp_path / "run"


def _wrong(folder, clips=4):
    return [found.what for found in verify(read_run(folder), clips) if not found.held]


def test_a_fresh_run_holds_and_says_what_was_looked_at(finished):
    told = []
    checks = verify(read_run(finished), 2, told.append)
    assert all(found.held for found in checks)
    said = [found.what for found in checks]
    assert "ssim from stored features" in said
    assert sum(", pair/similarity" in what for what in said) == 2
    assert len(told) == 2 and "from its files" in told[0]


def test_a_moved_run_holds_with_its_features(finished, tmp_path):
    shutil.move(finished, tmp_path / "elsewhere")
    assert _wrong(tmp_path / "elsewhere") == []


@pytest.mark.parametrize("part", ["value", "low", "n"])
def test_a_changed_score_is_found(finished, part):
    path = finished / "scores.json"
    data = json.loads(path.read_text())
    data["scores"]["ssim"][part] += 1 if part == "n" else 1e-4
    path.write_text(json.dumps(data))
    assert _wrong(finished) == ["ssim from stored features"]


def test_a_changed_feature_is_found(finished):
    path = max((finished / "features").rglob("*.npz"), key=lambda p: p.stat().st_size)
    with np.load(path) as data:
        found = dict(data)
    np.savez_compressed(path, **{**found, "ssim": found["ssim"] + 0.01})
    wrong = _wrong(finished)
    assert "ssim from stored features" in wrong
    assert any(what.endswith(", pair/similarity") for what in wrong)
    assert "psnr from stored features" not in wrong


@pytest.mark.parametrize("how", ["replaced", "deleted"])
def test_a_video_that_is_not_the_one_that_was_scored_is_found(finished, tmp_path, how):
    path = tmp_path / MADE / "may.mp4"
    if how == "replaced":
        film(path, worse(pictures(path)), None)
    else:
        path.unlink()
    assert _wrong(finished) == ["may from its files"]


def test_features_that_are_gone_are_named(finished):
    next((finished / "features").rglob("*.npz")).unlink()
    with pytest.raises(InputUnreadable, match="tfw bench"):
        verify(read_run(finished))


def test_a_damaged_feature_file_is_named(finished):
    path = next((finished / "features").rglob("*.npz"))
    path.write_bytes(path.read_bytes()[:-20])
    with pytest.raises(InputUnreadable, match=path.name):
        verify(read_run(finished))


def test_another_weight_than_the_runs_is_an_error(finished):
    path = finished / "run.json"
    data = json.loads(path.read_text())
    data["weights"] = {"syncnet_v2": {"sha256": "ab" * 32, "official": False}}
    path.write_text(json.dumps(data))
    with pytest.raises(WeightMissing, match="syncnet_v2"):
        verify(read_run(finished))
