"""Every metric end to end on real clips, with weights of the official layouts by the filler."""

import math

import pytest

from talkingface_wild.benchmark.signature import Signature
from talkingface_wild.core.errors import WeightMissing
from talkingface_wild.weights import Store
from tests.benchmark.conftest import SMALL
from tests.benchmark.films import pairs_csv, scored

NAMES = ("hill", "may", "zhao")
FRECHET = ("fid", "fvd", "efid")


@pytest.fixture(scope="module")
def outcomes(films, small, made_weights, tmp_path_factory):
    """The floors, all measured into one store; one identity, so that no fold costs time."""
    folder = tmp_path_factory.mktemp("networks")
    manifest = pairs_csv(films, folder / "p.csv", NAMES, identity="one")
    people = pairs_csv(films, folder / "people.csv", NAMES)
    asked = {"pairs": manifest, "protocol": small, "features": folder / "features"}
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TFW_WEIGHTS", str(made_weights))
        found = {
            model: scored(folder / model, model=model, **asked)
            for model in ("groundtruth", "static")
        }
        cheap = ",".join(n for n in SMALL["metrics"] if n.startswith("sync"))
        found["shifted"] = scored(folder / "shifted", model="shifted", **asked, metrics=cheap)
        asked["pairs"] = people
        found["halves"] = scored(folder / "halves", model="halves", **asked, metrics="efid,fvd,kvd")
    return found


def _value(outcomes, model, metric):
    return outcomes[model].run.scores[metric].value


def test_the_real_video_is_at_no_distance_from_itself(outcomes):
    assert _value(outcomes, "groundtruth", "ssim") == 1.0
    assert _value(outcomes, "groundtruth", "psnr") == 100.0
    for metric in FRECHET:
        assert _value(outcomes, "groundtruth", metric) == pytest.approx(0.0, abs=1e-6)
    for metric in ("kid", "kvd"):
        assert _value(outcomes, "groundtruth", metric) <= 0.0


def test_a_still_picture_is_worse(outcomes):
    for metric in FRECHET:
        assert _value(outcomes, "static", metric) > _value(outcomes, "groundtruth", metric) + 1e-6
    for metric in ("ssim", "psnr"):
        assert _value(outcomes, "static", metric) < _value(outcomes, "groundtruth", metric)


def test_a_still_picture_is_wholly_alike_itself(outcomes):
    assert _value(outcomes, "static", "csim") == pytest.approx(1.0, abs=1e-5)
    assert _value(outcomes, "static", "csim") > _value(outcomes, "groundtruth", "csim")


def test_every_score_has_a_signature_n_and_what_made_it(outcomes):
    for metric in SMALL["metrics"]:
        score = outcomes["static"].run.scores[metric]
        signature = Signature.parse(score.signature)
        assert signature.parts[0] == "small" and signature.part("seeds") == "1"
        assert signature.part("in") == "frames"
        if metric == "nsync":
            assert "too short for its sound to be moved" in score.note
        elif metric == "drift":
            assert "shorter than 30 frames" in score.note
        else:
            assert math.isfinite(score.value) and score.n > 0
    scores = outcomes["static"].run.scores
    assert (scores["fid"].n, scores["fvd"].n, scores["efid"].n) == (12, 3, 3)


def test_weights_that_are_not_the_published_ones_are_marked(outcomes):
    scores = outcomes["static"].run.scores
    assert scores["fid"].unofficial == ("inception_fid",)
    assert scores["sync_c"].unofficial == ("syncnet_v2", "s3fd")
    assert set(scores["efid"].unofficial) == {"deep3d", "deep3d_points"}
    assert scores["ssim"].unofficial == ()
    assert outcomes["static"].run.weights["scrfd_2.5g"]["official"]


def test_moved_sound_changes_the_value_at_no_offset(outcomes):
    moved, kept = (outcomes[m].run.scores["sync_c0"].clips for m in ("shifted", "groundtruth"))
    assert moved.keys() == kept.keys()
    assert all(moved[clip] != kept[clip] for clip in kept)


def test_halves_of_three_people_stand_two_to_one(outcomes):
    scores = outcomes["halves"].run.scores
    assert scores["efid"].n == 2 and scores["efid"].value > 0.0
    assert scores["fvd"].value is None and "fewer than two rows" in scores["fvd"].note


def test_missing_weights_are_named_with_how_to_get_them(films, small, tmp_path):
    manifest = pairs_csv(films, tmp_path / "p.csv", NAMES)
    with pytest.raises(WeightMissing) as missing:
        scored(tmp_path / "run", pairs=manifest, protocol=small)
    said = str(missing.value)
    store = Store(tmp_path)
    for name in ("inception_fid", "i3d_kinetics400", "syncnet_v2", "s3fd", "deep3d"):
        assert store.entry(name).file in said
    assert "tfw weights" in said and "--skip-missing" in said
    assert not (tmp_path / "run").exists()
    left = scored(tmp_path / "run", pairs=manifest, protocol=small, skip_missing=True)
    assert set(left.run.scores) == {"ssim", "psnr", "tje", "flicker"}
    assert left.left_out["sync_c"] == ["syncnet_v2", "s3fd"]


def test_a_checkpoint_of_another_network_stops_the_run(
    films, small, made_weights, tmp_path, monkeypatch
):
    import shutil

    store = Store(tmp_path / "weights")
    store.folder.mkdir()
    copy = tmp_path / "copy.pth"
    shutil.copyfile(made_weights / store.entry("s3fd").file, copy)
    store.place("inception_fid", copy, "trusted by the user")
    monkeypatch.setenv("TFW_WEIGHTS", str(store.folder))
    manifest = pairs_csv(films, tmp_path / "p.csv", NAMES)
    with pytest.raises(WeightMissing) as wrong:
        scored(tmp_path / "run", pairs=manifest, protocol=small, metrics="fid,ssim")
    assert wrong.value.exit_code == 4
    assert store.entry("inception_fid").file in str(wrong.value)
