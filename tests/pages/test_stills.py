"""Stills show the instants they should: the videos' grey level tells the time."""

import cv2
import numpy as np
import pytest

from talkingface_wild.core.outcome import ItemFailed
from talkingface_wild.dataset.snapshot import read_recorded
from talkingface_wild.pages.stills import FileSpan, finished_span, jpeg, source_span, stills
from tests.dataset.fixture import finished_path, grey_at, make_data_set, write_ramp


def test_stills_are_the_middles_of_equal_parts(read_only):
    span = FileSpan(read_only.out / "videos/en/one.mp4", 8.0, 20.0)
    shown = stills(span, 6, 64)
    assert len(shown) == 6
    for index, picture in enumerate(shown):
        assert picture.shape == (32, 64, 3)
        assert picture.mean() == pytest.approx(grey_at(9 + 2 * index), abs=3)


def test_one_still_is_the_middle_of_the_clip(read_only):
    recorded = read_recorded(read_only.out)
    span = source_span(recorded, read_only.clip("en/two.mp4", 1))
    assert (span.start_seconds, span.end_seconds) == (8.0, 16.0)
    (picture,) = stills(span, 1, 160)
    assert picture.mean() == pytest.approx(grey_at(12), abs=3)
    decoded = cv2.imdecode(np.frombuffer(jpeg(picture), np.uint8), cv2.IMREAD_COLOR)
    assert decoded.shape == picture.shape
    assert decoded.mean() == pytest.approx(picture.mean(), abs=3)


def test_a_source_that_is_gone_and_a_clip_that_was_never_made(data_set):
    recorded = read_recorded(data_set.out)
    clip = data_set.clip("en/one.mp4", 0)
    with pytest.raises(ItemFailed, match="file_missing"):
        source_span(recorded, clip)
    assert finished_span(recorded, clip) is None
    write_ramp(data_set.out / finished_path(clip), 10)
    finished = finished_span(recorded, clip)
    assert (finished.start_seconds, finished.end_seconds) == (0.0, 10.0)


def test_a_table_cannot_lead_outside_the_store(tmp_path):
    made = make_data_set(tmp_path / "out")
    outside = tmp_path / "secret.mp4"
    write_ramp(outside, 1)
    recorded = read_recorded(made.out)
    clip = made.clip("en/one.mp4", 0)
    recorded.items.loc[clip, "media_path"] = "store/../../secret.mp4"
    assert finished_span(recorded, clip) is None
