"""Charts drawn from known numbers: counts, places of bars and bounds, and labels that stay text."""

import xml.etree.ElementTree as ET

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from talkingface_wild.pages.charts import bars, binned, histogram, share_bar
from talkingface_wild.pages.svg import number

FINITE = st.floats(-1e6, 1e6)


@settings(suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(st.lists(FINITE, min_size=1, max_size=60), st.lists(FINITE, max_size=3), FINITE)
def test_every_value_is_counted_once_and_every_bound_is_inside(values, bounds, threshold):
    values = np.array(values)
    passed = values >= threshold
    bins = binned(values, passed, bounds)
    assert bins.passed.sum() == passed.sum()
    assert bins.failed.sum() == (~passed).sum()
    assert all(bins.edges[0] <= bound <= bins.edges[-1] for bound in bounds)
    assert np.all(np.diff(bins.edges) > 0)


def test_whole_numbers_get_a_bin_each_around_them():
    bins = binned(
        np.array([0.0, 1.0, 1.0, 4.0]), np.array([True, True, True, False]), [2.0], whole=True
    )
    assert list(bins.edges) == [-0.5, 0.5, 1.5, 2.5, 3.5, 4.5]
    assert list(bins.passed) == [1, 2, 0, 0, 0]
    assert list(bins.failed) == [0, 0, 0, 0, 1]


def test_shares_that_happen_to_be_0_or_1_keep_fine_bins():
    bins = binned(np.array([0.0, 1.0]), np.array([False, True]), [0.85])
    assert len(bins.passed) == 30
    assert bins.edges[0] > -0.1


def test_rare_far_values_are_counted_in_the_last_bin_and_said():
    values = np.concatenate([np.linspace(0, 1, 999), [1e9]])
    bins = binned(values, np.ones(1000, bool), [0.5])
    assert bins.edges[-1] < 2
    assert bins.beyond == (False, True)
    assert bins.passed.sum() == 1000
    drawn = histogram(bins, {"": 0.5}, "s", "length")
    assert f"≥ {number(bins.edges[-1])}" in drawn


def test_a_histogram_draws_bars_and_bounds_where_they_belong():
    values = np.array([0.0, 1.0, 1.0, 4.0])
    bins = binned(values, values <= 2, [2.0, 3.0], whole=True)
    svg = ET.fromstring(histogram(bins, {"": 2.0, "ko": 3.0}, "faces", "count"))
    rects = svg.findall("rect")
    assert [rect.get("class") for rect in rects] == ["pass", "pass", "fail"]
    heights = [float(rect.get("height")) for rect in rects]
    assert heights[1] == pytest.approx(2 * heights[0], abs=0.1)
    lines = [line for line in svg.findall("line") if line.get("class") == "bound"]
    middle_of_bin = 8 + (2.0 + 0.5) * (480 - 16) / 5
    assert float(lines[0].get("x1")) == pytest.approx(middle_of_bin, abs=0.1)
    words = [text.text for text in svg.iter("text")]
    assert "2" in words
    assert "ko 3" in words


def test_bars_are_in_proportion_and_labels_stay_text():
    svg = ET.fromstring(bars([("<script>", 1.0, "one"), ("b", 4.0, "four")], "hours", 2.0))
    wide = [float(rect.get("width")) for rect in svg.findall("rect")]
    assert wide[1] == pytest.approx(4 * wide[0], abs=0.2)
    assert svg.find("text").text == "<script>"
    assert svg.find("script") is None


def test_a_share_bar_fills_its_width():
    svg = ET.fromstring(share_bar(6, 3, 1, 0))
    assert [rect.get("class") for rect in svg] == ["pass", "fail", "broken"]
    assert sum(float(rect.get("width")) for rect in svg) == pytest.approx(160, abs=0.2)
    assert len(ET.fromstring(share_bar(0, 0, 0, 0))) == 0


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (3452, "3,452"),
        (241.6, "241.6"),
        (0.02, "0.02"),
        (-50.0, "-50"),
        (-0.0, "0"),
        (2e12, "2e+12"),
    ],
)
def test_numbers_are_short(value, words):
    assert number(value) == words
