"""CenterFace on real clips: as many faces as labelled, where SCRFD has them, and plain errors."""

import csv
import re
from pathlib import Path

import numpy as np
import pytest

from talkingface_wild.core.errors import WeightMissing
from talkingface_wild.functional.face_samples import LEAST_AREA_RATIO, areas
from talkingface_wild.functional.face_track import overlap
from talkingface_wild.perception import face_detector as faces
from talkingface_wild.perception.centerface import CenterFaceDetector
from tests.perception.sampled import pictures

COMPARED = ("head_1", "hdtf_hill", "stage_smallface_noaudio", "three_faces")


@pytest.fixture(scope="module")
def centerface(open_weight):
    return faces.make_detector("centerface", open_weight("centerface")).open()


@pytest.fixture(scope="module")
def labels(shared):
    with (shared / "media" / "MEDIA.csv").open(newline="") as stream:
        rows = list(csv.DictReader(stream))
    return {Path(r["path"]).stem: (shared / "media" / r["path"], int(r["faces"])) for r in rows}


def _relevant(detection):
    sizes = areas(detection.boxes_N5)
    return int((sizes >= LEAST_AREA_RATIO * sizes.max(initial=0)).sum())


@pytest.mark.long
def test_every_clip_has_as_many_faces_as_labelled(centerface, labels):
    assert len(labels) == 22
    for stem, (path, expected) in labels.items():
        counts = [_relevant(centerface.detect(rgb)) for rgb in pictures(path, 2.0, 16)]
        assert counts == [expected] * len(counts), stem


@pytest.mark.parametrize("stem", COMPARED)
def test_boxes_and_points_are_where_scrfd_has_them(shared, centerface, labels, stem):
    path, expected = labels[stem]
    scrfd = faces.make_detector("scrfd_2.5g", shared / "weights" / "scrfd_2.5g_kps.onnx").open()
    shares, distances = [], []
    for rgb in pictures(path, 1.0, 4):
        ours, theirs = centerface.detect(rgb), scrfd.detect(rgb)
        for box, points in zip(theirs.boxes_N5[:expected], theirs.points_N52, strict=False):
            nearest = max(range(expected), key=lambda k: overlap(ours.boxes_N5[k], box))
            shares.append(overlap(ours.boxes_N5[nearest], box))
            apart = np.linalg.norm(ours.points_N52[nearest] - points, axis=1).mean()
            distances.append(apart / np.linalg.norm(points[1] - points[0]))
    assert len(shares) == 4 * expected
    assert np.mean(shares) > 0.85 and min(shares) > 0.7
    assert np.mean(distances) < (0.15 if stem.startswith("stage") else 0.1)


@pytest.mark.parametrize(("width", "height"), [(512, 512), (960, 300), (333, 700), (40, 31)])
def test_any_shape_of_picture_is_searched_and_an_empty_one_has_no_face(centerface, width, height):
    detection = centerface.detect(np.full((height, width, 3), 90, dtype=np.uint8))
    assert detection.boxes_N5.shape == (0, 5) and detection.points_N52.shape == (0, 5, 2)
    assert detection.boxes_N5.dtype == detection.points_N52.dtype == np.float32


def test_a_picture_twice_as_large_has_its_face_twice_as_far(centerface, labels):
    rgb = pictures(labels["may"][0], 1.0, 1)[0]
    wide = np.pad(rgb, ((0, 0), (256, 0), (0, 0)))
    one, two, moved = (
        centerface.detect(rgb),
        centerface.detect(rgb.repeat(2, axis=0).repeat(2, axis=1)),
        centerface.detect(wide),
    )
    side = one.boxes_N5[0, 2] - one.boxes_N5[0, 0]
    assert np.abs(two.boxes_N5[0, :4] / 2 - one.boxes_N5[0, :4]).max() < 0.05 * side
    assert np.abs(two.points_N52[0] / 2 - one.points_N52[0]).max() < 0.05 * side
    assert np.abs(moved.points_N52[0] - one.points_N52[0] - [256, 0]).max() < 0.1 * side


def test_a_face_that_the_picture_cuts_is_found_with_the_border_alone(
    open_weight, centerface, labels
):
    bare = CenterFaceDetector(open_weight("centerface"), padding=0.0).open()
    missed = 0
    for stem in ("head_1", "hdtf_ocasio", "head_2", "selfie_10", "synthetic_9"):
        for rgb in pictures(labels[stem][0], 1.0, 4):
            x0, y0, x1, y1 = centerface.detect(rgb).boxes_N5[0, :4]
            reach = 0.4 * max(x1 - x0, y1 - y0)
            left, top = (max(0, int(c - reach)) for c in ((x0 + x1) / 2, (y0 + y1) / 2))
            close = rgb[top : int((y0 + y1) / 2 + reach), left : int((x0 + x1) / 2 + reach)]
            assert len(centerface.detect(close).boxes_N5) == 1, stem
            missed += len(bare.detect(close).boxes_N5) == 0
    assert missed >= 2


def test_a_higher_confidence_keeps_fewer_faces(open_weight, centerface, labels):
    rgb = pictures(labels["may"][0], 1.0, 1)[0]
    score = float(centerface.detect(rgb).boxes_N5[0, 4])
    assert 0.5 <= score <= 1
    strict = CenterFaceDetector(open_weight("centerface"), confidence=score + 0.01)
    assert len(strict.detect(rgb).boxes_N5) == 0


def test_a_missing_damaged_or_foreign_file_is_named_with_its_remedy(tmp_path, open_weight, shared):
    with pytest.raises(WeightMissing, match="tfw weights fetch centerface"):
        faces.make_detector("centerface")
    (tmp_path / "damaged.onnx").write_bytes(b"\x08\x07nothing")
    whole = open_weight("centerface").read_bytes()
    (tmp_path / "cut.onnx").write_bytes(whole[: len(whole) // 2])
    foreign = shared / "weights" / "scrfd_500m_kps.onnx"
    for path in (tmp_path / "absent.onnx", tmp_path / "damaged.onnx", tmp_path / "cut.onnx"):
        with pytest.raises(WeightMissing, match=re.escape(str(path))):
            CenterFaceDetector(path).open()
    with pytest.raises(WeightMissing, match="CenterFace's network"):
        CenterFaceDetector(foreign).open()
