"""``--commercial-only`` bars at plan time what may not be used in what is sold."""

import pytest

from talkingface_wild.core.errors import UsageError
from talkingface_wild.jobs.curate.request import CurateRequest
from talkingface_wild.jobs.curate.run import recipe_of
from talkingface_wild.weights import default_store


def recipe(tmp_path, name, *settings):
    return recipe_of(
        CurateRequest(out=tmp_path / "x", recipe=name, settings=settings, commercial_only=True)
    )


def test_a_network_that_the_recipe_requires_is_barred_with_its_licence(tmp_path):
    with pytest.raises(UsageError, match=r"scrfd_10g of the stage faces .InsightFace.*--set"):
        recipe(tmp_path, "talkingface_wild")


def test_one_that_is_used_only_where_it_is_there_is_barred_there_alone(
    tmp_path, shared, monkeypatch
):
    monkeypatch.setenv("TFW_WEIGHTS", str(tmp_path / "weights"))
    assert recipe(tmp_path, "embedded", "faces.detector=haar").name == "embedded"
    choice = ("embedded", "faces.detector=scrfd_2.5g", "faces.weights=optional")
    recipe(tmp_path, *choice)
    default_store().place("scrfd_2.5g", shared / "weights" / "scrfd_2.5g_kps.onnx", "a test")
    with pytest.raises(UsageError, match=r"scrfd_2\.5g"):
        recipe(tmp_path, *choice)
