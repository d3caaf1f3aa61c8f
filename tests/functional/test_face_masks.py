"""Masks from points: shapes whose area and place are known, and tables that fit one another."""

import numpy as np
import pytest

from talkingface_wild.functional.face_masks import bounding_box, box_mask, polygon_mask, soft_mask
from talkingface_wild.functional.mesh_measures import EYE_CORNERS, INNER_LIPS
from talkingface_wild.functional.mesh_regions import (
    BROWS_AND_NOSE,
    FACE_OVAL,
    IBUG_68,
    OUTER_LIPS,
    in_crop,
)


def circle(radius, middle=(128.0, 100.0), count=36):
    angles = np.linspace(0, 2 * np.pi, count, endpoint=False)
    return np.stack([np.cos(angles), np.sin(angles)], axis=1) * radius + middle


def test_a_polygon_has_its_area_and_its_middle():
    mask = polygon_mask(circle(60.0), 256)
    assert set(np.unique(mask)) == {0, 255} and mask.shape == (256, 256)
    exact = 0.5 * 36 * 60**2 * np.sin(2 * np.pi / 36)
    # Pixels that the edge cuts are filled as well: half a pixel around it.
    assert exact < (mask > 0).sum() < exact + 1.2 * np.pi * 60
    rows, columns = np.nonzero(mask)
    assert columns.mean() + 0.5 == pytest.approx(128, abs=0.1)
    assert rows.mean() + 0.5 == pytest.approx(100, abs=0.1)


def test_a_polygon_of_nan_is_black_and_one_beyond_the_edge_is_cut():
    assert not polygon_mask(np.full((4, 2), np.nan), 64).any()
    square = np.array([[-20.0, -20.0], [32.0, -20.0], [32.0, 32.0], [-20.0, 32.0]])
    mask = polygon_mask(square, 64)
    assert mask[:31, :31].all() and not mask[34:].any() and not mask[:, 34:].any()


def test_a_box_holds_all_finite_points_within_the_picture():
    points = np.array([[[10.2, 20.4], [30.6, 50.0]], [[np.nan, np.nan], [np.nan, np.nan]]])
    assert bounding_box(points, 64) == (10, 20, 31, 50)
    assert bounding_box(points * 3, 64) == (31, 61, 64, 64)
    assert (box_mask((10, 20, 31, 50), 64) > 0).sum() == 21 * 30
    with pytest.raises(ValueError, match="finite"):
        bounding_box(np.full((3, 2), np.nan), 64)


def test_a_soft_mask_is_white_in_the_middle_and_falls_off():
    soft = soft_mask(box_mask((128, 128, 384, 384), 512), 31)
    assert soft.shape == (64, 64) and soft.min() == 0 and soft.max() == 255
    row = soft[32].astype(int)
    assert (np.diff(row[:32]) >= 0).all() and (np.diff(row[32:]) <= 0).all()
    np.testing.assert_allclose(soft, soft[::-1, ::-1], atol=1)
    # At the box's edge half of the kernel's weight lies inside.
    assert row[15] < 127 < row[16]


def test_tables_name_each_point_once_and_agree_with_one_another():
    assert len(set(FACE_OVAL)) == 36 and len(set(OUTER_LIPS)) == 20
    assert len(IBUG_68) == 68 and max(*IBUG_68, *FACE_OVAL, *OUTER_LIPS) < 468
    assert set(IBUG_68[48:60]) <= set(OUTER_LIPS)
    assert (IBUG_68[62], IBUG_68[66]) == INNER_LIPS
    assert {IBUG_68[36], IBUG_68[39]} == set(EYE_CORNERS[0])
    assert {IBUG_68[45], IBUG_68[42]} == set(EYE_CORNERS[1])
    assert [IBUG_68[part] for part in BROWS_AND_NOSE][2][0] == 168


def test_points_go_into_the_crop_as_its_pixels_do():
    crop = in_crop([[[100.0, 60.0, 5.0], [400.0, 360.0, 5.0]]], left=100, top=60, scale=512 / 300)
    np.testing.assert_allclose(crop, [[[0, 0], [512, 512]]])
