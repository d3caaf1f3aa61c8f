"""SSIM over alpha: which weights stand for a point, and that the model is left as it was."""

import numpy as np
import pytest

from talkingface_wild.core.errors import RecipeError
from talkingface_wild.models.mcdm.analyses.alpha import (
    OWN,
    SAME,
    TRAINED,
    alpha_curve,
    draw_alpha,
    memory_at,
)
from talkingface_wild.models.mcdm.analyses.speaking_portrait import Draws, rolled, similarities
from talkingface_wild.models.mcdm.variants import Checkpoint
from tests.models.mcdm.analyses.scene import running_parts, subject

ALPHAS = [0.0, 0.1, 0.3, 0.5, 0.7, 0.9]


def nowhere(path):
    """A checkpoint without variants."""
    return Checkpoint(path / "model", path)


def made(parts, person, frames=8):
    return np.concatenate(list(rolled(parts, person, frames, Draws())))


@pytest.fixture(scope="module")
def parts():
    return running_parts()


def test_memory_at_another_alpha_equals_a_model_built_with_it(parts):
    other = running_parts("temporal.alpha=0.9")
    with memory_at(parts, 0.9):
        inside = made(parts, subject())
    assert (inside == made(other, subject())).all()
    assert (inside != made(parts, subject())).any()


def test_the_model_is_left_as_it_was_even_after_an_error(parts):
    with pytest.raises(KeyError), memory_at(parts, 0.5):
        raise KeyError
    assert {block.mta.alpha for block in parts.unet.motion_blocks()} == {0.1}


def test_points_of_one_set_of_weights(parts, tmp_path):
    people = [subject("one"), subject("two", seed=2)]
    found = alpha_curve(nowhere(tmp_path), parts, people, Draws(), 8)
    assert [point.alpha for point in found.points] == ALPHAS
    assert [point.weights for point in found.points] == [SAME, OWN, SAME, SAME, SAME, SAME]
    own = found.points[1]
    by_hand = similarities(made(parts, people[1]), people[1], 0).mean()
    assert own.clips["two"] == pytest.approx(by_hand)
    assert own.ssim == pytest.approx(np.mean(list(own.clips.values())))
    assert found.without is None
    assert len(found.rows()) == 6 * 3
    draw_alpha(tmp_path / "alpha.png", found)
    assert (tmp_path / "alpha.png").stat().st_size > 10_000


def test_variants_that_were_trained_take_their_places(parts, tmp_path):
    trained = running_parts("temporal.alpha=0.9", seed=5)
    trained.facts["stages"] = {"1": {}, "2": {}, "3": {}}
    trained.save(tmp_path / "variants" / "alpha_9" / "model")
    bare = running_parts("temporal.kind=standard")
    bare.save(tmp_path / "variants" / "no_mta" / "model")
    person = subject()
    found = alpha_curve(nowhere(tmp_path), parts, [person], Draws(), 8)
    last = found.points[-1]
    assert (last.alpha, last.weights) == (0.9, TRAINED)
    expected = similarities(made(trained, person), person, 0).mean()
    assert last.ssim == pytest.approx(expected, abs=1e-6)
    expected = similarities(made(bare, person), person, 0).mean()
    assert found.without.ssim == pytest.approx(expected, abs=1e-6)
    assert found.rows()[-1]["model"] == "w/o MTA"
    said = " ".join(found.cautions)
    assert "The variant w/o MTA is not fully trained" in said
    assert "alpha_9" not in said
    draw_alpha(tmp_path / "alpha.png", found)


def test_a_model_without_memory_is_refused(tmp_path):
    bare = running_parts("temporal.kind=standard")
    with pytest.raises(RecipeError, match="memory-efficient"):
        alpha_curve(nowhere(tmp_path), bare, [subject()], Draws(), 8)
