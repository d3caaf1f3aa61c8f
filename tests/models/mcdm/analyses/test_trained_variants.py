"""Where a model and its variants lie, and the cautions that pictures carry."""

import pytest

from talkingface_wild.core.errors import InputUnreadable
from talkingface_wild.models.mcdm.variants import Checkpoint, cautions
from tests.models.mcdm.made import made_parts


@pytest.fixture(scope="module")
def training(tmp_path_factory):
    folder = tmp_path_factory.mktemp("training")
    made_parts().save(folder / "model")
    made_parts("temporal.kind=standard").save(folder / "variants" / "no_mta" / "model")
    return folder


@pytest.mark.parametrize("inner", [".", "model"])
def test_a_training_folder_and_its_model_are_the_same_checkpoint(training, inner):
    found = Checkpoint.find((training / inner).resolve())
    assert found == Checkpoint(training / "model", training)
    parts = found.load()
    assert not parts.unet.training
    assert found.variant("no_mta", parts).config.temporal.kind == "standard"
    assert found.variant("no_archive", parts) is None
    assert found.variant_folder("no_archive") is None


def test_another_folder_is_none(tmp_path):
    with pytest.raises(InputUnreadable, match="Expected an MCDM checkpoint"):
        Checkpoint.find(tmp_path)


def test_a_small_or_half_trained_model_is_told():
    trained = {"stages": {"1": {}, "2": {}, "3": {}}}
    assert cautions(256, {"The model": trained}) == []
    assert "64-pixel" in cautions(64, {"The model": trained})[0]
    assert cautions(512, {"The model": trained, "B": {"stages": {"1": {}}}, "C": {}}) == [
        "B is not fully trained (stages done: 1).",
        "C is not fully trained (stages done: none).",
    ]
