"""Hashes of weights: of files, of tensors."""

import hashlib

import pytest
import torch
from safetensors.torch import save_file

from talkingface_wild.models.weights_hash import tensors_sha256, weights_sha256


def test_the_weights_hash_is_of_names_and_contents(tmp_path):
    one, two = tmp_path / "one", tmp_path / "two"
    for folder in (one, two):
        (folder / "unet").mkdir(parents=True)
        save_file({"a": torch.arange(3.0)}, folder / "unet" / "model.safetensors")
        save_file({"b": torch.ones(2)}, folder / "vae.safetensors")
    (two / "config.json").write_text("{}")
    lines = [
        f"{name} {hashlib.sha256((one / name).read_bytes()).hexdigest()}\n"
        for name in ("unet/model.safetensors", "vae.safetensors")
    ]
    assert weights_sha256(one) == hashlib.sha256("".join(lines).encode()).hexdigest()
    assert weights_sha256(one) == weights_sha256(two)
    save_file({"b": torch.full((2,), 2.0)}, two / "vae.safetensors")
    assert weights_sha256(one) != weights_sha256(two)


@pytest.mark.parametrize("change", ["value", "dtype", "name"])
def test_the_tensors_hash_sees_every_change(change):
    made = torch.nn.Linear(3, 2)
    same = torch.nn.Linear(3, 2)
    same.load_state_dict(made.state_dict())
    before = tensors_sha256({"net": made})
    assert tensors_sha256({"net": same}) == before
    if change == "value":
        with torch.no_grad():
            same.weight[0, 0] += 1e-3
    elif change == "dtype":
        same.to(torch.bfloat16)
    name = "other" if change == "name" else "net"
    assert tensors_sha256({name: same}) != before
