"""SSIM over a long video: what is compared with what, at which frames, with which archive."""

import csv

import numpy as np
import pytest

from talkingface_wild.core.errors import InputUnreadable, RecipeError
from talkingface_wild.functional.similarity import ssim
from talkingface_wild.models.mcdm.analyses.drawing import write_table
from talkingface_wild.models.mcdm.analyses.drift_curves import draw_drift, drift
from talkingface_wild.models.mcdm.analyses.speaking_portrait import Draws, rolled
from talkingface_wild.models.mcdm.variants import Checkpoint
from tests.models.mcdm.analyses.scene import running_parts, subject


def nowhere(path):
    """A checkpoint without variants."""
    return Checkpoint(path / "model", path)


@pytest.fixture(scope="module")
def parts():
    return running_parts()


def test_a_rollout_has_exactly_the_frames_asked_for_and_its_seed_counts(parts):
    def made(seed, frames=20):
        return np.concatenate(list(rolled(parts, subject(), frames, Draws(seed))))

    assert made(0).shape == (20, 32, 32, 3)
    assert (made(0) == made(0)).all()
    assert (made(0) != made(1)).any()
    assert (made(0)[:13] == made(0, 13)).all()


def test_a_fixed_archive_changes_what_follows_the_first_clip_alone(parts):
    free = np.concatenate(list(rolled(parts, subject(), 16, Draws())))
    fixed = np.concatenate(list(rolled(parts, subject(), 16, Draws(), fixed_archive=True)))
    assert (free[:8] == fixed[:8]).all()
    assert (free[8:] != fixed[8:]).any()


def test_values_are_ssim_against_the_real_frame_of_the_same_time(parts, tmp_path):
    person = subject(frames=24)
    found = drift(nowhere(tmp_path), parts, [person], Draws(), (10, 20, 7200))
    made = np.concatenate(list(rolled(parts, person, 20, Draws())))
    by_hand = [ssim(made[place], person.truth_THWC[place]) for place in range(20)]
    np.testing.assert_allclose(found.runs[0].clips["one"], by_hand)
    assert found.frame_numbers == (10, 20)
    assert found.against == "the real frames"
    assert (found.runs[0].pictures[10] == made[10]).all()
    assert (found.runs[0].pictures[20] == made[19]).all()
    assert (found.real[10] == person.truth_THWC[10]).all()
    # Frame 10 stands for frames 0 to 22 as far as there are any, frame 20 for 8 to 19.
    at = found.figures()["w/ F_a"]["ssim"]
    assert at[10] == pytest.approx(np.mean(by_hand))
    assert at[20] == pytest.approx(np.mean(by_hand[8:]))


def test_without_real_frames_the_portrait_is_compared(parts, tmp_path):
    person = subject(real=False)
    found = drift(nowhere(tmp_path), parts, [person], Draws(), (8,))
    made = next(rolled(parts, person, 8, Draws()))
    by_hand = [ssim(frame, person.portrait_HWC) for frame in made]
    np.testing.assert_allclose(found.runs[0].clips["one"], by_hand)
    assert found.against == "the portrait"
    assert found.real == {}


def test_without_a_variant_the_same_weights_run_with_a_fixed_archive(parts, tmp_path):
    person = subject()
    found = drift(nowhere(tmp_path), parts, [person], Draws(), (16,))
    fixed = np.concatenate(list(rolled(parts, person, 16, Draws(), fixed_archive=True)))
    by_hand = [ssim(frame, person.truth_THWC[place]) for place, frame in enumerate(fixed)]
    np.testing.assert_allclose(found.runs[1].clips["one"], by_hand)
    assert "same weights" in found.runs[1].weights


def test_a_trained_variant_takes_its_place(parts, tmp_path):
    variant = running_parts("archived.kind=none", seed=3)
    variant.save(tmp_path / "variants" / "no_archive" / "model")
    person = subject()
    found = drift(nowhere(tmp_path), parts, [person], Draws(), (8,))
    made = next(rolled(variant, person, 8, Draws()))
    by_hand = [ssim(frame, person.truth_THWC[place]) for place, frame in enumerate(made)]
    np.testing.assert_allclose(found.runs[1].clips["one"], by_hand, atol=1e-6)
    assert "variants/no_archive" in found.runs[1].weights
    assert any("w/o F_a is not fully trained" in sentence for sentence in found.cautions)


def test_a_variant_of_another_size_is_refused(parts, tmp_path):
    running_parts("archived.kind=none", "picture.fps=24").save(
        tmp_path / "variants" / "no_archive" / "model"
    )
    with pytest.raises(RecipeError, match="found 32 px at 24"):
        drift(nowhere(tmp_path), parts, [subject()], Draws(), (8,))


def test_clips_too_short_for_the_last_frame_are_left_out_and_told(parts, tmp_path):
    people = [subject("long", 24), subject("short", 12, seed=1), subject("other", 26, seed=2)]
    found = drift(nowhere(tmp_path), parts, people, Draws(steps=1), (8, 20))
    assert list(found.runs[0].clips) == ["long", "other"]
    assert found.left_out == 1
    mean = found.runs[0].mean
    both = [found.runs[0].clips[name] for name in ("long", "other")]
    np.testing.assert_allclose(mean, (both[0] + both[1]) / 2)
    clips = {row["clip"] for row in found.rows()}
    assert clips == {"long", "other", "all"}


def test_sound_that_reaches_no_frame_is_an_input_that_cannot_be_used(parts, tmp_path):
    with pytest.raises(InputUnreadable, match=r"at least 30 frames of speech \(1.2 s\), found 24"):
        drift(nowhere(tmp_path), parts, [subject(frames=24)], Draws(), (30, 300))


def test_picture_and_table_are_written(parts, tmp_path):
    found = drift(nowhere(tmp_path), parts, [subject()], Draws(steps=1), (8, 20))
    draw_drift(tmp_path / "d" / "drift.png", found, "Clips: none.")
    write_table(tmp_path / "d" / "drift.csv", found.rows())
    with (tmp_path / "d" / "drift.csv").open() as stream:
        rows = list(csv.DictReader(stream))
    asked = [row for row in rows if row["point"] == "asked"]
    assert [(row["run"], row["frame"]) for row in asked] == [
        ("w/ F_a", "8"), ("w/ F_a", "20"), ("w/o F_a", "8"), ("w/o F_a", "20"),
    ]  # fmt: skip
    assert all(-1 <= float(row["ssim"]) <= 1 for row in rows)
    assert {path.name for path in (tmp_path / "d").iterdir()} == {"drift.png", "drift.csv"}
