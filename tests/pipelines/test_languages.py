"""The final language: confirmed, relabelled by the source's vote, unsure, or left as listed."""

import pandas as pd

from talkingface_wild.engine.stage import Workplace
from talkingface_wild.pipelines.stages.languages import Languages, LanguagesConfig


def _decide(rows, **settings):
    """Rows are (source, listed, spoken, its probability, probability of the listed one)."""
    names = ["root_id", "group", "spoken_language", "spoken_probability", "claimed_probability"]
    frame = pd.DataFrame(rows, columns=names, index=[f"c{index}" for index in range(len(rows))])
    text = dict.fromkeys(names[:3], "string")
    frame = frame.astype(text | dict.fromkeys(names[3:], "Float64"))
    answer = Languages(LanguagesConfig(**settings), Workplace(None)).compute(frame)
    return [
        (row["language"], row["language_verdict"], row["language_verified"])
        for _, row in answer.iterrows()
    ]


def test_the_listed_language_is_confirmed_from_its_bound_on():
    rows = [("s", "en", "en", 0.9, 0.8), ("s", "en", "en", 0.7, 0.79)]
    assert _decide(rows) == [("en", "confirmed", True), ("en", "unsure", False)]


def test_another_language_needs_its_own_bound_and_the_sources_vote():
    french = ("s", "en", "fr", 0.95, 0.01)
    assert _decide([french])[0] == ("fr", "relabelled", True)
    assert _decide([("s", "en", "fr", 0.89, 0.01)])[0] == ("en", "unsure", False)
    spanish = [("s", "en", "es", 0.95, 0.0)] * 2
    assert [row[1] for row in _decide([french, *spanish])] == ["unsure", "relabelled", "relabelled"]
    elsewhere = [("t", "en", "es", 0.95, 0.0)] * 2
    assert _decide([french, *elsewhere])[0] == ("fr", "relabelled", True)


def test_a_language_that_is_not_asked_for_is_never_given():
    rows = [("s", "en", "fi", 0.99, 0.0)]
    assert _decide(rows) == [("en", "unsure", False)]
    assert _decide(rows, languages=("fi",)) == [("fi", "relabelled", True)]


def test_without_the_network_everything_stays_as_listed():
    rows = [("s", "en", None, None, None), ("t", "zh", None, None, None)]
    assert _decide(rows) == [("en", "unverified", False), ("zh", "unverified", False)]


def test_measured_and_unmeasured_clips_of_one_source_go_together():
    rows = [("s", "en", None, None, None), ("s", "en", "de", 0.99, 0.0)]
    assert _decide(rows) == [("en", "unverified", False), ("de", "relabelled", True)]


def test_an_empty_table_has_an_empty_answer():
    assert _decide([]) == []
