"""Expression tokens in clusters: which tokens become points, and what stands beside them."""

import numpy as np
import pytest
import torch

from talkingface_wild.core.errors import InputUnreadable, RecipeError
from talkingface_wild.models.mcdm.analyses import expressions as module
from talkingface_wild.models.mcdm.analyses.expressions import draw_expressions, expressions
from talkingface_wild.models.mcdm.analyses.speaking_portrait import Draws, rolled_tokens
from talkingface_wild.models.mcdm.variants import Checkpoint
from tests.models.mcdm.analyses.scene import running_parts, subject


def nowhere(path):
    """A checkpoint without variants."""
    return Checkpoint(path / "model", path)


@pytest.fixture(scope="module")
def parts():
    return running_parts("present.expression_tokens=2")


def people(count=4, frames=24):
    """Subjects with two labels in turn."""
    labels = ("happy", "sad")
    return [
        subject(f"clip {place}", frames, seed=place, label=labels[place % 2])
        for place in range(count)
    ]


def test_tokens_are_those_that_a_rollout_would_read(parts):
    """The prior alone, without any picture, goes on from clip to clip as generation does."""
    person = subject()
    alone = [tokens for tokens, _ in rolled_tokens(parts, person, 3, Draws())]
    rollout, state = Draws().begin(parts, person)
    for tokens in alone:
        made = rollout.clip(state, rollout.heard(person.sound, state.position))
        torch.testing.assert_close(tokens, made.tokens_FKT)
        state = made.state


def test_points_labels_and_figures(parts, tmp_path):
    found = expressions(nowhere(tmp_path), parts, people(), "emotion", Draws(), 2)
    assert len(found.labels) == 4 * 2
    assert found.clips[:3] == ("clip 0", "clip 0", "clip 1")
    assert found.chance == pytest.approx(2 / 6)
    assert found.portraits == 4
    assert [cloud.name for cloud in found.clouds] == ["w/ F_pc", "w/o F_pc"]
    assert found.clouds[1].space == "sound features"
    assert all(cloud.plane_P2.shape == (8, 2) for cloud in found.clouds)
    rows = found.rows()
    assert len(rows) == 16
    assert rows[0]["emotion"] == "happy"
    draw_expressions(tmp_path / "e.png", found)
    assert (tmp_path / "e.png").stat().st_size > 10_000


def test_tokens_that_tell_labels_apart_have_purity_one(parts, tmp_path, monkeypatch):
    """A prior that answers by the clip's label in the expression tokens, by noise elsewhere."""
    chosen = people(6)

    def told(parts, person, count, draws):
        noise = np.random.default_rng(int(person.name[-1]))
        for _ in range(count):
            tokens = torch.from_numpy(noise.standard_normal((8, 4, 32)))
            tokens[:, 2:] = float(person.label == "sad") + 0.01 * tokens[:, 2:]
            yield tokens, torch.from_numpy(noise.standard_normal((8, 5, 80)))

    monkeypatch.setattr(module, "rolled_tokens", told)
    found = expressions(nowhere(tmp_path), parts, chosen, "emotion", Draws(), 2, 3)
    seen, sound = found.clouds
    assert seen.purity == 1.0
    assert seen.silhouette > 0.9
    assert sound.purity < 0.8


def test_the_variants_sound_tokens_stand_beside_where_it_was_trained(parts, tmp_path):
    running_parts("present.kind=audio_attention").save(
        tmp_path / "variants" / "no_present" / "model"
    )
    found = expressions(nowhere(tmp_path), parts, people(2), "emotion", Draws(steps=1), 3)
    assert "no_present" in found.clouds[1].space


def test_what_cannot_be_drawn_is_refused(parts, tmp_path):
    with pytest.raises(InputUnreadable, match="at least 5 points"):
        expressions(nowhere(tmp_path), parts, people(2), "emotion", Draws(), 2)
    with pytest.raises(InputUnreadable, match="at least 8 frames"):
        expressions(nowhere(tmp_path), parts, people(2, frames=5), "emotion", Draws())
    bare = running_parts("present.kind=audio_attention")
    with pytest.raises(RecipeError, match="expression tokens"):
        expressions(nowhere(tmp_path), bare, people(), "emotion", Draws())
