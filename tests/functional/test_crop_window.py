"""Where the crop window lies: closed forms, and what must hold of any boxes and any picture."""

import itertools

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from talkingface_wild.functional.crop_window import crop_window, padding_share
from talkingface_wild.media.geometry import Window

WIDE = (0, 0, 1280, 720)
PLACES = st.lists(
    st.tuples(*[st.floats(-60, 900)] * 2, *[st.floats(5, 700)] * 2), min_size=1, max_size=4
)
PICTURES = st.tuples(
    st.integers(0, 90), st.integers(0, 90), st.integers(200, 1300), st.integers(200, 1300)
).map(lambda p: (p[0], p[1], p[0] + p[2], p[1] + p[3]))


def _boxes(*boxes):
    return np.array(boxes, dtype=np.float64)


def _needed(boxes, picture):
    """The union 1.2 times about its centre, cut off at the picture: left, top, right, bottom."""
    low, high = boxes[:, :2].min(axis=0), boxes[:, 2:].max(axis=0)
    reach = 0.6 * (high - low)
    edges = [np.clip(side, picture[:2], picture[2:]) for side in _around(low, high, reach)]
    return (*edges[0], *edges[1])


def _around(low, high, reach):
    middle = (low + high) / 2
    return middle - reach, middle + reach


def _old_window(boxes):
    """The centred window of version 0.3, in whole even pixels."""
    low, high = boxes[:, :2].min(axis=0), boxes[:, 2:].max(axis=0)
    side = 2 * int(np.ceil((high - low).max() * 0.8 - 1e-9))
    return (*(2 * round((a + b - side) / 4) for a, b in zip(low, high, strict=True)), side)


def test_far_from_the_edges_it_is_the_centred_square():
    assert crop_window(_boxes((400, 200, 640, 500)), WIDE) == (280, 110, 480)


def test_at_an_edge_it_is_moved_before_it_is_shrunk():
    """A face 100 px from the left edge: the centred window would begin at -20."""
    assert crop_window(_boxes((100, 200, 340, 500)), WIDE) == (0, 110, 480)
    assert crop_window(_boxes((100, 10, 340, 310)), WIDE) == (0, 0, 480)


def test_a_clip_that_is_cropped_already_is_taken_whole():
    """512 x 512 with a face of 427 px: version 0.3 took 682 px, 44 % of them black."""
    boxes = _boxes((50, 40, 430, 467))
    assert crop_window(boxes, (0, 0, 512, 512)) == (0, 0, 512)
    assert crop_window(boxes, (0, 0, 512, 512), pad="always")[2] == 684


def test_an_odd_picture_gives_an_even_side_within_it():
    left, top, side = crop_window(_boxes((100, 90, 500, 500)), (0, 0, 577, 579))
    assert side == 576
    assert left in (0, 1) and 0 <= top <= 3


def test_a_face_longer_than_the_shorter_side_is_padded_by_the_option_alone():
    """A head that walks 700 px through a picture of 500: 1.2 x 700 = 840 px have to be held."""
    boxes, picture = _boxes((200, 150, 400, 350), (700, 150, 900, 350)), (0, 0, 1200, 500)
    assert crop_window(boxes, picture, pad="needed") == (130, -170, 840)
    assert crop_window(boxes, picture, pad="never") == (300, 0, 500)
    assert crop_window(boxes, picture, pad="always") == (-10, -310, 1120)
    assert padding_share((130, -170, 840), picture) == pytest.approx(1 - 500 / 840)
    assert padding_share((300, 0, 500), picture) == 0


def test_a_padded_window_stays_as_near_to_the_centred_one_as_it_shows_all_it_can():
    boxes, picture = _boxes((0, 300, 900, 480)), (0, 0, 1200, 500)
    left, top, side = crop_window(boxes, picture)
    assert (left, side) == (0, 990)
    assert top == 390 - 495 - 1 or top == 390 - 495 + 1
    low = crop_window(_boxes((0, 450, 900, 500)), picture)
    assert low[1] == -20 and low[1] + low[2] >= 500


def test_bars_count_as_outside():
    """A 512 x 288 picture between bars of 112 lines: the window lies within it."""
    picture = (0, 112, 512, 400)
    assert crop_window(_boxes((200, 150, 320, 330)), picture) == (116, 112, 288)
    assert padding_share((0, 0, 512), picture) == pytest.approx(1 - 288 / 512)


@settings(max_examples=300, deadline=None)
@given(PLACES, PICTURES, st.sampled_from(["needed", "never"]))
def test_nothing_is_padded_where_the_needed_part_fits(places, picture, pad):
    boxes = _boxes(*[(x, y, x + w, y + h) for x, y, w, h in places])
    needed = _needed(boxes, picture)
    shorter = min(picture[2] - picture[0], picture[3] - picture[1])
    longest = max(needed[2] - needed[0], needed[3] - needed[1])
    left, top, side = crop_window(boxes, picture, pad=pad)
    assert side % 2 == 0
    if longest <= shorter or pad == "never":
        assert picture[0] <= left and left + side <= picture[2]
        assert picture[1] <= top and top + side <= picture[3]
        assert padding_share((left, top, side), picture) == 0
    if longest <= shorter or pad == "needed":
        assert max(left - needed[0], top - needed[1]) <= 1
        assert max(needed[2] - left - side, needed[3] - top - side) <= 1
    if longest <= shorter:
        assert side == min(max(_old_window(boxes)[2], _even(longest)), shorter - shorter % 2)


def _even(length):
    return 2 * int(np.ceil(length / 2 - 1e-9))


@settings(max_examples=100, deadline=None)
@given(PLACES)
def test_always_is_the_window_of_version_0_3(places):
    boxes = _boxes(*[(x, y, x + w, y + h) for x, y, w, h in places])
    picture, (left, top, side) = (0, 0, 640, 360), _old_window(boxes)
    assume(padding_share((left, top, side), picture) < 1)
    assert crop_window(boxes, picture, pad="always") == (left, top, side)


@pytest.mark.parametrize("picture", [(0, 112, 512, 400), (0, 111, 512, 399)])
@pytest.mark.parametrize("box", [(200, 10, 240, 50), (200, 450, 240, 490)])
def test_a_face_within_a_bar_gives_a_window_that_can_be_cut_out(box, picture):
    """The centred window lay wholly in the bar: its share was 1, and encoding it was an error."""
    left, top, side = crop_window(_boxes(box), picture, pad="always")
    bars = (picture[0], picture[1], 512 - picture[2], 512 - picture[3])
    _, _, width, height = Window(left, top, side, bars).inside(512, 512)
    assert width == side == 64 and 2 <= height <= 3
    assert left % 2 == top % 2 == 0
    assert padding_share((left, top, side), picture) == pytest.approx(1 - height / side)


@settings(max_examples=60, deadline=None)
@given(PLACES, st.tuples(st.integers(30, 60), st.integers(30, 60)))
def test_of_all_windows_that_hold_the_needed_part_none_lies_nearer_or_is_padded_less(places, size):
    """Compared with every window of that side in a small picture."""
    boxes = _boxes(*[(x / 15, y / 15, (x + w) / 15, (y + h) / 15) for x, y, w, h in places])
    picture = (0, 0, *size)
    needed = _needed(boxes, picture)
    left, top, side = crop_window(boxes, picture)
    corners = range(-side, max(size) + side)
    rivals = [
        (x, y)
        for x, y in itertools.product(corners, corners)
        if x <= needed[0] and y <= needed[1]
        if x + side >= needed[2] and y + side >= needed[3]
    ]
    assume(rivals)
    shares = {rival: padding_share((*rival, side), picture) for rival in rivals}
    least = min(shares.values())
    assert padding_share((left, top, side), picture) <= least + 1e-9
    middle = np.array(_around(*_union(boxes), 0)[0]) - side / 2
    nearest = min(np.abs(np.array(r) - middle).max() for r in rivals if shares[r] <= least + 1e-9)
    assert np.abs(np.array((left, top)) - middle).max() <= nearest + 2


def _union(boxes):
    return boxes[:, :2].min(axis=0), boxes[:, 2:].max(axis=0)


@given(PICTURES, st.tuples(*[st.integers(-50, 900)] * 2, st.integers(2, 800)))
@settings(max_examples=60, deadline=None)
def test_the_share_is_that_of_pixels_counted_one_by_one(picture, window):
    left, top, side = window
    columns = sum(picture[0] <= x < picture[2] for x in range(left, left + side))
    rows = sum(picture[1] <= y < picture[3] for y in range(top, top + side))
    assert padding_share(window, picture) == pytest.approx(1 - columns * rows / side**2)


def test_no_box_has_no_window():
    with pytest.raises(ValueError, match="at least one box"):
        crop_window(np.zeros((0, 4)), WIDE)
