"""Lines of text from drawn maps, by their closed form."""

import numpy as np
import pytest

from talkingface_wild.functional.text_boxes import TextRule, covered_share, text_boxes


def _map(*regions, value=0.9):
    """A map 320 by 400 with regions (left, top, width, height)."""
    probabilities = np.zeros((320, 400), np.float32)
    for left, top, width, height in regions:
        probabilities[top : top + height, left : left + width] = value
    return probabilities


def _sides(box):
    return np.sort(np.ptp(box, axis=0))


def test_a_line_grows_by_its_area_by_its_perimeter():
    """The outline runs through the middles of pixels, of which the published dilation adds one."""
    (box,) = text_boxes(_map((100, 200, 100, 20)), 320, 400)
    margin = 1.6 * 100 * 20 / (2 * (100 + 20))
    np.testing.assert_allclose(_sides(box), [20 + 2 * margin, 100 + 2 * margin], atol=0.01)
    np.testing.assert_allclose(box.mean(axis=0), [149.5, 209.5], atol=0.6)


def test_boxes_are_in_the_pictures_pixels_and_end_at_its_edge():
    (once,) = text_boxes(_map((100, 200, 100, 20)), 320, 400)
    (twice,) = text_boxes(_map((100, 200, 100, 20)), 640, 800)
    np.testing.assert_allclose(twice, once * 2, atol=0.01)
    (edge,) = text_boxes(_map((0, 300, 100, 20)), 320, 400)
    assert edge.min() == 0 and edge[:, 1].max() == 320


@pytest.mark.parametrize(
    ("regions", "value"),
    [
        ([(50, 50, 200, 150)], 0.9),
        ([(50, 50, 100, 20)], 0.55),
        ([(50, 50, 100, 2)], 0.9),
        ([], 0.9),
    ],
)
def test_what_is_thick_or_weak_or_tiny_is_no_line(regions, value):
    """Fails before: a face that the network took for text covered the whole crop window."""
    boxes = text_boxes(_map(*regions, value=value), 320, 400)
    assert boxes.shape == (0, 4, 2)
    assert covered_share(boxes, 320, 400) == 0


def test_the_bounds_may_be_set():
    regions = [(50, 50, 200, 150)]
    assert len(text_boxes(_map(*regions), 320, 400, TextRule(most_side=1.0))) == 1
    assert len(text_boxes(_map((50, 50, 100, 20), value=0.55), 320, 400, TextRule(least_score=0.5)))


def test_the_share_is_that_of_the_union():
    corners = np.array([[0, 0], [100, 0], [100, 10], [0, 10]], np.float32)
    assert covered_share(corners[None], 100, 200) == pytest.approx(0.05)
    overlapping = np.stack([corners, corners + [50, 0]])
    assert covered_share(overlapping, 100, 200) == pytest.approx(0.075)
