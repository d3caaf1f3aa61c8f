"""Sweeps of a bound: what is kept at each is what a recut to it really gives."""

import itertools
import shutil

import numpy as np
import pandas as pd
import pytest

from talkingface_wild.core.errors import RecipeError, UsageError
from talkingface_wild.dataset.decisions import Decision, save_decisions
from talkingface_wild.dataset.layout import Layout
from talkingface_wild.jobs.recut import RecutRequest, recut
from talkingface_wild.pipelines.sweep import Range, bounds_between, sweep
from tests.speed import synthetic

COUNT = 400


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    out = tmp_path_factory.mktemp("made")
    synthetic.write(out, COUNT)
    clip = str(pd.read_parquet(out / "dataset" / "clips")["clip_id"].iloc[0])
    save_decisions(Layout(out), [Decision(clip, False, "dubbed")])
    return out


@pytest.fixture
def out(made, tmp_path):
    """A copy of its own: commits are linked by relative names."""
    return shutil.copytree(made, tmp_path / "out", symlinks=True)


def _kept(out):
    frame = pd.read_parquet(out / "dataset" / "clips", columns=["language", "clip_seconds"])
    frame["language"] = frame["language"].astype(str)
    return frame


@pytest.mark.parametrize(
    ("name", "word", "others"),
    [
        ("yaw_p90", "at_most", []),
        ("yaw", "at_most", ["gates.source_share=5"]),
        ("sync_confidence", "at_least", ["gates.yaw_p90.zh=30"]),
        ("face_confidence", "at_most", []),
        ("crop_side", "at_least", ["targets.hours_per_language=0.05", "targets.wave=2"]),
        ("source_clips_before", "below", []),
        ("short_side", "at_least", []),
    ],
)
def test_a_point_is_what_a_recut_to_that_bound_gives(out, name, word, others):
    """Shares of sources and channels hang on what else is kept, so a mere count would be wrong."""
    swept = sweep(out, name, others, bounds=Range(4))
    assert swept.word == word
    assert len(swept.points) >= 4
    for point in [swept.points[0], swept.points[len(swept.points) // 2], swept.points[-1]]:
        made = recut(
            RecutRequest(out=out, settings=[*others, f"gates.{name}.{word}={point.bound}"])
        )
        kept = _kept(out)
        assert point.kept.clips == len(kept)
        assert point.kept.hours == pytest.approx(kept["clip_seconds"].sum() / 3600, abs=1e-6)
        assert {tag: amount.clips for tag, amount in point.languages.items()} == (
            kept["language"].value_counts().to_dict()
        )
        assert point.pending.clips == made.pending == 0


def test_more_is_kept_as_a_greatest_bound_rises_and_less_as_a_least_one_does(made):
    for name, sign in (("yaw_p90", 1), ("quality_crop_mean", -1)):
        counts = [point.kept.clips for point in sweep(made, name, bounds=Range(20)).points]
        assert counts[0] != counts[-1]
        assert all(sign * (b - a) >= 0 for a, b in itertools.pairwise(counts))


def test_without_a_gate_it_sweeps_at_most_or_at_least_as_asked(made):
    rising = sweep(made, "face_confidence")
    falling = sweep(made, "face_confidence", at_least=True)
    assert (rising.word, rising.now, falling.word) == ("at_most", None, "at_least")
    assert not any(point.current for point in rising.points)
    assert rising.points[-1].kept.clips == falling.points[0].kept.clips == len(_kept(made)) - 1


def test_the_present_bound_is_one_of_the_points_and_marked(made):
    swept = sweep(made, "sync", bounds=Range(4, 2.8, 3.7))
    assert swept.now == 3.0
    assert [point.bound for point in swept.points if point.current] == [3.0]
    assert (swept.points[0].bound, swept.points[-1].bound) == (2.8, 3.7)


def test_a_sweep_writes_nothing(made):
    before = sorted((path, path.stat().st_mtime_ns) for path in made.rglob("*"))
    sweep(made, "yaw_p90")
    assert sorted((path, path.stat().st_mtime_ns) for path in made.rglob("*")) == before


def test_bounds_are_round_and_span_the_inner_98_percent():
    values = np.random.default_rng(1).normal(17.3, 5.2, 5000)
    bounds = bounds_between(values, Range(12), False, None)
    low, high = np.quantile(values, [0.01, 0.99])
    steps = set(np.round(np.diff(bounds), 9))
    assert steps == {2.0} or steps == {2.5}
    assert bounds[0] <= low < bounds[1] and bounds[-2] < high <= bounds[-1]
    whole = bounds_between(np.arange(9), Range(12), True, None)
    assert whole == list(range(0, 9))
    assert all(isinstance(bound, int) for bound in whole)


def test_one_value_for_all_is_one_bound():
    assert bounds_between(np.full(5, 3.0), Range(), False, None) == [3.0]


@pytest.mark.parametrize(
    ("name", "error", "says"),
    [
        ("has_audio", UsageError, "has_audio is bool"),
        ("identity", RecipeError, "identity holds text"),
        ("yaw_p9", RecipeError, "did you mean 'yaw_p90'"),
        ("identity_seconds_before", UsageError, "not measured in this set"),
        ("spoken_probability", RecipeError, "stage language did not run"),
        ("sync_offset_size", RecipeError, "no_sync and sync_offset"),
    ],
)
def test_what_cannot_be_swept_is_refused_with_the_reason(made, name, error, says):
    with pytest.raises(error, match=says):
        sweep(made, name)


def test_a_range_without_room_is_refused(made):
    with pytest.raises(UsageError, match="--from below --to"):
        sweep(made, "yaw_p90", bounds=Range(5, 30, 20))


@pytest.mark.parametrize(
    ("tried", "says"),
    [
        (Range(5, least=float("nan")), "finite numbers for --from and --to, found nan"),
        (Range(5, most=float("inf")), "finite numbers for --from and --to"),
        (Range(5, -1e308, 1e308), "finite numbers for --from and --to"),
        (Range(1_000_000), "--steps expects 2 to 200, found 1000000"),
    ],
)
def test_a_range_without_end_and_steps_without_bound_are_refused(tried, says):
    """A million rulings would run for a week before their table came."""
    with pytest.raises(UsageError, match=says):
        bounds_between(np.arange(9.0), tried, False, None)
