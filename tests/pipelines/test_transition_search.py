"""Dissolves, fades and flashes through the stage shots with TransNet V2; how takes are divided."""

import numpy as np
import pytest

from talkingface_wild.core.clip import Source
from talkingface_wild.engine.stage import Item, Workplace
from talkingface_wild.media.shot_boundaries import Span, spans
from talkingface_wild.pipelines.planning import plan_of
from talkingface_wild.pipelines.recipe import load_recipe
from talkingface_wild.pipelines.stages import stage_class
from talkingface_wild.pipelines.transition_search import Change, TransitionSearch, joined
from tests.pipelines.conftest import ClipItem


@pytest.fixture
def takes(shared, open_weight, monkeypatch, tmp_path):
    """``takes(FAULT)``: starts, ends and slow dissolves of a video's clips."""
    monkeypatch.setenv("TFW_WEIGHTS", str(open_weight("transnetv2").parent))

    def divide(name):
        folder = shared / "media" / "faults"
        source = Source("s1", "sha256:0", "en", path=name, root=str(folder))
        item = Item("s1", "source", "en", {"source": source.to_json()})
        root = ClipItem(item, Workplace(tmp_path))
        root.measure("probe")
        children = root.outcome("shots", transitions="transnetv2", trim_seconds=0.0).children
        names = ("start_seconds", "end_seconds", "inner_transitions")
        return [tuple(child.values[name] for name in names) for child in children]

    return divide


@pytest.mark.long
@pytest.mark.parametrize(
    ("name", "edges"),
    [
        ("dissolve_300ms.mp4", [(0, 3.04), (3.32, 6.32)]),
        ("dissolve_1s.mp4", [(0, 2.44), (3.28, 5.64)]),
        ("fade_black.mp4", [(0, 2.88), (3.84, 6.5)]),
        ("flashes.mp4", [(0, 6.0)]),
    ],
)
def test_no_clip_holds_a_transition_and_a_flash_is_none(takes, name, edges):
    """PySceneDetect gives one take of two people for the first three, and cuts at a flash."""
    found = takes(name)
    assert [clip[:2] for clip in found] == [pytest.approx(pair, abs=0.09) for pair in edges]
    assert all(clip[2] == 0 for clip in found)


def test_without_it_all_is_as_before(open_weight, monkeypatch, tmp_path):
    shots = stage_class("shots")
    assert "transitions" not in shots.identity(shots.Config())
    monkeypatch.setenv("TFW_WEIGHTS", str(tmp_path))
    auto = shots.Config(transitions="auto")
    assert shots.on_this_machine(auto) == shots.Config() and shots.weights(auto) == ()
    before = plan_of(load_recipe("embedded")).stages
    monkeypatch.setenv("TFW_WEIGHTS", str(open_weight("transnetv2").parent))
    assert shots.weights(auto) == ("transnetv2",)
    after = plan_of(load_recipe("embedded")).stages
    prints = [{p.name: p.fingerprint for p in stages}["shots"] for stages in (before, after)]
    assert prints[0] != prints[1]


def test_a_take_ends_where_a_transition_begins():
    assert spans([(3.0, 4.0)], 0.0, 9.0) == [Span(0.0, 2.8), Span(4.2, 9.0)]
    assert spans([(3.0, 4.0), 6.0], 0.0, 9.0, trim=0.0) == [
        Span(0.0, 3.0),
        Span(4.0, 6.0),
        Span(6.0, 9.0),
    ]
    assert spans([(-1.0, 2.0), (8.0, 9.5)], 0.0, 9.0, trim=0.0) == [Span(2.0, 8.0)]


def test_a_fade_out_and_the_fade_in_are_one_change():
    fades = [Change(2.8, 3.2), Change(3.3, 3.8), Change(6.0, 6.0)]
    assert joined(fades) == (Change(2.8, 3.8), Change(6.0, 6.0))


def test_every_second_frame_of_fifty_a_second_is_looked_at():
    class Counting:
        def judge(self, window):
            return np.zeros((2, 50), np.float32)

    search = TransitionSearch(Counting(), 50.0)
    for place in range(101):
        search.feed(place / 50, np.zeros((18, 32, 3), np.uint8))
    search.finish()
    assert len(search._seconds) == 51 and search.changes == search.doubts == ()
