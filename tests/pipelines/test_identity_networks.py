"""Persons by whichever network is there: what is chosen, each network's own bounds, the count."""

import shutil

import numpy as np
import pandas as pd
import pytest

from talkingface_wild.pipelines.identity_networks import (
    ARCFACE,
    DLIB,
    count_range,
    embedding_text,
    embeddings,
    network_here,
)
from talkingface_wild.pipelines.planning import plan_of
from talkingface_wild.pipelines.recipe import load_recipe
from talkingface_wild.pipelines.stages import stage_class
from tests.pipelines.conftest import ClipItem


def at_cosines(*cosines):
    """Unit vectors in a plane, each at this cosine from the first."""
    angles = np.arccos([1.0, *cosines])
    return np.stack([np.cos(angles), np.sin(angles)], axis=1)


def table(network, vectors):
    rows = {
        "clip_id": [f"c{place}" for place in range(len(vectors))],
        "identity_network": network,
        "identity_embedding": [embedding_text(vector) for vector in vectors],
        "channel": None,
        "source_sha256": [f"s{place}" for place in range(len(vectors))],
        "root_id": [f"r{place}" for place in range(len(vectors))],
    }
    return pd.DataFrame(rows).set_index("clip_id", drop=False)


def identities(rows, **settings):
    stage = stage_class("identities")
    return stage(stage.Config(**settings), None).compute(rows)


@pytest.mark.parametrize(
    ("network", "cosine", "persons"), [(ARCFACE, 0.5, 1), (ARCFACE, 0.4, 2), (DLIB, 0.96, 1)]
)
def test_each_network_has_its_own_bound(network, cosine, persons):
    """By ArcFace's .45 all faces that dlib ever sees are one person: their cosines begin at .8."""
    rows = table(network, at_cosines(cosine))
    assert identities(rows)["identity"].nunique() == persons
    assert identities(table(DLIB, at_cosines(0.5)))["identity"].nunique() == 2
    assert identities(rows, merge_cosine=0.99)["identity"].nunique() == 2


def test_the_split_keeps_together_what_may_be_one_person():
    doubt = identities(table(DLIB, at_cosines(0.948)))
    assert doubt["identity"].nunique() == 2 and doubt["identity_group"].nunique() == 1


def test_a_set_of_before_networks_were_named_is_arcfaces():
    rows = table(ARCFACE, at_cosines(0.5)).assign(identity_network=None)
    assert identities(rows)["identity"].nunique() == 1


def test_the_count_comes_with_how_far_it_hangs_on_the_bound():
    rows = table(DLIB, at_cosines(0.948, 0.2))
    assert identities(rows)["identity"].nunique() == 3
    assert count_range(rows) == (2, 3)
    assert count_range(rows.assign(identity_embedding=None)) is None


def test_arcface_is_taken_where_it_is_and_else_dlib_is_named(tmp_path, monkeypatch, open_weight):
    monkeypatch.setenv("TFW_WEIGHTS", str(tmp_path))
    assert (network_here("auto"), network_here(ARCFACE)) == (DLIB, ARCFACE)
    recipe = load_recipe("embedded")
    lacking = {planned.name: planned.unmeasured for planned in plan_of(recipe).stages}
    assert "weight dlib_identity is missing" in lacking["identity"]
    for name in ("dlib_identity", "dlib_points"):
        shutil.copy(open_weight(name), tmp_path)
    pytest.importorskip("dlib", reason="the extra identity is not installed")
    planned = {planned.name: planned for planned in plan_of(recipe).stages}["identity"]
    assert planned.unmeasured is None and planned.config.network == DLIB


def test_dlib_measures_a_clip(clip_item: ClipItem, open_weight, monkeypatch):
    pytest.importorskip("dlib", reason="the extra identity is not installed")
    for name in ("centerface", "dlib_identity", "dlib_points"):
        monkeypatch.setenv("TFW_WEIGHTS", str(open_weight(name).parent))
    clip_item.measure("faces", detector="centerface", size=320, padding=0.1)
    values = clip_item.measure("identity", network=DLIB)
    assert values["identity_network"] == DLIB
    vectors = embeddings(pd.Series([values["identity_embedding"]]))
    assert vectors.shape == (1, 128)
    assert np.linalg.norm(vectors) == pytest.approx(1, abs=1e-3)
    assert 0.96 < values["identity_agreement"] <= 1
