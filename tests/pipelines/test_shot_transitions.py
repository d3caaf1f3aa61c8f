"""The stage ``shots`` with TransNet V2: dissolves, fades and flashes of known place."""

import shutil

import pytest

from talkingface_wild.pipelines.planning import plan_of
from talkingface_wild.pipelines.recipe import load_recipe
from talkingface_wild.pipelines.stages.shots import Shots, ShotsConfig
from tests.pipelines.conftest import source_item


@pytest.fixture
def machine(monkeypatch, tmp_path):
    """A machine without weights; the folder where they would lie."""
    folder = tmp_path / "weights"
    folder.mkdir()
    monkeypatch.setenv("TFW_WEIGHTS", str(folder))
    return folder


def _takes(path, out, **settings):
    """(start, end) of each clip, and how many cuts and doubtful places each holds."""
    outcome = source_item(path, out).outcome("shots", second_look=True, **settings)
    values = [child.values for child in outcome.children]
    spans = [(clip["start_seconds"], clip["end_seconds"]) for clip in values]
    return spans, [(clip["inner_cuts"], clip["inner_transitions"]) for clip in values]


@pytest.mark.long
@pytest.mark.parametrize(
    ("name", "begin", "end"),
    [
        ("dissolve_300ms", 76, 83),
        ("dissolve_1s", 61, 82),
        # Half a second out from 2.8 s on, half a second in until 3.8 s.
        ("fade_black", 71, 96),
    ],
)
def test_no_clip_holds_a_part_of_a_dissolve_or_a_fade(
    machine, open_weight, shared, tmp_path, name, begin, end
):
    """Frames of 25 a second, within one of the first and of the last."""
    shutil.copy(open_weight("transnetv2"), machine)
    path = shared / "media" / "faults" / f"{name}.mp4"
    spans, inner = _takes(path, tmp_path, transitions="transnetv2", trim_seconds=0.2)
    (first, before), (after, last) = spans
    assert before == pytest.approx(begin / 25 - 0.2, abs=0.045)
    assert after == pytest.approx(end / 25 + 0.2, abs=0.045)
    assert (first, last) == (0, source_item(path, tmp_path).item.values["usable_end_seconds"])
    assert inner == [(0, 0), (0, 0)]


@pytest.mark.long
def test_a_flash_is_no_cut_and_hard_cuts_are_where_they_were(
    machine, open_weight, shared, tmp_path
):
    """Two flashes of one frame, at 1.6 and 3.6 s, in one take; and a jump of a face, which the
    network does not see.
    """
    shutil.copy(open_weight("transnetv2"), machine)
    flashes = shared / "media" / "faults" / "flashes.mp4"
    assert _takes(flashes, tmp_path, transitions="transnetv2") == ([(0.0, 6.0)], [(0, 0)])
    cut = shared / "media" / "clips" / "head_1.mp4"
    with_network, _ = _takes(cut, tmp_path, transitions="transnetv2")
    assert with_network == _takes(cut, tmp_path)[0]
    assert len(with_network) == 2


def test_without_the_network_all_is_as_it_was(machine, shared, tmp_path):
    faults = shared / "media" / "faults"
    spans, inner = _takes(faults / "dissolve_1s.mp4", tmp_path, transitions="auto")
    assert len(spans) == 1 and inner == [(0, None)]
    assert len(_takes(faults / "flashes.mp4", tmp_path)[0]) == 2


def test_what_is_left_open_is_chosen_by_the_weight_and_measures_anew(machine, open_weight):
    def prints(*settings):
        recipe = load_recipe("embedded", settings)
        return {planned.name: planned.fingerprint for planned in plan_of(recipe).stages}

    before = prints("shots.transitions=none")
    assert before == prints("shots.transitions=auto")
    assert "transitions" not in Shots.identity(ShotsConfig()), "results of before stay valid"
    assert Shots.weights(ShotsConfig(transitions="auto")) == ()
    shutil.copy(open_weight("transnetv2"), machine)
    assert Shots.weights(ShotsConfig()) == ()
    assert Shots.weights(ShotsConfig(transitions="auto")) == ("transnetv2",)
    assert Shots.weights(ShotsConfig(transitions="transnetv2")) == ("transnetv2",)
    assert prints("shots.transitions=none") == before
    now = prints("shots.transitions=auto")
    assert now == prints("shots.transitions=transnetv2") and now["shots"] != before["shots"]
