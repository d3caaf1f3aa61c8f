"""What stands beside an unfinished video: saved often enough, and held to what was asked."""

import pytest
import torch

from talkingface_wild.core.errors import UsageError
from talkingface_wild.core.generator import State
from talkingface_wild.jobs.generate import resume as module
from talkingface_wild.jobs.generate.resume import UnfinishedVideo, refuse_other

ASKED = {"seed": 1, "weights": "w", "sampling": {"steps": 2}, "crop": ["auto", False]}


def _state(position):
    return State(position, {"archive": torch.zeros(2, 2, 2, 2)}, {"seed": 0})


def test_the_first_state_is_saved_at_once_and_later_ones_as_saving_is_cheap(tmp_path, monkeypatch):
    """Saving takes a twentieth of the time at most, however large a state is."""
    now = [100.0]
    monkeypatch.setattr(module.time, "monotonic", lambda: now[0])
    save = module.save_state

    def slow(*args):
        now[0] += 2.0
        save(*args)

    monkeypatch.setattr(module, "save_state", slow)
    half_made = UnfinishedVideo(tmp_path / "v.mp4")
    kept = []
    for clip in range(1, 61):
        now[0] += 1.0
        half_made.offer(_state(8 * clip), 100 * clip, ASKED)
        state, length, asked = half_made.load()
        assert length * 8 == state.position * 100 and asked == ASKED
        kept.append(state.position // 8)
    assert kept[0] == 1
    assert sorted(set(kept)) == [1, 41]
    half_made.save(ASKED)
    assert half_made.load()[0].position == 480


def test_the_same_request_goes_on_and_another_is_told_by_its_option(tmp_path):
    refuse_other(ASKED, dict(ASKED), tmp_path / "v.mp4")
    refuse_other({**ASKED, "crop": ("auto", False)}, ASKED, tmp_path / "v.mp4")
    changes = {
        "seed": (2, "--seed"),
        "sampling": ({"steps": 3}, "--steps"),
        "crop": (["haar", False], "--detector"),
        "weights": ("x", "--checkpoint"),
    }
    for name, (value, option) in changes.items():
        with pytest.raises(UsageError, match=option):
            refuse_other({**ASKED, name: value}, ASKED, tmp_path / "v.mp4")


def test_without_a_state_nothing_is_left_and_with_one_all_is(tmp_path):
    half_made = UnfinishedVideo(tmp_path / "v.mp4")
    with half_made.alone():
        half_made.video.raw.write_bytes(b"pictures")
        half_made.sound_path.write_bytes(b"sound")
    assert list(tmp_path.iterdir()) == []
    with half_made.alone():
        half_made.video.raw.write_bytes(b"pictures")
        half_made.offer(_state(8), 8, ASKED)
    assert half_made.there and half_made.video.length == 8
    half_made.forget()
    assert list(tmp_path.iterdir()) == []
