"""The review sample: who is drawn, how probably, and files that harm no spreadsheet."""

import csv

import pandas as pd
import pyarrow.parquet as pq
import pytest

from talkingface_wild.core.errors import UsageError
from talkingface_wild.dataset.decisions import Decision, save_decisions
from talkingface_wild.dataset.review import (
    ANSWERS,
    check_no_answers_are_lost,
    draw_sample,
    manifest,
    write_manifest,
)
from talkingface_wild.dataset.snapshot import read_recorded
from tests.dataset.fixture import Take, Video, make_data_set


@pytest.fixture(scope="module")
def many(tmp_path_factory):
    """40 kept English clips and 5 kept Korean ones."""
    english = Video("en/a.mp4", "en", [Take(10 * i, 10 * i + 10) for i in range(40)])
    korean = Video("ko/b.mp4", "ko", [Take(10 * i, 10 * i + 10) for i in range(5)])
    made = make_data_set(tmp_path_factory.mktemp("many") / "out", [english, korean])
    return read_recorded(made.out)


def test_every_language_gives_its_random_clips_with_their_probability(many):
    sample = draw_sample(many, 10, 0, seed=0)
    by_language = {}
    for drawn in sample:
        by_language.setdefault(drawn.language, []).append(drawn)
        assert drawn.strata == ["random"]
    assert {language: len(rows) for language, rows in by_language.items()} == {"en": 10, "ko": 5}
    assert {drawn.probability for drawn in by_language["en"]} == {10 / 40}
    assert {drawn.probability for drawn in by_language["ko"]} == {1.0}


def test_the_seed_decides_and_a_larger_sample_contains_the_smaller(many):
    ids = {n: {drawn.clip for drawn in draw_sample(many, n, 0, seed=3)} for n in (5, 20)}
    assert ids[5] == {drawn.clip for drawn in draw_sample(many, 5, 0, seed=3)}
    assert ids[5] < ids[20]
    assert ids[20] != {drawn.clip for drawn in draw_sample(many, 20, 0, seed=4)}


def test_draws_are_even(many):
    """Over 300 seeds each of 40 clips is drawn 75 times on average; five sigma is 37."""
    counts = {}
    for seed in range(300):
        for drawn in draw_sample(many, 10, 0, seed):
            if drawn.language == "en":
                counts[drawn.clip] = counts.get(drawn.clip, 0) + 1
    assert len(counts) == 40
    assert all(abs(count - 75) < 37.5 for count in counts.values())


def test_clips_near_gates_are_drawn_on_both_sides_and_joined_with_the_random_ones(data_set):
    recorded = read_recorded(data_set.out)
    sample = {drawn.clip: drawn for drawn in draw_sample(recorded, 100, 1, seed=0)}
    short = sample[data_set.clip("en/one.mp4", 3)]
    assert (short.strata, short.probability) == (["gate:length:fail"], None)
    quiet = sample[data_set.clip("en/one.mp4", 2)]
    assert quiet.strata == ["gate:speech:fail"]
    barely = sample[data_set.clip("en/one.mp4", 1)]
    assert barely.strata == ["random", "gate:speech:pass"]
    assert barely.probability == 1.0
    nearest = {data_set.clip("en/two.mp4", 1), data_set.clip("ko/three.mp4", 1)}
    failing = {clip for clip, drawn in sample.items() if "gate:quality:fail" in drawn.strata}
    assert len(failing) == 1
    assert failing < nearest


def test_negative_sizes_are_refused(data_set):
    with pytest.raises(UsageError, match="per-gate -1"):
        draw_sample(read_recorded(data_set.out), 3, -1, 0)


def test_the_manifest_says_where_each_clip_is_and_leaves_room_for_answers(data_set):
    recorded = read_recorded(data_set.out)
    table = manifest(recorded, draw_sample(recorded, 100, 30, seed=0))
    parquet, text = write_manifest(data_set.layout, table)
    frame = pq.read_table(parquet).to_pandas().set_index("clip_id")
    row = frame.loc[data_set.clip("en/one.mp4", 2)]
    assert (row["source"], row["start_seconds"], row["end_seconds"]) == ("en/one.mp4", 20.0, 30.0)
    assert row["verdict"] == "rejected: little_speech"
    assert row["speech_ratio"] == 0.59
    assert (frame[list(ANSWERS)] == "").all(axis=None)
    read = pd.read_csv(text, dtype=str, keep_default_na=False)
    assert read["clip_id"].tolist() == frame.index.tolist()
    assert list(read.columns)[-4:] == list(ANSWERS)


def test_no_text_becomes_a_formula_in_a_spreadsheet(tmp_path):
    names = ["=1+1.mp4", "+a.mp4", "-b.mp4", "@c.mp4", " =d.mp4", "\tn.mp4", 'e,"f".mp4']
    given = [Video(name, "en", [Take(0, 10, loudness=-30.5)]) for name in names]
    made = make_data_set(tmp_path / "out", given)
    recorded = read_recorded(made.out)
    _, text = write_manifest(made.layout, manifest(recorded, draw_sample(recorded, 100, 0, seed=0)))
    with text.open(encoding="utf-8", newline="") as stream:
        found = {row["source"] for row in csv.DictReader(stream)}
    assert found == {*(f"'{name}" for name in names[:-1]), names[-1]}


def test_answers_that_were_not_imported_are_not_overwritten(data_set):
    recorded = read_recorded(data_set.out)
    check_no_answers_are_lost(data_set.layout)
    table = manifest(recorded, draw_sample(recorded, 100, 0, seed=0))
    _, text = write_manifest(data_set.layout, table)
    check_no_answers_are_lost(data_set.layout)
    frame = pd.read_csv(text, dtype=str, keep_default_na=False)
    frame.loc[0, "decision"] = "accept"
    frame.to_csv(text, index=False)
    with pytest.raises(UsageError, match="tfw review import"):
        check_no_answers_are_lost(data_set.layout)
    save_decisions(data_set.layout, [Decision(frame.loc[0, "clip_id"], True)])
    check_no_answers_are_lost(data_set.layout)
