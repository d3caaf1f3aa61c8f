"""Lips and sound as rows of numbers: what must not change them, what must."""

import numpy as np

from talkingface_wild.functional.lips_shape import (
    LIPS,
    LIPS_WIDTH,
    SOUND_WIDTH,
    lips_windows,
    sound_windows,
)
from tests.functional.test_lips_match import speech_like


def meshes(frames: int = 20) -> np.ndarray:
    points = np.random.default_rng(0).uniform(100, 200, (468, 3))
    points[33], points[263] = (120, 140, 0), (180, 140, 0)
    moves = np.random.default_rng(1).normal(0, 1, (frames, 468, 3)) * 0.5
    moves[:, [33, 263]] = 0
    return points + moves


def test_the_forty_points_are_the_outlines_of_the_lips():
    assert len(LIPS) == len(set(LIPS)) == 40
    assert {61, 291, 0, 17, 78, 308, 13, 14} <= set(LIPS)


def test_place_size_and_turn_of_the_head_change_nothing():
    still = meshes()
    windows = lips_windows(still)
    assert windows.shape == (20, LIPS_WIDTH) and windows.dtype == np.float32
    angles = np.linspace(-0.5, 0.4, 20)
    turn = np.array([[np.cos(angles), -np.sin(angles)], [np.sin(angles), np.cos(angles)]])
    moved = still.copy()
    moved[:, :, :2] = np.einsum("ijt,tpj->tpi", turn, still[:, :, :2]) * 2.5
    moved[:, :, :2] += np.linspace(0, 300, 20)[:, None, None]
    np.testing.assert_allclose(lips_windows(moved), windows, atol=1e-4)


def test_a_mouth_that_opens_does():
    still = np.repeat(meshes(1), 9, axis=0)
    opened = still.copy()
    opened[4:, 14, 1] += 6
    difference = np.abs(lips_windows(opened) - lips_windows(still)).max(axis=1)
    # A window reaches two frames either way.
    assert (difference[:2] == 0).all() and (difference[2:] > 0.05).all()


def test_frames_without_a_face_blank_the_windows_that_hold_them():
    points = meshes()
    points[10] = np.nan
    blank = np.isnan(lips_windows(points)).any(axis=1)
    # The change to the next frame is lost as well.
    assert np.flatnonzero(blank).tolist() == [8, 9, 10, 11, 12, 13]


def test_sound_has_a_row_for_each_frame_whatever_its_length():
    samples = speech_like(2.0)
    for count in (10, 50, 60):
        rows = sound_windows(samples, count)
        assert rows.shape == (count, SOUND_WIDTH) and np.isfinite(rows).all()
    # A row depends on the sound around its frame alone.
    other = samples.copy()
    other[24_000:] = 0
    same = np.all(sound_windows(other, 50) == sound_windows(samples, 50), axis=1)
    assert same[:34].all() and not same[40:].any()
