"""Means over stretches of a curve."""

import numpy as np
from numpy.testing import assert_allclose

from talkingface_wild.models.mcdm.analyses.drift_curves import binned_curve


def test_a_line_keeps_its_values_at_the_middles():
    middles, means = binned_curve(3.0 * np.arange(12), 4)
    assert_allclose(middles, [1.5, 5.5, 9.5])
    assert_allclose(means, 3 * middles)


def test_the_last_stretch_may_be_shorter():
    middles, means = binned_curve(np.array([1.0, 3.0, 5.0, 9.0, 7.0]), 2)
    assert_allclose(middles, [0.5, 2.5, 4.0])
    assert_allclose(means, [2.0, 7.0, 7.0])
