"""Where lips, face and head are cut out of frames, from landmarks, boxes, or for want of both."""

import numpy as np
import pytest
import torch

from talkingface_wild.models.conditions.crops import crop_windows, cut
from talkingface_wild.models.mcdm import preset
from talkingface_wild.models.mcdm.networks import crop_sides
from talkingface_wild.models.training.training_clip import TrainingClip

SIDES = {"lip": 24, "expression": 32, "head": 32}
RED = torch.tensor([250, 10, 10], dtype=torch.uint8)


def clip(**tracks):
    tracks = {name: np.asarray(rows, np.float32) for name, rows in tracks.items()}
    return TrainingClip("a", lambda: iter(()), lambda: np.zeros(0, np.int16), **tracks)


def face_at(x, y, eyes=0.2):
    """Five points of an upright face whose mouth's middle is (x, y), eyes ``eyes`` apart."""
    half, up = eyes / 2, eyes * 1.1
    return [
        (x - half, y - up),
        (x + half, y - up),
        (x, y - up / 2),
        (x - 0.8 * half, y),
        (x + 0.8 * half, y),
    ]


def discs(places, side=64, radius=3):
    """Grey frames with a red disc at each place."""
    frames = torch.full((len(places), side, side, 3), 90, dtype=torch.uint8)
    grid = (torch.arange(side) + 0.5) / side
    for frame, (x, y) in zip(frames, places, strict=True):
        far = ((grid[None] - x) ** 2 + (grid[:, None] - y) ** 2).sqrt() * side
        frame[far <= radius] = RED
    return frames


def redness(crop_SSC):
    """Middle of what is red, in [0, 1] of the crop, and how much of the crop it is."""
    amount = (crop_SSC[..., 0].float() - crop_SSC[..., 1].float()).clamp(min=0) / 240
    grid = (torch.arange(len(crop_SSC)) + 0.5) / len(crop_SSC)
    total = amount.sum()
    return (
        float((amount * grid[None]).sum() / total),
        float((amount * grid[:, None]).sum() / total),
        float(total / amount.numel()),
    )


def test_lips_follow_the_corners_of_the_mouth_and_the_face_hides_them():
    x = np.linspace(0.4, 0.6, 60)
    windows = crop_windows(clip(points_TP2=[face_at(at, 0.65) for at in x]))
    assert windows.source == "points"
    frames = discs([(at, 0.65) for at in x])
    crops = windows.crops(frames, 0, SIDES)
    assert {name: c.shape[1] for name, c in crops.items()} == {"lips": 24, "face": 32, "head": 32}
    for frame in range(10, 50):
        across, down, amount = redness(crops["lips"][frame])
        assert abs(across - 0.5) < 0.03 and abs(down - 0.5) < 0.03
        # The window is 1.4 distances between the eyes wide.
        assert amount == pytest.approx(np.pi * 3**2 / (1.4 * 0.2 * 64) ** 2, rel=0.1)
        assert redness(crops["face"][frame])[2] < 0.001
    # The head's window stands still, so its crop shows where the head is.
    places = [redness(crop)[0] for crop in crops["head"]]
    assert places[50] - places[10] > 0.15


def test_a_turned_head_does_not_shrink_the_window():
    turned = [(0.48, 0.43), (0.54, 0.43), (0.55, 0.54), (0.48, 0.65), (0.54, 0.65)]
    windows = crop_windows(clip(points_TP2=[turned] * 9))
    assert windows.lips_T4[4, 2] - windows.lips_T4[4, 0] == pytest.approx(
        1.4 * 0.22 / 1.1, rel=1e-3
    )


@pytest.mark.parametrize(
    ("box", "mouth"),
    [((0.2, 0.2, 0.8, 0.8), (0.5, 0.692)), ((0.3, 0.2, 0.7, 0.8), (0.5, 0.656))],
    ids=["square", "tall"],
)
def test_a_box_tells_where_the_mouth_is(box, mouth):
    windows = crop_windows(clip(face_boxes_T4=[box] * 20))
    assert windows.source == "box"
    crops = windows.crops(discs([mouth] * 2), 0, SIDES)
    across, down, _ = redness(crops["lips"][0])
    assert (across, down) == pytest.approx((0.5, 0.5), abs=0.02)
    assert redness(crops["face"][0])[2] < 0.001 < redness(crops["head"][0])[2]


def test_landmarks_come_before_boxes():
    both = clip(points_TP2=[face_at(0.5, 0.6)] * 3, face_boxes_T4=[(0, 0, 1, 1)] * 3)
    assert crop_windows(both).source == "points"


def test_without_a_track_the_mouth_is_where_portraits_have_it():
    windows = crop_windows(clip())
    assert windows.source == "default"
    frames = torch.full((3, 64, 64, 3), 90, dtype=torch.uint8)
    frames[:, 38:60, 18:46] = RED
    crops = windows.crops(frames, 40, SIDES)
    assert (crops["lips"][:, 1:-1, 1:-1] == RED).all()
    assert redness(crops["face"][0])[2] < 0.01
    # 22 of 56 rows and 28 of 48 columns are covered.
    grey = (crops["face"][0] == 128).all(dim=-1)
    assert grey.float().mean() == pytest.approx(22 / 56 * 28 / 48, rel=0.1)
    larger = torch.full((1, 512, 512, 3), 90, dtype=torch.uint8)
    larger[:, 304:480, 144:368] = RED
    assert (windows.crops(larger, 0, SIDES)["lips"][:, 1:-1, 1:-1] == RED).all()


def test_a_detectors_slip_moves_nothing():
    still = np.array([face_at(0.5, 0.6)] * 50, dtype=np.float32)
    slipped = still.copy()
    slipped[20:25] += 0.3
    right, wrong = (crop_windows(clip(points_TP2=points)) for points in (still, slipped))
    for one, other in ((right.lips_T4, wrong.lips_T4), (right.face_T4, wrong.face_T4)):
        np.testing.assert_allclose(one, other, atol=1e-6)


def test_68_points_give_the_windows_of_their_five():
    random = np.random.default_rng(0)
    full = np.zeros((20, 68, 2), dtype=np.float32)
    eyes, nose, corners = [(0.4, 0.4), (0.6, 0.4)], (0.5, 0.5), [(0.42, 0.62), (0.58, 0.62)]
    for eye, first in zip(eyes, (36, 42), strict=True):
        ring = random.normal(0, 0.01, (6, 2))
        full[:, first : first + 6] = np.array(eye) + ring - ring.mean(axis=0)
    full[:, 30], full[:, 48], full[:, 54] = nose, *corners
    five = np.array([[*eyes, nose, *corners]] * 20, dtype=np.float32)
    a, b = (crop_windows(clip(points_TP2=points)) for points in (full, five))
    np.testing.assert_allclose(a.lips_T4, b.lips_T4, atol=1e-6)
    with pytest.raises(ValueError, match="found 7"):
        crop_windows(clip(points_TP2=np.zeros((2, 7, 2))))


def test_a_window_on_whole_pixels_gives_those_pixels():
    frames = torch.randint(0, 256, (2, 64, 64, 3), generator=torch.Generator().manual_seed(0))
    frames = frames.to(torch.uint8)
    window = torch.tensor([[10 / 64, 20 / 64, 34 / 64, 44 / 64]] * 2)
    assert torch.equal(cut(frames, window, 24, 1), frames[:, 20:44, 10:34])
    halved = cut(frames, torch.tensor([[0.0, 0.0, 1.0, 1.0]] * 2), 32, 2)
    blocks = frames.float().unflatten(1, (32, 2)).unflatten(3, (32, 2)).mean(dim=(2, 4))
    assert (halved.float() - blocks).abs().max() <= 0.5 + 1e-4


def test_what_shrinks_is_averaged_and_does_not_alias():
    stripes = torch.zeros(1, 512, 512, 3, dtype=torch.uint8)
    stripes[:, :, ::2] = 200
    windows = crop_windows(clip(face_boxes_T4=[(0.1, 0.1, 0.9, 0.9)]))
    head = windows.crops(stripes, 0, SIDES)["head"].float()
    assert (head - 100).abs().max() < 25
    assert head.mean() == pytest.approx(100, abs=2)


def test_beyond_the_picture_its_edge_goes_on():
    frames = torch.full((1, 64, 64, 3), 77, dtype=torch.uint8)
    assert (cut(frames, torch.tensor([[-0.5, -0.5, 0.2, 0.2]]), 24, 2) == 77).all()


def test_chunks_give_what_the_whole_gives():
    x = np.linspace(0.3, 0.6, 30)
    windows = crop_windows(clip(points_TP2=[face_at(at, 0.6, 0.15 + at / 8) for at in x]))
    frames = torch.randint(0, 256, (33, 64, 64, 3), generator=torch.Generator().manual_seed(1))
    frames = frames.to(torch.uint8)
    whole = windows.crops(frames, 0, SIDES)
    pieces = [windows.crops(frames[first : first + 7], first, SIDES) for first in range(0, 33, 7)]
    for name, crops in whole.items():
        assert torch.equal(torch.cat([piece[name] for piece in pieces]), crops)


def test_past_its_last_frame_a_track_holds():
    windows = crop_windows(clip(points_TP2=[face_at(0.5, 0.6)] * 4))
    frames = discs([(0.5, 0.6)] * 9)
    lips = windows.crops(frames, 0, SIDES)["lips"]
    assert torch.equal(lips[8], lips[0])


def test_sides_are_the_configurations():
    crops = crop_windows(clip()).crops(discs([(0.5, 0.7)]), 0, crop_sides(preset("paper")))
    assert [crops[name].shape[1] for name in ("lips", "face", "head")] == [96, 112, 32]
