"""Means over clips: sync from planted curves, nSync by hand, barred clips, NaN, drift."""

import json

import numpy as np
import pytest

from talkingface_wild.benchmark.base import Sample
from tests.benchmark.samples import curve, fed, metric, replaced, spoken


def _alike(clip, ssim, group=None, **more):
    values = np.full(40, ssim)
    pair = {"similarity": {"ssim": values, "psnr": 40 * values, "frame": np.arange(1, 41)}}
    pair["similarity"]["frames"] = np.array([41])
    return Sample(clip, group or clip, pair=pair, **more)


def test_sync_values_of_a_planted_curve():
    """31 distances of 10 but for 7 at shift index 18: confidence 3, distance 7, offset −3."""
    samples = [spoken("a", curve(18)), spoken("b", curve(15, depth=1.0))]
    scores = {n: fed(n, samples).compute() for n in ("sync_c", "sync_d", "sync_offset", "sync_c0")}
    assert scores["sync_c"].clips == pytest.approx({"a": 3.0, "b": 1.0})
    assert scores["sync_d"].clips == pytest.approx({"a": 7.0, "b": 9.0})
    assert scores["sync_offset"].clips == pytest.approx({"a": -3.0, "b": 0.0})
    assert scores["sync_c0"].clips == pytest.approx({"a": 0.0, "b": 1.0})
    assert scores["sync_c"].value == pytest.approx(2.0)
    assert scores["sync_offset"].extra["within_one_frame"] == 0.5


def test_an_offset_at_the_edge_is_no_sync_and_few_windows_are_said():
    score = fed("sync_c", [spoken("a", curve(30)), spoken("b", curve(15), windows=20)]).compute()
    assert score.extra["no_sync_clips"] == 1
    assert any("1 clip without sync" in said for said in score.warnings)
    assert any("1 clip of under 60 windows" in said for said in score.warnings)


def test_tracks_are_averaged_where_a_protocol_takes_all():
    tracks = np.stack([curve(15, 4.0), curve(15, 2.0)])
    assert fed("sync_c", [spoken("a", tracks)]).compute().value == pytest.approx(3.0)


def test_nsync_by_hand_per_language():
    """English: chance 1, real 5; Korean: chance 0.5, real 2.5."""
    samples = [
        spoken("a", curve(15, 3.0), curve(15, 4.0), nulls=(0.5, 1.5)),
        spoken("b", curve(15, 5.0), curve(15, 6.0), nulls=(1.0, 1.0)),
        spoken("c", curve(15, 1.5), curve(15, 2.5), nulls=(0.5,), language="ko"),
    ]
    score = fed("nsync", samples).compute()
    assert score.clips == pytest.approx({"a": 0.5, "b": 1.0, "c": 0.5})
    assert score.value == pytest.approx(2.0 / 3.0)
    first, second = metric("nsync", samples), metric("nsync", samples)
    first.update(samples[0])
    second.update(samples[2])
    second.update(samples[1])
    first.merge(second)
    assert first.compute().clips == pytest.approx(score.clips)


def test_nsync_has_no_value_where_the_real_video_is_not_above_chance():
    samples = [
        spoken("a", curve(15), curve(15, 0.4), nulls=(0.5,), language="ko"),
        spoken("b", curve(15), curve(15), nulls=(0.0,)),
        spoken("c", curve(15), nulls=()),
    ]
    score = fed("nsync", samples).compute()
    assert score.clips == pytest.approx({"b": 1.0})
    assert "not above its null" in score.note
    assert "too short for its sound to be moved" in score.note


@pytest.mark.parametrize("name", ["sync_c", "sync_d", "sync_offset", "sync_c0", "nsync"])
def test_one_clip_of_nan_spoils_no_other(name):
    broken = spoken("b", np.full(31, np.nan), curve(15), nulls=(0.5,))
    samples = [spoken("a", curve(15), curve(15), nulls=(0.5,)), broken]
    score = fed(name, samples).compute()
    alone = fed(name, samples[:1]).compute()
    assert score.clips == alone.clips
    assert "NaN" in score.note
    json.dumps(score.to_json(), allow_nan=False)


def test_a_mean_is_over_clips_and_its_interval_over_people():
    samples = [_alike(f"c{i}", 0.5 + 0.04 * i, group=f"p{i % 5}") for i in range(10)]
    score = fed("ssim", samples).compute()
    assert score.value == pytest.approx(0.68)
    assert score.low < score.value < score.high
    assert score.n == 10 and score.unit == "clips"
    turned = fed("ssim", samples, order=range(9, -1, -1)).compute()
    assert (turned.value, turned.low, turned.high) == (score.value, score.low, score.high)
    first, second = metric("ssim", samples), metric("ssim", samples)
    for place, sample in enumerate(samples):
        (first if place < 3 else second).update(sample)
    first.merge(second)
    assert first.compute().to_json() == score.to_json()


def test_barred_and_refused_clips_are_counted_and_left_out():
    samples = [
        _alike("a", 0.9),
        _alike("b", 0.1, barred=frozenset({"ssim", "psnr"})),
        Sample("c", "c", refused={"pair/similarity": "too_short: no common frame"}),
        Sample("d", "d"),
    ]
    score = fed("ssim", samples).compute()
    assert score.value == pytest.approx(0.9) and score.n == 1
    assert "1 clip: the video was re-framed" in score.note
    assert "1 clip: too_short: no common frame" in score.note
    assert "1 clip: there is no reference" in score.note
    assert fed("ssim", samples[1:]).compute().value is None


def test_similarity_that_is_not_finite_is_refused():
    broken = _alike("b", np.nan)
    score = fed("ssim", [_alike("a", 0.9), broken]).compute()
    assert score.value == pytest.approx(0.9)
    assert "NaN" in score.note
    drift = fed("drift", [_alike("a", 0.9), broken]).compute()
    json.dumps(drift.to_json(), allow_nan=False)


def test_csim_is_the_cosine_to_the_picture_and_to_the_frame():
    turn = np.deg2rad(60)
    here, there = np.array([1.0, 0.0]), np.array([np.cos(turn), np.sin(turn)])
    mine = {"identity": np.stack([there, there]), "frame": np.array([1, 6]), "portrait": here[None]}
    real = {"identity": np.stack([here, there]), "frame": np.array([1, 6]), "portrait": here[None]}
    sample = Sample("a", "a", generated={"identity": mine}, reference={"identity": real})
    assert fed("csim", [sample]).compute().value == pytest.approx(0.5)
    assert fed("csim_frames", [sample]).compute().value == pytest.approx(0.75)
    real["portrait"] = np.zeros((0, 2))
    score = fed("csim", [sample]).compute()
    assert score.value is None and "the reference picture shows no face" in score.note


def test_drift_follows_a_falling_line_and_finds_the_collapse():
    frames = np.arange(1, 400)
    falling = 1.0 - frames / 1000.0
    unit, every = np.array([[1.0, 0.0]]), np.array([400])
    cosines = np.where(frames < 250, 1.0, 0.5)
    identity = np.stack([cosines, np.sqrt(1 - cosines**2)], axis=1)
    sample = Sample(
        "a",
        "a",
        generated={
            "identity": {"identity": identity, "frame": frames, "portrait": unit, "frames": every},
            "sharpness": {"sharpness": np.full(399, 7.0), "frame": frames},
        },
        reference={"identity": {"identity": identity, "frame": frames, "portrait": unit}},
        pair={"similarity": {"ssim": falling, "psnr": falling, "frame": frames, "frames": every}},
    )
    short = _alike("b", 0.5)
    score = fed("drift", [sample, replaced(short, pair={})]).compute()
    assert score.value == pytest.approx(-1.0)
    assert score.extra["curve"]["frames"] == [30, 300]
    assert score.extra["curve"]["ssim"] == pytest.approx([0.97, 0.7])
    assert score.extra["curve"]["csim"] == pytest.approx([1.0, 0.5])
    assert score.extra["curve"]["sharpness"] == pytest.approx([7.0, 7.0])
    assert score.extra["slopes"]["ssim"] == pytest.approx(-1.0)
    assert score.extra["failure_frames"] == {"a": 250}
