"""The head's way in a driving video becomes head tokens, by crops or by landmarks."""

import itertools

import numpy as np
import pytest
import torch

from talkingface_wild.core.errors import InputUnreadable, WeightMissing
from talkingface_wild.core.generator import Drive
from talkingface_wild.jobs.generate.driving_video import follow_face
from talkingface_wild.media.decode import frames
from talkingface_wild.models.mcdm import MCDMPipeline
from talkingface_wild.models.mcdm.generator import MCDMGenerator
from tests.media.fixtures import write_video
from tests.models.mcdm.small import small_parts


@pytest.fixture(scope="module")
def driver(shared, tmp_path_factory):
    """Twelve frames of a real talking head, small; in the last six it has moved to the right."""
    source = shared / "media" / "clips" / "hdtf_ocasio.mp4"
    taken = [f.rgb for f in itertools.islice(frames(source, fps=25, max_side=256), 6)]
    moved = [np.roll(picture, 24, axis=1) for picture in taken]
    path = tmp_path_factory.mktemp("driver") / "d.mp4"
    return write_video(path, [k / 25 for k in range(12)], [*taken, *moved])


def _pipeline(*settings):
    parts = small_parts(settings)
    if parts.landmark_guider is not None:
        draws = np.random.default_rng(0)
        face = np.array([[0.4, 0.4], [0.6, 0.4], [0.5, 0.5], [0.42, 0.6], [0.58, 0.6]])
        points = (face + 0.1 * draws.standard_normal((60, 1, 2))).astype(np.float32)
        parts.landmark_guider.fit(parts.landmark_guider.maps(points))
    return MCDMPipeline.of(parts)


def driving_head(pipeline, video, count, detector, warn):
    generator = MCDMGenerator(pipeline, weights="of a test")
    poses = follow_face(video, count, generator.facts.fps, detector, warn)
    return generator.encode(Drive(count, poses=poses)).encoded


def _moved(head):
    """How far tokens move between the two places, against how far they move within each."""
    first, last = head[:6], head[6:]
    within = max((part - part.mean(dim=0)).abs().mean() for part in (first, last))
    return float((first.mean(dim=0) - last.mean(dim=0)).abs().mean() / within)


def test_crops_of_the_head_become_tokens_that_follow_it(driver):
    said = []
    head = driving_head(_pipeline(), driver, 12, "haar", said.append)
    assert head.shape == (12, 1, 32) and said == []
    assert _moved(head) > 3


def test_landmarks_become_tokens_where_the_model_is_made_for_them(driver, shared, monkeypatch):
    pipeline = _pipeline("present.head=landmarks")
    with pytest.raises(WeightMissing, match="scrfd_2.5g"):
        driving_head(pipeline, driver, 12, "haar", print)
    monkeypatch.setenv("TFW_WEIGHTS", str(shared / "weights"))
    head = driving_head(pipeline, driver, 12, "auto", print)
    assert head.shape == (12, 1, 32)
    given = []
    monkeypatch.setattr(type(pipeline), "head_tokens", lambda self, points: given.append(points))
    driving_head(pipeline, driver, 12, "auto", print)
    points_T52 = given[0]
    assert points_T52.shape == (12, 5, 2)
    assert points_T52.min() > 0.25 and points_T52.max() < 0.8  # in [0, 1] of the face's square
    left_eye, right_eye, nose, left_mouth, right_mouth = points_T52.mean(axis=0)
    assert left_eye[0] < nose[0] < right_eye[0] and left_mouth[0] < nose[0] < right_mouth[0]
    assert left_eye[1] < nose[1] < left_mouth[1]
    shift = points_T52[6:, :, 0].mean() - points_T52[:6, :, 0].mean()
    boxes = [_box(driver, k, shared) for k in (0, 6)]
    side = 1.6 * max(boxes[1][2] - boxes[0][0], boxes[0][3] - boxes[0][1])
    assert shift == pytest.approx(24 / side, rel=0.1)


def _box(driver, number, shared):
    from talkingface_wild.jobs.generate.portrait import face_detector

    picture = next(itertools.islice(frames(driver), number, None)).rgb
    return face_detector("scrfd_2.5g")[1].detect(picture).boxes_N5[0]


def test_a_video_that_is_shorter_is_said_and_its_tokens_are_those_of_its_frames(driver):
    said = []
    head = driving_head(_pipeline(), driver, 40, "haar", said.append)
    assert len(head) == 12
    assert "12 frames of the 40" in said[0]


def test_frames_without_a_face_are_bridged(driver, tmp_path):
    pictures = [frame.rgb for frame in frames(driver)]
    pictures[3] = np.zeros_like(pictures[3])
    gap = write_video(tmp_path / "gap.mp4", [k / 25 for k in range(12)], pictures)
    head = driving_head(_pipeline(), gap, 12, "haar", print)
    assert len(head) == 12 and torch.isfinite(head).all()


def test_what_has_no_face_or_is_no_video_is_refused(tmp_path):
    grey = np.full((128, 128, 3), 90, np.uint8)
    write_video(tmp_path / "grey.mp4", [0.0, 0.04], [grey, grey])
    with pytest.raises(InputUnreadable, match="Expected a face in the driving video"):
        driving_head(_pipeline(), tmp_path / "grey.mp4", 2, "haar", print)
    (tmp_path / "t.mp4").write_text("no video")
    with pytest.raises(InputUnreadable, match="Expected a driving video"):
        driving_head(_pipeline(), tmp_path / "t.mp4", 2, "haar", print)
