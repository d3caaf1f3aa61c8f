"""The drawn persons: where their landmarks come from, and what is painted; no networks."""

from dataclasses import replace

import cv2
import numpy as np
import pytest

from talkingface_wild.pipelines.demo import face
from talkingface_wild.pipelines.demo.face_paint import painted
from talkingface_wild.pipelines.demo.face_shape import landmarks_of, shape_map
from talkingface_wild.pipelines.demo.person import Person
from talkingface_wild.pipelines.demo.photograph import ENLARGE, LANDMARKS, LEFT, TOP, texture
from talkingface_wild.pipelines.demo.styles import PERSONS, STYLES, neighbour, style


def test_the_photograph_itself_is_not_bent():
    assert max(np.abs(away).max() for away in shape_map(Person())) < 0.01


@pytest.mark.parametrize("language", PERSONS)
def test_each_landmark_of_a_person_is_that_of_the_photograph(language):
    person = PERSONS[language]
    away_x, away_y = shape_map(person)
    for name, (x, y) in landmarks_of(person).items():
        column, row = round((x - LEFT) * ENLARGE), round((y - TOP) * ENLARGE)
        if not (0 <= row < away_x.shape[0] and 0 <= column < away_x.shape[1]):
            continue
        there = (x + away_x[row, column], y + away_y[row, column])
        assert there == pytest.approx(LANDMARKS[name], abs=1.5), name


def test_a_beard_darkens_the_chin_and_nothing_above_the_nose():
    plain, bearded = painted(texture(), Person()), painted(texture(), Person(beard=0.9))
    chin = (
        slice(165 * ENLARGE, 175 * ENLARGE),
        slice((212 - LEFT) * ENLARGE, (234 - LEFT) * ENLARGE),
    )
    assert bearded[chin].mean() < 0.6 * plain[chin].mean()
    assert np.array_equal(bearded[: 100 * ENLARGE], plain[: 100 * ENLARGE])


def test_glasses_are_round_on_the_person_whatever_its_shape():
    """Rims are 34 × 27 pixels on a bent face as well; their bows end in dark hair."""
    person = PERSONS["fr"]
    looks = [face.Look(person=p) for p in (person, replace(person, glasses=0.0))]
    worn, bare = (
        next(face.frames(look, np.zeros(25), 440, 440, 3)).astype(int).sum(axis=2) for look in looks
    )
    rims = ((bare - worn) > 60).astype(np.uint8)
    _, _, boxes, _ = cv2.connectedComponentsWithStats(rims)
    _, _, width, height, _ = max(boxes[1:], key=lambda box: box[4])
    across = landmarks_of(person)["eye_right"][0] - landmarks_of(person)["eye_left"][0]
    assert 2 * (across + 34) - 6 <= width <= 2 * (across + 54) + 6
    assert 2 * 27 - 2 <= height <= 2 * 27 + 12  # the line's width, and one eye above the other


def test_every_language_has_another_person_and_a_neighbour():
    assert len({look.person for look, _ in STYLES.values()}) == len(STYLES) == 10
    assert all(neighbour(language) != PERSONS[language] for language in PERSONS)
    assert style("pt-br") == style("pt-br") and style("pt-br")[0].person in PERSONS.values()
