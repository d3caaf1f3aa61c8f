"""Landmarks drawn and pooled to head tokens: what moves them, and what must not."""

import numpy as np
import pytest
import torch

from talkingface_wild.models.conditions.landmarks import chosen_points, drawn_landmarks
from talkingface_wild.models.networks.pose_guider import LandmarkGuider

MOUTH_68, MOUTH_5 = slice(48, 68), slice(3, 5)
EYE_68, EYE_5 = slice(36, 42), slice(0, 1)


def _points(count, frames=12, seed=0):
    rng = np.random.default_rng(seed)
    face = rng.uniform(0.25, 0.75, (1, count, 2))
    return (face + rng.normal(0, 0.02, (frames, count, 2))).astype(np.float32)


def _guider(landmarks="eyes_nose", count=68):
    torch.manual_seed(0)
    guider = LandmarkGuider(
        channels=16, widths=(8, 16, 16, 16), tokens=2, token_width=5, side=64, landmarks=landmarks
    )
    guider.fit(guider.maps(_points(count)))
    return guider


def _moved(points, part, by=0.03):
    points = points.copy()
    points[:, part] += by
    return points


@pytest.mark.parametrize(("count", "mouth", "eye"), [(68, MOUTH_68, EYE_68), (5, MOUTH_5, EYE_5)])
def test_moving_the_mouth_changes_no_head_token_and_moving_an_eye_does(count, mouth, eye):
    guider, points = _guider(count=count), _points(count, frames=3, seed=1)
    tokens = guider(points)
    assert tokens.shape == (3, 2, 5)
    for by in (0.01, 0.3):
        assert torch.equal(guider(_moved(points, mouth, by)), tokens)
    for by in (0.01, 0.1):
        assert (guider(_moved(points, eye, by)) - tokens).flatten(1).abs().amax(1).min() > 1e-3


def test_with_the_whole_face_drawn_the_mouth_leaks():
    """Which is why ``full`` is not the default (R31)."""
    guider, points = _guider("full"), _points(68, frames=3, seed=1)
    assert (guider(_moved(points, MOUTH_68)) - guider(points)).abs().max() > 1e-3


def test_eyes_and_nose_of_68_points():
    points = _points(68)
    found = chosen_points(points, "eyes_nose")
    np.testing.assert_allclose(found[:, 0], points[:, 36:42].mean(axis=1), rtol=1e-6)
    np.testing.assert_allclose(found[:, 1], points[:, 42:48].mean(axis=1), rtol=1e-6)
    np.testing.assert_array_equal(found[:, 2], points[:, 30])
    assert chosen_points(points, "contour").shape == (12, 20, 2)
    assert chosen_points(points, "full").shape == (12, 68, 2)


def test_other_counts_are_refused():
    with pytest.raises(ValueError, match="5 or 68 landmarks, found 21"):
        chosen_points(_points(21), "eyes_nose")
    with pytest.raises(ValueError, match="68 landmarks for the contour, found 5"):
        chosen_points(_points(5), "contour")


def test_a_disc_stands_where_its_landmark_is():
    points = np.array([[[0.25, 0.5], [0.75, 0.5], [0.5, 0.75], [0.1, 0.9], [0.9, 0.9]]], np.float32)
    drawn = drawn_landmarks(points, 64, "eyes_nose")
    assert drawn.shape == (1, 3, 64, 64) and drawn.min() == 0 and drawn.max() <= 1
    lit = drawn[0].amax(0)
    rows, columns = torch.nonzero(lit > 0, as_tuple=True)
    for x, y in points[0, :3]:
        near = ((columns + 0.5) / 64 - x).square() + ((rows + 0.5) / 64 - y).square() < 0.04**2
        assert near.any()
        weight = lit[rows[near], columns[near]]
        middle = ((columns[near] + 0.5) / 64 * weight).sum() / weight.sum()
        assert abs(float(middle) - x) < 1e-3
    # The corners of the mouth are nowhere.
    assert not lit[50:].any()
    assert (
        len({tuple(drawn[0, :, int(y * 64), int(x * 64)].tolist()) for x, y in points[0, :3]}) == 3
    )


def test_a_landmark_outside_the_picture_is_not_drawn():
    points = np.full((1, 5, 2), 3.0, np.float32)
    assert not drawn_landmarks(points, 32, "eyes_nose").any()


def test_tokens_of_the_training_set_have_unit_scale_and_no_correlation():
    torch.manual_seed(0)
    guider = LandmarkGuider(channels=16, widths=(8, 16, 16, 16), tokens=1, token_width=6, side=64)
    points = _points(68, frames=40)
    maps = guider.maps(points)
    guider.fit(maps)
    tokens = guider(points).flatten(1).double()
    torch.testing.assert_close(tokens.T @ tokens / 39, torch.eye(6).double(), atol=1e-3, rtol=0)
    spread = np.linalg.svd((maps - maps.mean(0)).double().numpy(), compute_uv=False)
    np.testing.assert_allclose(guider.std_N.numpy(), spread[:6] / np.sqrt(39), rtol=1e-4)


def test_where_the_training_set_has_less_to_tell_the_rest_of_a_token_is_zero():
    guider = _guider()
    guider.fit(guider.maps(_points(68, frames=3)))
    tokens = guider(_points(68, frames=4, seed=5)).flatten(1)
    assert tokens[:, :2].any() and not tokens[:, 2:].any()


def test_many_frames_are_drawn_a_few_at_a_time(monkeypatch):
    """All at once, 30 seconds at 512 pixels took 2.4 GB for every step of the drawing."""
    import talkingface_wild.models.networks.pose_guider as module

    asked, draw = [], module.drawn_landmarks

    def counted(points, side, kind):
        asked.append(len(points))
        return draw(points, side, kind)

    monkeypatch.setattr(module, "drawn_landmarks", counted)
    guider, points = _guider(), _points(68, frames=21)
    asked.clear()
    whole = guider.maps(points)
    assert max(asked) <= 8 and sum(asked) == 21
    alone = torch.cat([guider.maps(points[i : i + 1]) for i in range(21)])
    torch.testing.assert_close(whole, alone, atol=1e-5, rtol=1e-4)


def test_moores_names_and_its_fit_are_saved(tmp_path):
    guider = _guider()
    assert {"guider.conv_in.weight", "guider.blocks.0.weight", "guider.conv_out.weight"} <= set(
        guider.state_dict()
    )
    guider.save_pretrained(tmp_path)
    read = LandmarkGuider.from_pretrained(tmp_path)
    assert all(torch.equal(read.state_dict()[n], rows) for n, rows in guider.state_dict().items())
