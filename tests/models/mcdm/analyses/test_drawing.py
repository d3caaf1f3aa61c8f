"""The frame of every picture: its size, its cautions, no half-written file."""

import numpy as np
import pytest
from PIL import Image

from talkingface_wild.models.mcdm.analyses.drawing import CAUTION, plate, widen, write_table


def drawn(path, cautions=(), notes=()):
    with plate(path, 2.0, "A title", notes, cautions) as figure:
        figure.subplots().plot([0, 1], [0, 1], color="black")
    return Image.open(path)


def red(picture):
    """How many pixels have the colour of a caution."""
    wanted = tuple(int(CAUTION[at : at + 2], 16) for at in (1, 3, 5))
    return int((np.asarray(picture.convert("RGB")) == wanted).all(axis=-1).sum())


def test_pictures_are_1200_pixels_wide_and_higher_with_more_lines(tmp_path):
    plain = drawn(tmp_path / "a.png")
    told = drawn(tmp_path / "b.png", ["It is small.", "It is untrained."], ["A note. " * 40])
    assert plain.width == told.width == 1200
    assert told.height > plain.height + 100


def test_a_caution_is_visible_and_in_the_files_words(tmp_path):
    plain, told = drawn(tmp_path / "a.png"), drawn(tmp_path / "b.png", ["It is untrained."])
    assert red(plain) == 0
    assert red(told) > 300
    assert "It is untrained." in told.text["Description"]
    assert "generated" in plain.text["Description"]


def test_nothing_is_written_when_drawing_fails(tmp_path):
    with pytest.raises(ValueError), plate(tmp_path / "a.png", 2.0, "A title", [], []):
        raise ValueError
    assert list(tmp_path.iterdir()) == []


def test_an_axis_spans_at_least_what_it_should(tmp_path):
    with plate(tmp_path / "a.png", 2.0, "A title", [], []) as figure:
        axes = figure.subplots()
        axes.set_ylim(0.5, 0.51)
        widen(axes, 0.1)
        low, high = axes.get_ylim()
        assert high - low == pytest.approx(0.1)
        assert (low + high) / 2 == pytest.approx(0.505)
        axes.set_ylim(0, 1)
        widen(axes, 0.1)
        assert axes.get_ylim() == (0, 1)


def test_tables_leave_missing_values_empty(tmp_path):
    rows = [{"a": 1, "b": 0.123456789}, {"a": None, "c": float("nan"), "b": "x, y"}]
    write_table(tmp_path / "t.csv", rows)
    assert (tmp_path / "t.csv").read_text() == 'a,b,c\n1,0.123457,\n,"x, y",\n'
