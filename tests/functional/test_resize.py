"""Resizers against the reference codes' own outputs, and against ramps whose result is known."""

import numpy as np
import pytest
import torch

from talkingface_wild.functional.resize import half_pixel_bilinear, pil_bicubic, tf1_bilinear
from tests.perception import golden

SIDE = 299
RESIZERS = [tf1_bilinear, half_pixel_bilinear, pil_bicubic]


def _frames(stored, case):
    height, width = case["size"]
    images = stored.filler.images(case["name"], stored.seed, 1, height, width, case["cell"])
    return torch.from_numpy(images)


@pytest.mark.parametrize("case", ["rszA", "rszB", "rszC"])
def test_golden_resize(goldens, case):
    stored = golden.load(goldens, "inception")
    expected, grey_levels = stored.data["resize"][case], stored.tolerance("absolute")
    frames = _frames(stored, expected)
    tf1, half = tf1_bilinear(frames, SIDE), half_pixel_bilinear(frames, SIDE)
    golden.assert_summary(tf1.numpy(), expected["tf1"], grey_levels)
    golden.assert_summary(half.numpy(), expected["torch_bilinear"], grey_levels)
    clean_HWC = pil_bicubic(frames, SIDE)[0].permute(1, 2, 0).numpy()
    golden.assert_summary(clean_HWC, expected["cleanfid_pil_bicubic"], grey_levels)


@pytest.mark.parametrize("resizer", RESIZERS)
def test_a_frame_of_the_right_size_keeps_its_values(resizer):
    frames = torch.randint(0, 256, (2, 40, 40, 3), dtype=torch.uint8)
    resized = resizer(frames, 40)
    assert resized.dtype == torch.float32
    torch.testing.assert_close(resized, frames.permute(0, 3, 1, 2).float(), rtol=0, atol=1e-4)


def test_on_a_ramp_tf1_reads_from_the_corner_and_half_pixel_from_the_centre():
    ramp = torch.arange(0, 240, 2, dtype=torch.uint8)[None, None, :, None].expand(1, 120, 120, 3)
    places = torch.arange(50, dtype=torch.float32)
    corner, centre = tf1_bilinear(ramp, 50)[0, 0], half_pixel_bilinear(ramp, 50)[0, 0]
    torch.testing.assert_close(corner, (2 * places * 2.4).expand(50, 50))
    torch.testing.assert_close(centre, (2 * ((places + 0.5) * 2.4 - 0.5)).expand(50, 50))


def test_enlarging_by_tf1_repeats_the_last_pixel_and_never_leaves_the_range():
    frames = torch.tensor([[0, 255], [255, 0]], dtype=torch.uint8)[None, :, :, None]
    resized = tf1_bilinear(frames.expand(1, 2, 2, 3), 8)[0, 0]
    assert resized[0, 4:].tolist() == [255] * 4
    assert resized[0, :4].tolist() == [0, 63.75, 127.5, 191.25]
    assert resized.min() >= 0 and resized.max() <= 255


def test_bicubic_cuts_its_overshoot_and_rounds_nothing():
    frames = torch.zeros(1, 60, 60, 3, dtype=torch.uint8)
    frames[:, :, 30:] = 255
    resized = pil_bicubic(frames, 45)
    assert resized.min() == 0 and resized.max() == 255
    inner = resized[(resized > 0) & (resized < 255)]
    assert len(inner) and bool((inner != inner.round()).any())


def test_only_the_smoothing_resizer_sees_every_pixel():
    board = np.indices((64, 64)).sum(0) % 2 * 255
    frames = torch.from_numpy(board.astype(np.uint8))[None, :, :, None].expand(1, 64, 64, 3)
    assert pil_bicubic(frames, 16).sub(127.5).abs().max() < 8
    assert tf1_bilinear(frames, 16).sub(127.5).abs().min() > 100


@pytest.mark.parametrize("resizer", RESIZERS)
def test_frames_are_resized_one_by_one(resizer):
    frames = torch.randint(0, 256, (3, 50, 70, 3), dtype=torch.uint8)
    together = resizer(frames, 31)
    assert torch.equal(together[1:2], resizer(frames[1:2], 31))
    assert together.shape == (3, 3, 31, 31)
