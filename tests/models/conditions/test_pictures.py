"""Pictures on the way in and out: sizes, squares, and what is refused."""

import numpy as np
import pytest
import torch
from PIL import Image

from talkingface_wild.core.errors import InputUnreadable
from talkingface_wild.models.conditions.pictures import padded_square, portrait_tensor, resized
from tests.models.mcdm.small import faces


def test_a_frame_shrinks_as_pillow_shrinks_it():
    frames = faces(2, 96)
    made = resized(frames, 32, 40)
    assert made.shape == (2, 32, 40, 3) and made.dtype == torch.uint8
    for frame, ours in zip(frames, made, strict=True):
        theirs = Image.fromarray(frame.numpy()).resize((40, 32), Image.Resampling.BICUBIC)
        assert np.abs(ours.numpy().astype(int) - np.asarray(theirs)).max() <= 2
    assert resized(frames, 96, 96) is frames


def test_edges_stay_within_a_byte_when_enlarged():
    frames = torch.zeros(1, 4, 4, 3, dtype=torch.uint8)
    frames[:, :, 2:] = 255
    made = resized(frames, 32, 32)
    assert (made[:, :, 0] == 0).all() and (made[:, :, -1] == 255).all()


@pytest.mark.parametrize(("size", "corner"), [((6, 4), (0, 1)), ((4, 7), (1, 0)), ((5, 5), (0, 0))])
def test_a_picture_lies_in_the_middle_of_a_black_square(size, corner):
    picture = torch.full((*size, 3), 200, dtype=torch.uint8)
    square, (top, left) = padded_square(picture)
    assert square.shape == (max(size), max(size), 3) and (top, left) == corner
    assert (square[top : top + size[0], left : left + size[1]] == 200).all()
    assert int((square == 200).sum()) == 3 * size[0] * size[1]


def test_portraits_come_as_arrays_tensors_or_pillow():
    made = [portrait_tensor(kind, 32) for kind in (
        faces(1)[0], faces(1)[0].numpy(), Image.fromarray(faces(1)[0].numpy())
    )]  # fmt: skip
    assert all(torch.equal(one, made[0]) for one in made)
    for wrong in (np.zeros((4, 4), np.uint8), np.zeros((4, 4, 3)), np.zeros((4, 5, 3), np.uint8)):
        with pytest.raises(InputUnreadable, match="Expected"):
            portrait_tensor(wrong, 32)
