"""A clip's file of features: what comes back, what is left on the disk, what cannot be read."""

import pytest
import torch
from safetensors.torch import save_file

from talkingface_wild.core.errors import InputUnreadable
from talkingface_wild.models.mcdm.training.clip_features import CachedClip
from talkingface_wild.models.training import clip_file


def clip(name="a", split="train", **more):
    draws = torch.Generator().manual_seed(len(name))

    def bytes_of(side):
        return torch.randint(0, 256, (6, side, side, 3), generator=draws, dtype=torch.uint8)

    return CachedClip(
        clip_id=name,
        latents_TCHW=torch.randn(6, 8, 16, 16, generator=draws).half(),
        sound_TE=torch.randn(6, 80, generator=draws),
        image_TE=torch.randn(6, 128, generator=draws),
        lips_TSSC=bytes_of(24),
        face_TSSC=bytes_of(32),
        facts={"split": split, "identity": "Ünal", "language": "tr", "mouth_from": "box"},
        **more,
    )


def tensors(found):
    return {name: value for name, value in vars(found).items() if isinstance(value, torch.Tensor)}


def test_a_clip_comes_back_to_the_bit(tmp_path):
    saved = clip(tokens_TKW=torch.randn(6, 3, 32), landmarks_TP2=torch.rand(6, 5, 2))
    saved.save(tmp_path / "a.safetensors")
    found = CachedClip.load(tmp_path / "a.safetensors", crops=True)
    assert (found.clip_id, found.facts, found.frames) == ("a", saved.facts, 6)
    assert tensors(found).keys() == tensors(saved).keys()
    for name, value in tensors(saved).items():
        assert torch.equal(getattr(found, name), value)
        assert getattr(found, name).dtype == value.dtype
    assert found.head_TSSC is None and found.predicted_TKW is None


def test_crops_are_read_only_when_asked_for(tmp_path):
    clip(head_TSSC=torch.zeros(6, 32, 32, 3, dtype=torch.uint8)).save(tmp_path / "a.safetensors")
    found = CachedClip.load(tmp_path / "a.safetensors")
    assert found.lips_TSSC.numel() == found.face_TSSC.numel() == 0
    assert found.head_TSSC is None and found.frames == 6


def test_slices_are_saved_alone(tmp_path):
    whole = clip()
    whole.latents_TCHW = torch.randn(500, 8, 16, 16)[::100][:5]
    whole.save(tmp_path / "a.safetensors")
    assert (tmp_path / "a.safetensors").stat().st_size < 200_000


def test_a_write_that_fails_leaves_the_file_that_was_there(tmp_path, monkeypatch):
    path = tmp_path / "a.safetensors"
    clip().save(path)
    before = path.read_bytes()

    def broken(tensors, target, header):
        target.write_bytes(b"half")
        raise RuntimeError("killed")

    monkeypatch.setattr(clip_file, "save_file", broken)
    with pytest.raises(RuntimeError):
        clip(tokens_TKW=torch.ones(6, 3, 32)).save(path)
    assert path.read_bytes() == before
    assert [entry.name for entry in tmp_path.iterdir()] == ["a.safetensors"]


@pytest.mark.parametrize("harm", ["cut", "text", "gone", "foreign", "lacking"])
def test_what_is_no_clip_is_named(tmp_path, harm):
    path = tmp_path / "a.safetensors"
    clip().save(path)
    if harm == "cut":
        path.write_bytes(path.read_bytes()[:-100])
    elif harm == "text":
        path.write_text("no features")
    elif harm == "gone":
        path.unlink()
    elif harm == "foreign":
        save_file({"latents_TCHW": torch.zeros(2, 1, 1, 1)}, path, {"format": "other"})
    else:
        header = {"format": CachedClip.FORMAT, "clip": "a", "facts": "{}"}
        save_file({"latents_TCHW": torch.zeros(2, 1, 1, 1)}, path, header)
    with pytest.raises(InputUnreadable, match=r"a\.safetensors.*run --stage features again"):
        CachedClip.load(path)


def test_a_folder_is_read_by_name_and_by_split(tmp_path):
    for name, split in (("c", "train"), ("a", "val"), ("b", "train")):
        clip(name, split).save(tmp_path / f"{name}.safetensors")
    assert [found.clip_id for found in CachedClip.read_folder(tmp_path)] == ["a", "b", "c"]
    assert [found.clip_id for found in CachedClip.read_folder(tmp_path, split="train")] == [
        "b",
        "c",
    ]
    assert CachedClip.read_folder(tmp_path, crops=True)[0].lips_TSSC.shape == (6, 24, 24, 3)
    with pytest.raises(InputUnreadable, match="split 'test'.*--stage features"):
        CachedClip.read_folder(tmp_path, split="test")
    with pytest.raises(InputUnreadable, match="--stage features"):
        CachedClip.read_folder(tmp_path / "nowhere")
