"""The state of a generation on the disk: all of it, in one small file, or a sentence."""

import pytest
import torch

from talkingface_wild.core.errors import InputUnreadable
from talkingface_wild.jobs.generate.state_file import load_state, save_state
from talkingface_wild.models.mcdm.rollout import GenerationState
from tests.models.mcdm.small import through_a_file


def _state():
    draws = torch.Generator().manual_seed(0)
    return GenerationState(
        reference_CHW=torch.randn(4, 2, 2, generator=draws),
        image_SE=torch.randn(1, 6, generator=draws),
        archive_ACHW=torch.randn(3, 4, 2, 2, generator=draws),
        seed=7,
        position=24,
        tokens_FKT=torch.randn(8, 3, 5, generator=draws),
        memory={
            0: {0: torch.randn(1, 4, 8, generator=draws).to(torch.bfloat16)},
            3: {2: torch.randn(2, 4, 8, generator=draws), 11: torch.randn(2, 8, generator=draws)},
        },
        look={"portrait.red": 0.25},
        retries=2,
    )


def test_everything_comes_back_to_the_bit(tmp_path):
    state, path = _state(), tmp_path / "new" / "v.mp4.state.safetensors"
    save_state(path, state.packed(), {"asked": "this", "length": "123"})
    packed, notes = load_state(path)
    back = GenerationState.unpacked(packed)
    assert notes == {"asked": "this", "length": "123"}
    for name in ("reference_CHW", "image_SE", "archive_ACHW", "tokens_FKT"):
        assert torch.equal(getattr(back, name), getattr(state, name)), name
    assert (back.seed, back.position, back.retries, back.look) == (7, 24, 2, {"portrait.red": 0.25})
    assert {k: set(v) for k, v in back.memory.items()} == {0: {0}, 3: {2, 11}}
    assert back.memory[0][0].dtype == torch.bfloat16
    assert torch.equal(back.memory[3][11], state.memory[3][11])


def test_a_state_without_memory_or_tokens_comes_back_without(tmp_path):
    state = _state()
    state.memory, state.tokens_FKT = {}, None
    back = through_a_file(state, tmp_path / "s.safetensors")
    assert back.memory == {} and back.tokens_FKT is None


def test_a_save_that_breaks_off_leaves_the_last_one(tmp_path, monkeypatch):
    path = tmp_path / "s.safetensors"
    save_state(path, _state().packed(), {})
    before = path.read_bytes()
    monkeypatch.setattr("safetensors.torch.save_file", _half_written)
    with pytest.raises(RuntimeError):
        save_state(path, _state().packed(), {})
    assert path.read_bytes() == before
    assert [entry.name for entry in tmp_path.iterdir()] == ["s.safetensors"]


def _half_written(tensors, path, header):
    path.write_bytes(b"half")
    raise RuntimeError("the power went")


def test_moving_moves_all_of_it_and_leaves_the_old_one():
    state = _state()
    moved = state.to("meta")
    tensors = [moved.reference_CHW, moved.image_SE, moved.archive_ACHW, moved.tokens_FKT]
    tensors += [rows for blocks in moved.memory.values() for rows in blocks.values()]
    assert {t.device.type for t in tensors} == {"meta"}
    assert (moved.seed, moved.position, moved.retries) == (7, 24, 2)
    assert state.reference_CHW.device.type == "cpu"


@pytest.mark.parametrize("content", [b"", b"no tensors", None])
def test_what_is_no_state_is_refused_in_a_sentence(tmp_path, content):
    path = tmp_path / "s.safetensors"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(InputUnreadable, match="Expected a state of tfw generate"):
        load_state(path)


def test_other_tensors_are_no_state(tmp_path):
    from safetensors.torch import save_file

    save_file({"a": torch.zeros(1)}, tmp_path / "s.safetensors")
    with pytest.raises(InputUnreadable, match="found another file"):
        load_state(tmp_path / "s.safetensors")
