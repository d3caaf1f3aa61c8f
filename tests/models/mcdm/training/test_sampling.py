"""What a training sample is made of. Every tensor of a made-up clip tells which frame it is."""

import pytest
import torch

from talkingface_wild.core.errors import InputUnreadable
from talkingface_wild.models.conditions.sound_features import MelFeatures, sound_windows, windows
from talkingface_wild.models.mcdm import preset
from talkingface_wild.models.mcdm.rollout import updated_archive
from talkingface_wild.models.mcdm.training.clip_features import CachedClip
from talkingface_wild.models.mcdm.training.sampling import ClipSampler
from tests.models.mcdm.training.made_clips import made_pictures

PREDICTED = 5000.0


def counted(frames, name="clip", predicted=False, offset=0.0):
    """Latents, sound, image features and tokens of frame t are all t + offset."""
    time = torch.arange(frames, dtype=torch.float32) + offset
    tokens = time[:, None, None].expand(frames, 3, 2).contiguous()
    return CachedClip(
        clip_id=name,
        latents_TCHW=time[:, None, None, None].expand(frames, 2, 4, 4).contiguous(),
        sound_TE=time[:, None].expand(frames, 3).contiguous(),
        image_TE=time[:, None].expand(frames, 5).contiguous(),
        lips_TSSC=torch.empty(0, dtype=torch.uint8),
        face_TSSC=torch.empty(0, dtype=torch.uint8),
        tokens_TKW=tokens,
        predicted_TKW=tokens + PREDICTED if predicted else None,
    )


def sampler(*settings, clips=None):
    return ClipSampler(clips or [counted(100)], preset("tiny").changed(settings))


def draws(seed=0):
    return torch.Generator().manual_seed(seed)


def frame_of(tensor):
    """The frame that each entry of the leading axes shows."""
    flat = tensor.flatten(2)
    assert (flat == flat[..., :1]).all()
    return flat[..., 0]


@pytest.fixture(scope="module")
def many():
    """400 samples of a clip of 100 frames: f = a = 8, a reference at least 10 frames away."""
    return sampler().pictures(draws(), 400)


def test_the_archive_is_the_frames_right_before_or_the_reference(many):
    present, archive = frame_of(many.present_BFCHW), frame_of(many.archive_BACHW)
    reference = many.reference_BCHW[:, 0, 0, 0]
    steps = torch.arange(8.0)
    assert torch.equal(present, present[:, :1] + steps)
    before = (archive == present[:, :1] - 8 + steps).all(dim=1)
    still = (archive == reference[:, None]).all(dim=1)
    assert (before ^ still).all()
    assert still[present[:, 0] < 8].all()
    # A fifth is drawn as the first of a video; those that begin in the first 8 places are, too.
    assert 0.15 < still[present[:, 0] >= 8].float().mean() < 0.25


def test_every_place_of_a_clip_is_drawn_to_its_last_frame(many):
    present = frame_of(many.present_BFCHW)
    assert present.min() == 0 and present.max() == 99


@pytest.mark.parametrize(("share", "least", "most"), [(0.0, 0.0, 0.0), (1.0, 1.0, 1.0)])
def test_the_share_of_first_clips_is_a_setting(share, least, most):
    batch = sampler(f"training.first_clip={share}").pictures(draws(), 100)
    late = frame_of(batch.present_BFCHW)[:, 0] >= 8
    still = (frame_of(batch.archive_BACHW) == batch.reference_BCHW[:, 0, :1, 0]).all(dim=1)
    assert least <= still[late].float().mean() <= most


def test_the_reference_is_far_from_the_present_clip_and_its_picture_is_told(many):
    present, reference = frame_of(many.present_BFCHW), many.reference_BCHW[:, 0, 0, 0]
    before, after = present[:, 0] - reference, reference - present[:, -1]
    assert torch.maximum(before, after).min() == 10
    assert (before > 0).any() and (after > 0).any()
    assert torch.equal(frame_of(many.image_BSE)[:, 0], reference)


def test_without_a_far_frame_the_reference_is_the_end_that_is_farther():
    batch = sampler(clips=[counted(18)]).pictures(draws(), 60)
    start, reference = frame_of(batch.present_BFCHW)[:, 0], batch.reference_BCHW[:, 0, 0, 0]
    near = (start > 0) & (start < 10)
    assert near.any()
    farther = torch.where(start > 10 - start, torch.zeros(60), torch.full((60,), 17.0))
    assert torch.equal(reference[near], farther[near])


def test_the_anchored_archive_holds_the_reference_in_its_first_slot():
    batch = sampler("archived.anchor_reference=true").pictures(draws(), 50)
    archive, start = frame_of(batch.archive_BACHW), frame_of(batch.present_BFCHW)[:, 0]
    assert torch.equal(archive[:, 0], batch.reference_BCHW[:, 0, 0, 0])
    moving = archive[:, 1] != archive[:, 0]
    assert torch.equal(archive[moving, 1], start[moving] - 7)


def test_each_frame_hears_the_sound_around_it(many):
    present = frame_of(many.present_BFCHW)
    heard = many.sound_BFWE[..., 0]
    around = present[..., None] + torch.arange(-2.0, 3.0)
    inside = (around >= 0) & (around < 100)
    assert (~inside).any()
    assert torch.equal(heard, torch.where(inside, around, torch.zeros(())))


def test_training_hears_what_generation_hears():
    _, sound = made_pictures(30, seed=3)
    features = MelFeatures(25)
    rows = features.rows(sound, 0, 30)
    for first in (-2, 0, 13):
        generated = windows(features, sound, max(first, 0), 8, 2)
        trained = sound_windows(rows, first, 8 + max(0, -first), 2)[max(0, -first) :]
        torch.testing.assert_close(trained, generated)


def test_motion_windows_begin_with_the_overlap():
    source = sampler("present.overlap=3")
    batch = source.motions(draws(), 400, landmarks=False)
    tokens, heard = frame_of(batch.tokens_BFKT), batch.sound_BFWE[..., 2, 0]
    assert tokens.shape == (400, 11)
    # The row that a frame hears of its own time tells its place, but for those before the clip.
    start = tokens[:, -1] - 10
    wanted = start[:, None] + torch.arange(11.0)
    assert start.min() == -3 and start.max() == 100 - 11
    assert torch.equal(tokens, wanted.clamp(min=0))
    assert torch.equal(heard, wanted.clamp(min=0))
    assert not batch.sound_BFWE[start == -3][:, 0].any()


def test_the_motions_reference_is_far_from_the_clip_that_follows_the_overlap():
    batch = sampler("present.overlap=4").motions(draws(), 400, landmarks=False)
    last = frame_of(batch.tokens_BFKT)[:, -1]
    reference = frame_of(batch.image_BSE)[:, 0]
    assert torch.maximum(last - 7 - reference, reference - last).min() == 10


def test_landmarks_are_dropped_for_whole_clips():
    source = sampler("training.landmark_drop=0.25")
    assert 0.68 < source.motions(draws(), 400, landmarks=True).landmarks_on_B.float().mean() < 0.82
    assert not source.motions(draws(), 40, landmarks=False).landmarks_on_B.any()


def test_stage_3_reads_true_and_predicted_tokens_of_the_present_frames():
    source = sampler("training.predicted_tokens=0.25", clips=[counted(100, predicted=True)])
    batch = source.pictures(draws(), 400)
    tokens, present = frame_of(batch.tokens_BFKT), frame_of(batch.present_BFCHW)
    predicted = tokens[:, 0] >= PREDICTED
    assert 0.18 < predicted.float().mean() < 0.32
    assert torch.equal(tokens - PREDICTED * predicted[:, None], present)


def test_the_generator_alone_decides():
    source = sampler(clips=[counted(100), counted(60, offset=1000.0)])
    for draw in (source.pictures, lambda d, n: source.motions(d, n, True)):
        first, again, other = (vars(draw(draws(seed), 6)) for seed in (1, 1, 2))
        names = [name for name, value in first.items() if value is not None]
        assert all(torch.equal(first[name], again[name]) for name in names)
        assert not all(torch.equal(first[name], other[name]) for name in names)


def test_long_clips_are_drawn_more_often():
    batch = sampler(clips=[counted(180), counted(60, offset=1000.0)]).pictures(draws(), 400)
    assert 0.19 < (batch.reference_BCHW[:, 0, 0, 0] >= 1000).float().mean() < 0.31


def test_clips_that_are_too_short_are_left_out():
    batch = sampler(clips=[counted(17, offset=1000.0), counted(18)]).pictures(draws(), 50)
    assert batch.reference_BCHW.max() < 1000
    with pytest.raises(InputUnreadable, match=r"at least 18 frames, found 17"):
        sampler(clips=[counted(17)])


def test_motion_needs_tokens():
    clip = counted(40, "a1")
    clip.tokens_TKW = None
    with pytest.raises(InputUnreadable, match="'a1'.*--stage encoders"):
        sampler(clips=[clip]).motions(draws(), 1, False)
    assert sampler(clips=[clip]).pictures(draws(), 2).tokens_BFKT is None


def test_a_strided_archive_is_the_one_that_generation_has_at_that_frame():
    """Training always showed the frames right before, which generation never has there."""
    source = sampler("archived.policy=strided", "training.first_clip=0.0")
    batch = source.pictures(draws(), 200)
    starts = frame_of(batch.present_BFCHW)[:, 0].long()
    frames = source.clips[0].latents_TCHW
    checked = 0
    for start, archive, reference in zip(
        starts.tolist(), batch.archive_BACHW, batch.reference_BCHW, strict=True
    ):
        if start % 8 or start < 8:
            continue
        expected = reference.expand(8, *reference.shape)
        for made in range(0, start, 8):
            expected = updated_archive(expected, frames[made : made + 8], "strided", made, 0)
        assert torch.equal(archive, expected)
        checked += 1
    assert checked > 5


def test_a_reservoir_holds_frames_from_all_over_the_past_in_order():
    source = sampler("archived.policy=reservoir", "training.first_clip=0.0")
    batch = source.pictures(draws(), 400)
    present, archive = frame_of(batch.present_BFCHW), frame_of(batch.archive_BACHW)
    late = present[:, 0] >= 60
    kept = archive[late]
    assert (kept.diff(dim=1) > 0).all()
    assert (kept[:, -1] < present[late, 0]).all()
    assert (kept.mean(dim=1) / present[late, 0]).mean() == pytest.approx(0.5, abs=0.05)
