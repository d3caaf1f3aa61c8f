"""Every network in the pipeline, with weights of the official layouts made by the goldens' filler.

Scores mean nothing under such weights; that the stages load, feed and believe them does.
"""

import base64
import json

import numpy as np
import pandas as pd
import pytest
import torch

from tests.perception.golden import load
from tests.pipelines.curated import tfw
from tests.reference import arcface_onnx, syncnet_distances


@pytest.fixture(scope="module")
def weights(goldens, shared, tmp_path_factory):
    folder = tmp_path_factory.mktemp("official")
    torch.save(load(goldens, "syncnet_embed").state("syncnet_v2"), folder / "syncnet_v2.model")
    torch.save(
        {"params": load(goldens, "hyperiqa").state("hyperiqa_pyiqa")},
        folder / "HyperIQA-resnet50-koniq10k-c96c41b1.pth",
    )
    matrix = np.random.default_rng(0).standard_normal((512, 3))
    arcface_onnx.pooled(folder / "w600k_r50.onnx", matrix)
    store = tmp_path_factory.mktemp("store")
    code, _, said = tfw("weights", "import", folder, "--json", weights=store)
    assert code == 6, said
    assert "--trust" in said
    for source in (folder, shared / "weights"):
        code, _, said = tfw("weights", "import", source, "--trust", "--json", weights=store)
        assert code == 0, said
    return store


@pytest.fixture(scope="module")
def measured(shared, weights, tmp_path_factory):
    out = tmp_path_factory.mktemp("networks") / "out"
    folder = tmp_path_factory.mktemp("clips")
    (folder / "en").mkdir()
    for name in ("may.mp4", "hdtf_hill.mp4"):
        (folder / "en" / name).symlink_to(shared / "media" / "clips" / name)
    code, _, said = tfw(
        "curate",
        "--recipe",
        "embedded",
        "--sources",
        folder,
        "--engine",
        "local",
        "--out",
        out,
        "--json",
        "--set",
        "faces.detector=scrfd_500m",
        "--set",
        "quality.frames=2",
        "--set",
        "quality.whole_frame=false",
        "--set",
        "quality.patches=centre",
        weights=weights,
    )
    assert code == 0, said
    return out, pd.read_parquet(out / "dataset" / "clips")


def test_sync_measures_agree_with_a_naive_score_of_the_kept_embeddings(measured):
    out, clips = measured
    assert len(clips) == 2
    for row in clips.itertuples():
        with np.load(out / row.sync_features) as kept:
            lips, sounds = kept["lips"].astype(np.float64), kept["sounds"].astype(np.float64)
        assert row.sync_windows == len(lips) == row.media_frames - 5
        offset, _, confidence = syncnet_distances.evaluate(lips.tolist(), sounds.tolist(), 15)
        assert row.sync_offset == offset
        assert row.sync_confidence_raw == pytest.approx(confidence, rel=5e-3, abs=5e-3)
        assert row.sync_offset_size == abs(offset)


def test_quality_and_identity_are_filled_and_nothing_says_unmeasured(measured):
    out, clips = measured
    assert clips["quality_crop_mean"].notna().all()
    assert (
        clips["identity_embedding"].map(lambda text: len(base64.b64decode(text))).eq(512 * 2).all()
    )
    assert clips["identity"].notna().all()
    why = json.loads((out / "dataset" / "manifest.json").read_text())["unmeasured"]
    assert not set(why) & {"sync", "quality", "identity"}
    assert "whisper" in why["language"]


def test_without_weights_the_full_recipe_refuses_before_any_download(tmp_path):
    code, found, said = tfw("curate", "--langs", "all", "--out", tmp_path / "none", "--json")
    assert code == 4
    assert found["ok"] is False
    assert "syncnet_v2" in said and "tfw weights import" in said
    assert "Traceback" not in said
    assert said.strip().count("\n") == 0
    assert not (tmp_path / "none" / "downloads").exists()


def test_with_weights_and_no_network_the_full_recipe_says_so(weights, tmp_path):
    code, _, said = tfw(
        "curate",
        "--langs",
        "all",
        "--out",
        tmp_path / "none",
        "--set",
        "faces.detector=scrfd_2.5g",
        "--json",
        weights=weights,
    )
    assert code == 1
    assert "network" in said.lower()
    assert "Traceback" not in said
    assert said.strip().count("\n") == 0


def test_a_wrong_setting_names_the_nearest_and_exits_3(tmp_path):
    code, _, said = tfw(
        "curate", "--recipe", "embedded", "--set", "faces.detectr=haar", "--out", tmp_path, "--json"
    )
    assert code == 3
    assert "detector" in said
    code, _, said = tfw("curate", "--recipe", "embeded", "--out", tmp_path, "--json")
    assert code == 3
    assert "embedded" in said
