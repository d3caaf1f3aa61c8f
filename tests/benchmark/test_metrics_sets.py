"""Distances between sets of features: identities, orders, broken rows. No network, no video."""

import json

import numpy as np
import pytest

from talkingface_wild.benchmark.protocol import load_protocol
from talkingface_wild.functional.frechet import frechet_distance
from talkingface_wild.functional.kernel_distance import polynomial_mmd2
from tests.benchmark.samples import PROTOCOL, ROWS, clips, features, fed, metric, replaced

FRECHET = {"fid": "inception", "fvd": "i3d", "efid": "expression"}
KERNEL = {"kid": "inception", "kvd": "i3d"}
EVERY = FRECHET | KERNEL


def _counted(name, count):
    """E-FID counts clips, the others their rows."""
    return count if name == "efid" else count * 30


def _rows(samples, side, extractor):
    array, _ = ROWS[extractor]
    return np.concatenate([getattr(s, side)[extractor][array] for s in samples]).astype(float)


@pytest.mark.parametrize(("name", "extractor"), FRECHET.items())
def test_a_set_against_itself_is_nothing(name, extractor):
    score = fed(name, clips(extractor)).compute()
    assert score.value == pytest.approx(0.0, abs=1e-9)
    assert score.value >= 0.0 and score.low >= 0.0
    assert score.n == _counted(name, 12)


@pytest.mark.parametrize(("name", "extractor"), KERNEL.items())
def test_the_unbiased_distance_of_a_set_to_itself_is_not_above_nothing(name, extractor):
    score = fed(name, clips(extractor)).compute()
    assert score.value <= 0.0
    rows = _rows(clips(extractor), "generated", extractor)
    assert polynomial_mmd2(rows, rows, biased=True) == pytest.approx(0.0, abs=1e-12)


@pytest.mark.parametrize(("name", "extractor"), FRECHET.items())
def test_a_moved_set_is_off_by_the_square_of_the_move(name, extractor):
    """Equal covariances: what is left of the distance is ‖μ₁ − μ₂‖²."""
    score = fed(name, clips(extractor, shift=0.5)).compute()
    assert score.value == pytest.approx(0.25 * ROWS[extractor][1], rel=1e-9)


@pytest.mark.parametrize(("name", "extractor"), FRECHET.items())
def test_sums_by_fold_give_what_all_rows_together_give(name, extractor):
    samples = clips(extractor, shift=0.1, seed=3)
    samples = [
        replaced(s, reference=o.reference)
        for s, o in zip(samples, clips(extractor, seed=4), strict=True)
    ]
    one, other = (_rows(samples, side, extractor) for side in ("generated", "reference"))
    wanted = frechet_distance(
        one.mean(0), np.cov(one, rowvar=False), other.mean(0), np.cov(other, rowvar=False)
    )
    assert fed(name, samples).compute().value == pytest.approx(wanted, rel=1e-9)


@pytest.mark.parametrize(("name", "extractor"), KERNEL.items())
def test_kernel_rows_by_fold_give_what_all_rows_together_give(name, extractor):
    samples = clips(extractor, shift=0.3)
    one, other = (_rows(samples, side, extractor) for side in ("generated", "reference"))
    wanted = 1000.0 * polynomial_mmd2(one, other)
    assert fed(name, samples).compute().value == pytest.approx(wanted, rel=1e-5)


@pytest.mark.parametrize(("name", "extractor"), EVERY.items())
def test_order_and_merging_change_nothing(name, extractor):
    samples = clips(extractor, shift=0.3, seed=1)
    whole = fed(name, samples).compute()
    turned = fed(name, samples, order=np.random.default_rng(0).permutation(len(samples))).compute()
    first, second = metric(name, samples), metric(name, samples)
    for index, sample in enumerate(samples):
        (first if index % 3 else second).update(sample)
    second.merge(first)
    for other in (turned, second.compute()):
        for part in ("value", "low", "high"):
            assert getattr(other, part) == pytest.approx(getattr(whole, part), rel=1e-8)
        assert other.n == whole.n
        assert other.replicates.keys() == whole.replicates.keys()


@pytest.mark.parametrize(("name", "extractor"), EVERY.items())
def test_an_interval_holds_its_value_and_leaves_out_people(name, extractor):
    score = fed(name, clips(extractor, shift=0.3, people=6)).compute()
    assert len(score.replicates) == 6
    assert score.low < score.value < score.high


@pytest.mark.parametrize(("name", "extractor"), EVERY.items())
def test_rows_with_nan_are_refused_with_a_reason_and_the_rest_is_scored(name, extractor):
    samples = clips(extractor, shift=0.3)
    _, dimensions = ROWS[extractor]
    broken = np.full((30, dimensions), np.nan)
    spoilt = [replaced(samples[0], generated=features(extractor, broken)), *samples[1:]]
    score = fed(name, spoilt).compute()
    empty = replaced(samples[0], generated={}, reference={})
    without = fed(name, [empty, *samples[1:]]).compute()
    assert score.value == pytest.approx(without.value, rel=1e-9), "both sides, or neither"
    assert "NaN" in score.note and "1 clip" in score.note
    json.dumps(score.to_json(), allow_nan=False)


@pytest.mark.parametrize(("name", "extractor"), EVERY.items())
def test_what_an_extractor_refused_is_counted_with_its_reason(name, extractor):
    samples = clips(extractor)
    for place in (0, 1):
        samples[place] = replaced(
            samples[place], generated={}, refused={f"generated/{extractor}": "too_short: 3 frames"}
        )
    samples[2] = replaced(
        samples[2], reference={}, refused={f"reference/{extractor}": "too_short: 4 frames"}
    )
    score = fed(name, samples).compute()
    assert "2 clips: too_short: 3 frames" in score.note
    assert "1 clip: too_short: 4 frames" in score.note
    assert score.n == _counted(name, 9)


@pytest.mark.parametrize(("name", "extractor"), EVERY.items())
def test_one_side_alone_has_no_value_but_a_reason(name, extractor):
    samples = [replaced(sample, reference={}) for sample in clips(extractor)]
    score = fed(name, samples).compute()
    assert score.value is None and score.low is None
    assert "fewer than two rows" in score.note


@pytest.mark.parametrize(("name", "extractor"), EVERY.items())
def test_halves_are_one_set_on_each_side(name, extractor):
    """Two halves of one law are near each other, and further than a set is from itself."""
    samples = clips(extractor, count=40, people=40)
    halved = [
        replaced(s, reference={}) if i % 2 else replaced(s, generated={})
        for i, s in enumerate(samples)
    ]
    score = fed(name, halved).compute()
    itself = fed(name, samples).compute()
    assert score.n == _counted(name, 20)
    assert itself.value < score.value < fed(name, clips(extractor, shift=1.0)).compute().value


def test_few_rows_are_warned_of():
    (warning,) = fed("fid", clips("inception")).compute().warnings
    assert "360 rows" in warning and "biased upwards" in warning


def test_fvd_takes_the_protocols_covariance():
    samples = [
        replaced(s, reference=o.reference)
        for s, o in zip(clips("i3d", seed=1), clips("i3d", seed=2), strict=True)
    ]
    unbiased = fed("fvd", samples).compute()
    biased = fed("fvd", samples, load_protocol("fvd-cd-geometry")).compute()
    one, other = (_rows(samples, side, "i3d") for side in ("generated", "reference"))
    moved = float(np.square(one.mean(0) - other.mean(0)).sum())
    n = len(one)
    assert biased.value - moved == pytest.approx((unbiased.value - moved) * (n - 1) / n, rel=1e-9)


def test_efid_has_no_value_where_too_many_frames_show_no_face():
    samples = clips("expression")
    seen = samples[0].generated["expression"]["expression"]
    hidden = {"expression": {"expression": seen[:-8], "asked": np.array([len(seen)])}}
    samples[0] = replaced(samples[0], generated=hidden)
    score = fed("efid", samples).compute()
    assert score.value is None
    assert "8 of 360 generated frames show no face, over 2%" in score.note
    turned = [replaced(s, generated=s.reference, reference=s.generated) for s in samples]
    assert "8 of 360 reference frames" in fed("efid", turned).compute().note
    hidden["expression"]["expression"] = seen[:-7]
    assert fed("efid", samples).compute().value is not None
    assert PROTOCOL.expression.most_unmeasured == 0.02
