"""Three points onto a template: known turns and scales, and a picture whose dots end where they
should."""

import numpy as np
import pytest

from talkingface_wild.functional.template_alignment import (
    OUTSIDE,
    TEMPLATE_32,
    aligned_picture,
    similarity_onto,
    template_matrix,
)


def turned(points, degrees, scale, shift):
    angle = np.radians(degrees)
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    return scale * points @ turn.T + shift


@pytest.mark.parametrize("degrees", [0, 25, -80, 179])
def test_a_similarity_is_undone_exactly(degrees):
    points = turned(TEMPLATE_32, degrees, 2.7, (100.0, 40.0))
    matrix = similarity_onto(points, TEMPLATE_32)
    np.testing.assert_allclose(points @ matrix[:, :2].T + matrix[:, 2], TEMPLATE_32, atol=1e-9)
    assert np.linalg.det(matrix[:, :2]) == pytest.approx(1 / 2.7**2)


def test_a_mirrored_face_is_not_turned_inside_out():
    mirrored = TEMPLATE_32 * [-1.0, 1.0]
    assert np.linalg.det(similarity_onto(mirrored, TEMPLATE_32)[:, :2]) > 0


@pytest.mark.parametrize("points", [np.zeros((3, 2)), np.full((3, 2), np.nan)])
def test_points_without_extent_are_refused(points):
    with pytest.raises(ValueError, match="extent"):
        similarity_onto(points, TEMPLATE_32)


def test_the_square_is_the_template_stretched():
    """75 x 100 become a square: brows at 20 % of the height, as in LatentSync's own pictures."""
    matrix = template_matrix(TEMPLATE_32, 256)
    ends = TEMPLATE_32 @ matrix[:, :2].T + matrix[:, 2]
    np.testing.assert_allclose(ends[:, 1] / 256, [0.2, 0.2, 0.4])
    np.testing.assert_allclose(ends[:, 0] / 256, [17 / 75, 58 / 75, 0.5])


def test_dots_at_the_anchors_lie_on_the_template():
    anchors = turned(TEMPLATE_32, 12, 4.0, (150.0, 120.0))
    picture = np.zeros((512, 512, 3), np.uint8)
    grid = np.stack(np.meshgrid(np.arange(512), np.arange(512)), axis=2) + 0.5
    for channel, anchor in enumerate(anchors):
        distance = np.linalg.norm(grid - anchor, axis=2)
        picture[..., channel] = np.clip(255 * np.exp(-((distance / 6) ** 2)), 0, 255)
    aligned = aligned_picture(picture, anchors, 300)
    assert aligned.shape == (300, 300, 3)
    inside = np.where((aligned == OUTSIDE).all(axis=2)[..., None], 0, aligned).astype(float)
    rows, columns = np.mgrid[0:300, 0:300] + 0.5
    for channel, (x, y) in enumerate(TEMPLATE_32 * [300 / 75, 300 / 100]):
        weights = inside[..., channel] * (np.hypot(columns - x, rows - y) < 40)
        assert (columns * weights).sum() / weights.sum() == pytest.approx(x, abs=0.3)
        assert (rows * weights).sum() / weights.sum() == pytest.approx(y, abs=0.3)
