"""The stage ``mesh`` on a real talking face and on a photograph of it with the same voice."""

import numpy as np
import pytest

from talkingface_wild.functional.lips_shape import sound_windows, windows_of_steps
from talkingface_wild.pipelines.clip_crops import MESHES, ensure_meshes
from talkingface_wild.pipelines.source_proxy import span_samples
from tests.pipelines.conftest import ClipItem


@pytest.fixture
def open_machine(open_weight, monkeypatch):
    """A machine that has the open weights."""
    for name in ("centerface", "face_mesh", "iris", "silero_vad"):
        monkeypatch.setenv("TFW_WEIGHTS", str(open_weight(name).parent))


def test_a_talking_face(open_machine, clip_item: ClipItem):
    clip_item.measure("faces")
    values = clip_item.measure("mesh")
    assert values["mesh_presence_ratio"] == 1
    assert values["mesh_yaw_p90"] < 25 and values["mesh_pitch_p90"] < 25
    assert values["mouth_visible_ratio"] > 0.9
    assert 0.01 < values["mouth_opening_p90"] < 1
    kept = np.load(clip_item.place.out / values["mesh_track"], allow_pickle=False)
    meshes = ensure_meshes(clip_item.item, clip_item.place)
    points = kept["points"] * kept["widths"][:, None, None] + kept["middles"][:, None]
    # Float16 in distances between the eyes: a fiftieth of a pixel here.
    np.testing.assert_allclose(points, meshes.points, atol=0.3)
    samples = span_samples(clip_item.item, clip_item.place)
    frames = len(meshes.confidences)
    windows = windows_of_steps(kept["cepstra"].astype(np.float64))
    np.testing.assert_allclose(windows, sound_windows(samples, frames), atol=0.05)
    assert (MESHES.folder(clip_item.item, clip_item.place) / "meshes.npz").exists()
