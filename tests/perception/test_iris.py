"""Eyes on real clips: outlines where the mesh has the eyes, and blinks that were seen in frames."""

import re

import numpy as np
import pytest

from talkingface_wild.core.errors import WeightMissing
from talkingface_wild.functional.eye_blinks import blinks, blinks_per_minute, eye_openness
from talkingface_wild.functional.face_region import region_of_box
from talkingface_wild.perception.face_detector import make_detector
from talkingface_wild.perception.face_mesh import FaceMesh
from talkingface_wild.perception.iris import IrisNetwork
from tests.perception.sampled import pictures

BLINKS = {
    "may": (25.0, [7, 100]),
    "head_1": (25.0, [43, 118, 170]),
    "head_3": (29.97, [24, 112]),
    "selfie_18": (30.0, [96, 186]),
    "hdtf_ocasio": (25.0, [11, 26, 35, 56, 80, 98, 110, 130, 150, 178]),
    "synthetic_17": (25.0, []),
}
"""Frames a second, and frames from 0 in which the lids were seen shut (half shut at head_3's 112
and hdtf_ocasio's 26), in strips of every second or third frame of the whole clip."""
LATEST = 0.2
"""Seconds between the frame that was noted, of every second or third, and the one measured."""
SHUT = {"may": (6, 100), "selfie_18": (94, 96, 186), "hdtf_ocasio": (10, 56, 130)}
OPEN = {"may": (0, 40, 80, 120), "selfie_18": (0, 60, 140, 210), "hdtf_ocasio": (0, 50, 120, 190)}


@pytest.fixture(scope="module")
def iris(open_weight):
    return IrisNetwork(open_weight("iris")).open()


@pytest.fixture(scope="module")
def seen(shared, open_weight, iris):
    """``seen(stem)``: meshes of every frame of a clip, and its eyes; both made once."""
    detector = make_detector("centerface", open_weight("centerface")).open()
    mesh = FaceMesh(open_weight("face_mesh")).open()
    clips = {}

    def find(rgb):
        faces = detector.detect(rgb)
        return (
            region_of_box(faces.boxes_N5[0], faces.points_N52[0]) if len(faces.boxes_N5) else None
        )

    def look(stem):
        if stem not in clips:
            shown = pictures(shared / "media" / "clips" / f"{stem}.mp4", 1000.0)
            meshes = mesh.follow(shown, find)
            clips[stem] = (meshes, iris.look(shown, meshes.points_N4683))
        return clips[stem]

    return look


@pytest.mark.parametrize("stem", sorted(BLINKS))
def test_blinks_are_where_they_were_seen(seen, stem):
    fps, frames = BLINKS[stem]
    openness_T = eye_openness(seen(stem)[1].outlines_N2_71_3).mean(axis=1)
    times = blinks(openness_T, fps)
    assert len(times) == len(frames), times * fps
    assert np.abs(times - np.array(frames) / fps).max(initial=0.0) <= LATEST
    seconds = np.isfinite(openness_T).sum() / fps
    assert blinks_per_minute(openness_T, fps) == pytest.approx(60 * len(frames) / seconds)


@pytest.mark.parametrize("stem", sorted(SHUT))
def test_each_eye_is_open_or_shut_as_seen(seen, stem):
    openness_T2 = eye_openness(seen(stem)[1].outlines_N2_71_3)
    assert openness_T2[list(OPEN[stem])].min() > 0.24
    assert openness_T2[list(SHUT[stem])].max() < 0.2


def test_where_there_is_no_face_there_are_no_eyes(seen):
    """head_1 ends on the mark of an application, from 10.8 s on."""
    meshes, eyes = seen("head_1")
    assert np.isnan(eyes.outlines_N2_71_3[272:]).all() and np.isnan(eyes.irises_N253[272:]).all()
    assert np.isfinite(eyes.outlines_N2_71_3[:260]).all()
    assert (meshes.confidences_N[272:] < 0.5).all()


def test_outlines_lie_on_the_eyes_of_the_mesh_and_irises_within_them(seen):
    meshes, eyes = seen("may")
    for eye, (outer, inner) in enumerate(((33, 133), (263, 362))):
        corners = meshes.points_N4683[:, [outer, inner], :2]
        width_N = np.linalg.norm(corners[:, 1] - corners[:, 0], axis=1)
        outline = eyes.outlines_N2_71_3[:, eye, :, :2]
        apart = np.linalg.norm(outline[:, [0, 8]] - corners, axis=2).mean(axis=1)
        assert (apart / width_N).mean() < 0.12
        low, high = outline[:, [0, 8], 0].min(axis=1), outline[:, [0, 8], 0].max(axis=1)
        middle = eyes.irises_N253[:, eye, 0, 0]
        assert ((middle > low) & (middle < high)).mean() > 0.98
        rim = eyes.irises_N253[:, eye, 1:, :2] - eyes.irises_N253[:, eye, :1, :2]
        # An iris is 11.7 mm wide, the slit between the lids some 28 mm.
        radii = np.linalg.norm(rim, axis=2).mean(axis=1) / width_N
        assert 0.15 < np.median(radii) < 0.3


def test_a_mirrored_picture_exchanges_the_eyes(shared, open_weight, iris):
    rgb = pictures(shared / "media" / "clips" / "may.mp4", 1.0, 1)[0]
    detector = make_detector("centerface", open_weight("centerface")).open()
    mesh = FaceMesh(open_weight("face_mesh")).open()
    box = detector.detect(rgb).boxes_N5[0]
    width = rgb.shape[1]
    other = np.ascontiguousarray(rgb[:, ::-1])
    flipped = np.array([width - box[2], box[1], width - box[0], box[3]])
    points = mesh.look([rgb, other], [region_of_box(box), region_of_box(flipped)]).points_N4683
    eyes = iris.look([rgb, other], points)
    mirrored = eyes.outlines_N2_71_3[1, ::-1, :16, :2] * [-1, 1] + [width, 0]
    apart = np.linalg.norm(mirrored - eyes.outlines_N2_71_3[0, :, :16, :2], axis=2)
    assert apart.mean() < 0.06 * np.linalg.norm(points[0, 133, :2] - points[0, 33, :2])


def test_bad_input_says_what_to_do(tmp_path, open_weight, iris):
    whole = open_weight("iris").read_bytes()
    (tmp_path / "damaged.tflite").write_bytes(b"\x08\x07nothing")
    (tmp_path / "cut.tflite").write_bytes(whole[: len(whole) // 2])
    for name in ("absent.tflite", "damaged.tflite", "cut.tflite"):
        with pytest.raises(WeightMissing, match=re.escape(str(tmp_path / name))) as error:
            IrisNetwork(tmp_path / name).open()
        assert "tfw weights fetch iris" in str(error.value)
    with pytest.raises(WeightMissing, match="another one"):
        IrisNetwork(open_weight("face_mesh")).open()
    with pytest.raises(ValueError, match="one mesh for each picture"):
        iris.look([], np.zeros((2, 468, 3)))
    assert iris.look([], np.zeros((0, 468, 3))).outlines_N2_71_3.shape == (0, 2, 71, 3)
