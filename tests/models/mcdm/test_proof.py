"""The proof as a marked test: ``pytest -m proof``, or ``make proof`` with its table and strips."""

from pathlib import Path

import pytest
import torch

from talkingface_wild.models.mcdm import preset
from tests.models.mcdm.proof import BOUNDS, SETTINGS, prove, table


@pytest.mark.proof
@pytest.mark.parametrize("name", sorted(BOUNDS))
def test_three_stages_make_a_mouth_follow_its_sound(name: str, shared: Path, tmp_path: Path):
    torch.set_num_threads(1)
    config = preset("tiny").changed(SETTINGS)
    proof = prove(shared / "media" / "clips" / f"{name}.mp4", tmp_path, config, watch=False)
    short = [check for check, (_, _, holds) in proof.checks(BOUNDS[name]).items() if not holds]
    assert not short, table(proof, BOUNDS[name])
