"""Cepstra against the reference library's golden, and against what silence and scale must give."""

import numpy as np
import pytest

from talkingface_wild.functional.mfcc import CEPSTRA, mfcc
from tests.perception import golden


def test_golden_mfcc(goldens):
    reference = golden.load(goldens, "mfcc")
    tolerance = reference.tolerance("absolute")
    for case in reference.data["cases"]:
        sound = reference.filler.audio(case["audio"], reference.seed, case["samples"])
        golden.assert_summary(mfcc(sound), case, tolerance)
    silence = reference.data["silence"]
    golden.assert_summary(mfcc(np.zeros(silence["samples"], np.int16)), silence, tolerance)


@pytest.mark.parametrize(
    ("samples", "frames"), [(1, 1), (400, 1), (401, 2), (560, 2), (561, 3), (16_000, 99)]
)
def test_a_frame_for_400_samples_and_one_for_every_160_more(samples, frames):
    sound = np.random.default_rng(0).integers(-999, 999, samples).astype(np.int16)
    assert mfcc(sound).shape == (frames, CEPSTRA)


def test_twice_the_loudness_moves_only_the_energy_by_log_four():
    sound = np.random.default_rng(1).integers(-9999, 9999, 8000).astype(np.int16)
    soft, loud = mfcc(sound), mfcc((2 * sound).astype(np.int16))
    np.testing.assert_allclose(loud[:, 0] - soft[:, 0], np.log(4.0), atol=1e-9)
    np.testing.assert_allclose(loud[:, 1:], soft[:, 1:], atol=1e-9)


@pytest.mark.parametrize(
    "samples", [np.zeros(0, np.int16), np.zeros(800, np.float32), np.zeros((800, 2), np.int16)]
)
def test_anything_but_a_vector_of_int16_is_refused(samples):
    with pytest.raises(ValueError, match="vector of int16 samples"):
        mfcc(samples)
