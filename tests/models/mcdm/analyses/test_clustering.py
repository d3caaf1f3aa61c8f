"""Purity, chance and silhouette against counts made by hand."""

import math

import numpy as np
import pytest
from numpy.testing import assert_allclose

from talkingface_wild.models.mcdm.analyses.clustering import (
    chance_purity,
    neighbour_purity,
    plane,
    silhouette,
    standardised,
)

LINE = np.array([[0.0], [1.0], [10.0], [11.0]])


def test_purity_counts_labels_of_the_nearest():
    apart = ["a", "b", "c", "d"]
    assert neighbour_purity(LINE, ["x", "x", "y", "y"], apart, 1) == 1.0
    assert neighbour_purity(LINE, ["x", "y", "x", "y"], apart, 1) == 0.0
    # Of two neighbours, the first has the label, the second has not.
    assert neighbour_purity(LINE, ["x", "x", "y", "y"], apart, 2) == 0.5


def test_a_points_own_clip_does_not_count():
    """Pieces of one recording lie side by side, whatever they show."""
    clips = ["a", "a", "b", "b"]
    assert neighbour_purity(LINE, ["x", "x", "y", "y"], clips, 1) == 0.0
    assert neighbour_purity(LINE, ["x", "y", "x", "y"], clips, 1) == pytest.approx(0.5)
    # x at 0 and y at 1 look right: nearest is x at 10, so x is right once; from the right, y at 1.


def test_purity_takes_all_others_where_there_are_few():
    labels = ["x", "x", "x", "y"]
    assert neighbour_purity(LINE, labels, list("abcd"), 50) == pytest.approx((3 * 2 / 3) / 4)


def test_purity_of_one_clip_has_no_meaning():
    assert neighbour_purity(LINE, list("xxyy"), list("aaaa"), 1) is None
    assert chance_purity(list("xxyy"), list("aaaa")) is None


def test_chance_is_the_labels_share_among_other_clips():
    labels, clips = list("xxxy"), list("abcd")
    assert chance_purity(labels, clips) == pytest.approx((3 * 2 / 3 + 0) / 4)
    # Own clip left out: x of clip a finds one x among two.
    assert chance_purity(list("xxxy"), list("aabb")) == pytest.approx((2 * 0.5 + 1 + 0) / 4)


def test_random_labels_have_the_purity_of_chance():
    draws = np.random.default_rng(0)
    points = draws.standard_normal((600, 4))
    labels = [str(kind) for kind in draws.integers(0, 4, 600)]
    clips = [str(place // 6) for place in range(600)]
    found = neighbour_purity(points, labels, clips, 5)
    assert found == pytest.approx(chance_purity(labels, clips), abs=0.03)


def test_silhouette_is_that_of_the_clips_means():
    # Means 1, 2 and 11: for 1 the own label is 1 away, the other 10; for 2 it is 1 and 9; the
    # third stands alone and has 0.
    points = np.array([[0.0], [2.0], [1.0], [3.0], [11.0]])
    found = silhouette(points, list("xxxxy"), list("aabbc"))
    assert found == pytest.approx((9 / 10 + 8 / 9 + 0) / 3)


def test_silhouette_needs_two_labels_and_two_clips_of_one():
    assert silhouette(LINE, list("xxxx"), list("abcd")) is None
    assert silhouette(LINE, list("wxyz"), list("abcd")) is None
    assert silhouette(LINE, list("xxyy"), list("aabb")) is None


def test_dimensions_get_unit_spread_and_still_ones_stay_zero():
    points = np.array([[1.0, 5.0, 100.0], [3.0, 5.0, 300.0]])
    assert_allclose(standardised(points), [[-1, 0, -1], [1, 0, 1]])


def test_the_plane_keeps_clusters_apart_and_is_drawn_alike_each_time():
    draws = np.random.default_rng(1)
    near = draws.standard_normal((2, 20, 6)) + np.array([0, 30])[:, None, None]
    first, second = plane(near.reshape(40, 6), 0), plane(near.reshape(40, 6), 0)
    assert_allclose(first, second)
    left, right = first[:20], first[20:]
    widest = max(np.ptp(left, axis=0).max(), np.ptp(right, axis=0).max())
    assert math.dist(left.mean(axis=0), right.mean(axis=0)) > widest


@pytest.mark.parametrize("width", [1, 3])
def test_the_plane_takes_few_points_and_narrow_ones(width):
    drawn = plane(np.arange(5.0)[:, None].repeat(width, axis=1), 0)
    assert drawn.shape == (5, 2)
    assert np.isfinite(drawn).all()
