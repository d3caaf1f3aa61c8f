"""PP-OCRv6's detector against rapidocr's own answer, at any size, and without text."""

import cv2
import numpy as np
import pytest

from talkingface_wild.core.errors import WeightMissing
from talkingface_wild.functional.text_boxes import covered_share
from talkingface_wild.perception.text_detector import WEIGHT, TextDetector
from tests.perception.sampled import pictures

BOXES = [
    [[26, 26], [281, 26], [281, 69], [26, 69]],
    [[109, 122], [245, 94], [254, 139], [118, 167]],
    [[78, 205], [264, 205], [264, 225], [78, 225]],
]
"""What rapidocr 3.10.0 says of ``_picture()`` at its own size and a least score of 0.6, under the
same weight: its own code before the network and after it. It rounds corners on the way."""


def _picture():
    """Two lines of text, and a slanted one, on grey stripes: (256, 384, 3)."""
    picture = np.full((256, 384, 3), 90, np.uint8)
    picture[:, ::2] += 5
    font, white = cv2.FONT_HERSHEY_SIMPLEX, (255, 255, 255)
    cv2.putText(picture, "Known words", (30, 60), font, 1.2, white, 2, cv2.LINE_AA)
    cv2.putText(
        picture, "of a subtitle, small", (80, 220), font, 0.6, (255, 255, 0), 1, cv2.LINE_AA
    )
    slanted = np.zeros_like(picture)
    cv2.putText(slanted, "slanted", (120, 140), font, 1.1, white, 2, cv2.LINE_AA)
    turn = cv2.getRotationMatrix2D((192, 128), 12, 1)
    return np.maximum(picture, cv2.warpAffine(slanted, turn, (384, 256)))[:, :, ::-1].copy()


def _rows(boxes):
    """Boxes from the top, the corners of each by their sides of its middle."""
    around = [
        sorted(map(tuple, box), key=lambda p: np.arctan2(*(p - box.mean(0)))) for box in boxes
    ]
    return np.array(sorted(around, key=lambda box: np.mean([y for _, y in box])))


@pytest.fixture(scope="module")
def detector(open_weight):
    return TextDetector(open_weight(WEIGHT)).open()


def test_boxes_are_another_implementations(detector):
    np.testing.assert_allclose(
        _rows(detector.boxes(_picture())), _rows(np.array(BOXES, float)), atol=1.6
    )


def test_boxes_of_a_large_picture_are_in_its_pixels(detector):
    large = cv2.resize(_picture(), None, fx=4, fy=4, interpolation=cv2.INTER_CUBIC)
    small, large = _rows(detector.boxes(_picture())), _rows(detector.boxes(large))
    np.testing.assert_allclose(large / 4, small, atol=5)


def test_a_subtitle_on_a_real_face_is_found_and_the_face_is_none(detector, shared):
    for name in ("may", "hdtf_hill", "talking_11"):
        folder = "talking" if name.startswith("talking") else "clips"
        _, rgb = pictures(shared / "media" / folder / f"{name}.mp4", 0.5, 2)
        assert len(detector.boxes(rgb)) == 0
        height, width = rgb.shape[:2]
        for thickness, colour in ((4, (0, 0, 0)), (1, (255, 255, 255))):
            place = (int(width * 0.1), int(height * 0.93))
            words, font = "and this is what we said", cv2.FONT_HERSHEY_SIMPLEX
            cv2.putText(rgb, words, place, font, width / 500, colour, thickness, cv2.LINE_AA)
        (box,) = detector.boxes(rgb)
        assert box[:, 1].min() > 0.85 * height
        assert 0.1 * width - 20 < box[:, 0].min() < 0.1 * width
        assert 0.03 < covered_share(box[None], height, width) < 0.1


def test_a_picture_of_one_colour_has_no_text(detector):
    assert detector.boxes(np.full((100, 300, 3), 120, np.uint8)).shape == (0, 4, 2)


def test_a_file_that_is_no_detector_is_named(tmp_path):
    damaged = tmp_path / "damaged.onnx"
    damaged.write_bytes(b"not a network")
    for path in (tmp_path / "absent.onnx", damaged):
        with pytest.raises(WeightMissing, match="tfw weights") as caught:
            TextDetector(path).open()
        assert str(path) in str(caught.value)
