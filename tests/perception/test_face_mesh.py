"""The mesh on real clips: where SCRFD has its points, turned as the picture is, none in noise."""

import re

import cv2
import numpy as np
import pytest
import skimage.data

from talkingface_wild.core.errors import WeightMissing
from talkingface_wild.functional.face_region import (
    Region,
    region_of_box,
    region_of_mesh,
    region_of_points,
)
from talkingface_wild.functional.head_pose import head_angles
from talkingface_wild.functional.mesh_measures import mesh_angles, mouth_openings
from talkingface_wild.perception.face_detector import make_detector
from talkingface_wild.perception.face_mesh import LEAST_CONFIDENCE, FaceMesh
from tests.perception.sampled import pictures

CLIPS = ("hdtf_hill", "head_2", "selfie_12", "synthetic_9")
SHUT = {"synthetic_9": (41, 124, 249, 290), "hdtf_hill": (88,), "selfie_10": (0, 397)}
PARTED = {"synthetic_9": (83, 207, 374), "hdtf_hill": (22, 44, 199), "selfie_10": (298, 447)}
GAPING = {"selfie_10": (99,)}
"""Frames, counted from 0, that were looked at: lips that touch, teeth or a gap seen, wide open."""


@pytest.fixture(scope="module")
def mesh(open_weight):
    return FaceMesh(open_weight("face_mesh")).open()


@pytest.fixture(scope="module")
def scrfd(shared):
    return make_detector("scrfd_2.5g", shared / "weights" / "scrfd_2.5g_kps.onnx").open()


def _five(points_N4683):
    """Eyes, nose and corners of the mouth (N, 5, 2) of meshes."""
    eyes = [points_N4683[:, list(pair)].mean(axis=1) for pair in ((33, 133), (263, 362))]
    return np.stack([*eyes, *(points_N4683[:, k] for k in (1, 61, 291))], axis=1)[:, :, :2]


@pytest.fixture(scope="module")
def seen(shared, mesh, scrfd):
    """For each clip: pictures, SCRFD's points and box, and the meshes in the box's region."""
    clips = {}
    for stem in CLIPS:
        shown = pictures(shared / "media" / "clips" / f"{stem}.mp4", 2.0, 10)
        faces = [scrfd.detect(rgb) for rgb in shown]
        points_N52 = np.stack([face.points_N52[0] for face in faces])
        boxes_N5 = np.stack([face.boxes_N5[0] for face in faces])
        regions = [region_of_box(b, p) for b, p in zip(boxes_N5, points_N52, strict=True)]
        clips[stem] = (shown, points_N52, boxes_N5, mesh.look(shown, regions))
    return clips


@pytest.mark.parametrize("stem", CLIPS)
def test_points_are_where_scrfd_has_them_from_every_kind_of_region(seen, mesh, stem):
    shown, points_N52, boxes_N5, meshes = seen[stem]
    eyes_N = np.linalg.norm(points_N52[:, 1] - points_N52[:, 0], axis=1)
    kinds = {
        "box and points": meshes,
        "box": mesh.look(shown, [region_of_box(box) for box in boxes_N5]),
        "points": mesh.look(shown, [region_of_points(points) for points in points_N52]),
        "mesh": mesh.look(shown, [region_of_mesh(points) for points in meshes.points_N4683]),
    }
    for kind, ours in kinds.items():
        assert ours.points_N4683.shape == (len(shown), 468, 3)
        assert ours.confidences_N.min() > 0.95, kind
        apart = np.linalg.norm(_five(ours.points_N4683) - points_N52, axis=2).mean(axis=1) / eyes_N
        assert apart.mean() < 0.1 and apart.max() < 0.15, kind


def test_yaw_agrees_with_the_five_points_and_roll_with_the_line_of_the_eyes(seen):
    for stem, (_, points_N52, _, meshes) in seen.items():
        angles = mesh_angles(meshes.points_N4683)
        assert np.corrcoef(angles[:, 0], head_angles(points_N52)[:, 0])[0, 1] > 0.85, stem
        assert np.abs(angles[:, 0] - head_angles(points_N52)[:, 0]).mean() < 6, stem
        across = points_N52[:, 1] - points_N52[:, 0]
        line = np.degrees(np.arctan2(across[:, 1], across[:, 0]))
        assert np.abs(angles[:, 2] - line).mean() < 5, stem


def test_a_picture_that_is_turned_or_mirrored_turns_the_head(mesh, scrfd, seen):
    rgb = seen["head_2"][0][6]
    angles = {}
    size = (rgb.shape[1], rgb.shape[0])
    middle = (size[0] / 2, size[1] / 2)
    # OpenCV turns anticlockwise by positive angles.
    turned = cv2.warpAffine(rgb, cv2.getRotationMatrix2D(middle, -20, 1.0), size)
    views = {"plain": rgb, "turned": turned, "mirrored": rgb[:, ::-1].copy()}
    for name, view in views.items():
        region = region_of_points(scrfd.detect(view).points_N52[0])
        region = region_of_mesh(mesh.look([view], [region]).points_N4683[0])
        angles[name] = mesh_angles(mesh.look([view], [region]).points_N4683)[0]
    assert np.abs(angles["turned"] - angles["plain"] - [0, 0, 20]).max() < 3
    assert np.abs(angles["mirrored"] * [-1, 1, -1] - angles["plain"]).max() < 4


def test_depth_is_in_pixels_and_nearer_at_the_nose(seen):
    for _, points_N52, _, meshes in seen.values():
        points = meshes.points_N4683
        eyes_N = np.linalg.norm(points_N52[:, 1] - points_N52[:, 0], axis=1)
        nose, ears = points[:, 1, 2], points[:, [234, 454], 2].mean(axis=1)
        assert ((ears - nose) / eyes_N > 0.8).all() and ((ears - nose) / eyes_N < 2.5).all()


@pytest.mark.parametrize("stem", sorted(SHUT))
def test_a_mouth_that_is_seen_open_is_measured_open(shared, mesh, scrfd, stem):
    shown = pictures(shared / "media" / "clips" / f"{stem}.mp4", 1000.0)

    def openings(frames):
        regions = [region_of_points(scrfd.detect(shown[k]).points_N52[0]) for k in frames]
        return mouth_openings(mesh.look([shown[k] for k in frames], regions).points_N4683)

    assert openings(SHUT[stem]).max() < 0.07
    assert openings(PARTED[stem]).min() > 0.1
    assert openings(GAPING.get(stem, ())).min(initial=1.0) > 0.35


def test_a_square_without_a_face_is_not_taken_for_one(mesh):
    noise = np.random.default_rng(0).integers(0, 256, (300, 300, 3)).astype(np.uint8)
    places = [Region(150, 150, 200)] * 3
    brick = np.ascontiguousarray(np.dstack([skimage.data.brick()[:300, :300]] * 3))
    meshes = mesh.look([noise, noise * 0, brick], places)
    assert (meshes.confidences_N < LEAST_CONFIDENCE).all()
    assert mesh.look([], []).points_N4683.shape == (0, 468, 3)
    with pytest.raises(ValueError, match="one region for each picture"):
        mesh.look([noise], places)


def test_a_face_is_followed_and_looked_for_only_where_it_is_lost(mesh, scrfd, seen):
    shown = list(seen["synthetic_9"][0][:4])
    blank = np.zeros_like(shown[0])
    searches = []

    def find(rgb):
        searches.append(rgb)
        points = scrfd.detect(rgb).points_N52
        return region_of_points(points[0]) if len(points) else None

    meshes = mesh.follow([*shown[:3], blank, blank, shown[3]], find)
    assert len(searches) == 4
    assert searches[0] is shown[0] and searches[1] is blank and searches[3] is shown[3]
    assert np.isnan(meshes.points_N4683[3:5]).all() and (meshes.confidences_N[3:5] < 0.5).all()
    apart = meshes.points_N4683[[0, 1, 2, 5]] - seen["synthetic_9"][3].points_N4683[:4]
    side = np.ptp(seen["synthetic_9"][3].points_N4683[0, :, 1])
    assert np.linalg.norm(apart[:, :, :2], axis=2).mean() < 0.03 * side
    assert mesh.follow([], find).points_N4683.shape == (0, 468, 3)


def test_a_missing_damaged_or_foreign_file_is_named_with_its_remedy(tmp_path, open_weight, capfd):
    whole = open_weight("face_mesh").read_bytes()
    (tmp_path / "damaged.tflite").write_bytes(b"\x08\x07nothing")
    (tmp_path / "cut.tflite").write_bytes(whole[: len(whole) // 2])
    for name in ("absent.tflite", "damaged.tflite", "cut.tflite"):
        with pytest.raises(WeightMissing, match=re.escape(str(tmp_path / name))) as error:
            FaceMesh(tmp_path / name).open()
        assert "tfw weights fetch face_mesh" in str(error.value)
    with pytest.raises(WeightMissing, match="another one"):
        FaceMesh(open_weight("iris")).open()
    assert capfd.readouterr().err == ""
