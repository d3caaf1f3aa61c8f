"""Known answers: all hold here, and a wrong sum is called wrong."""

from talkingface_wild.benchmark import selfcheck as module
from talkingface_wild.benchmark.selfcheck import selfcheck
from talkingface_wild.media.sound import read_sound
from tests.benchmark.films import REAL, film, pictures


def test_every_closed_form_holds_and_the_published_example_waits_for_its_weight():
    answers = list(selfcheck())
    assert {answer.state for answer in answers[:-1]} == {"ok"}
    assert len(answers) >= 10
    assert answers[-1].state == "not run"
    assert "syncnet_v2" in answers[-1].found


def test_the_filler_is_not_taken_for_the_official_weight(weights):
    assert list(selfcheck())[-1].state == "not run"


def test_a_wrong_answer_is_called_wrong(monkeypatch):
    monkeypatch.setattr(module, "closed_forms", lambda: [("two", 2.0, 3.0, 1e-9)])
    first = next(selfcheck())
    assert (first.state, first.expected, first.found) == ("wrong", "2", "3")


def test_the_example_is_scored_as_the_demo_does(films, weights, tmp_path):
    """Filler weights give no meaningful numbers, but the path from file to three numbers runs."""
    may = films / REAL / "may.mp4"
    crop = film(tmp_path / "crop.mp4", pictures(may, 20, 224), read_sound(may, 0.0, 0.8))
    found = module._score_example(crop)
    assert set(found) == {"offset", "distance", "confidence"}
