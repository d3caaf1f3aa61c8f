"""The whole path of clips and sources, and the many ways to name them."""

import pandas as pd
import pytest

from talkingface_wild.core.columns import Column
from talkingface_wild.core.errors import UsageError
from talkingface_wild.dataset.decisions import Decision, save_decisions
from talkingface_wild.dataset.naming import find_item
from talkingface_wild.dataset.snapshot import read_recorded
from talkingface_wild.dataset.why import story_of
from tests.dataset.fixture import STAGES, WHY_NO_SYNC, Identities, make_data_set


class Balance(Identities):
    """A barrier over what the stage sync measures."""

    name = "balance"
    needs = ("sync_confidence",)
    columns = (Column("balance", "string", "a word"),)

    def compute(self, table):
        return pd.DataFrame({"balance": "unverified"}, index=table.index)


def _story(made, video, index):
    return story_of(read_recorded(made.out), made.clip(video, index))


def test_a_rejected_clip_is_told_from_its_source_to_the_gate(read_only):
    told = _story(read_only, "ko/three.mp4", 1)
    assert (told.level, told.language, told.source) == ("clip", "ko", "ko/three.mp4")
    assert (told.start_seconds, told.end_seconds) == (12.0, 20.0)
    assert (told.state, told.reason, told.gate, told.stage) == (
        "rejected",
        "low_quality",
        "quality",
        "quality",
    )
    steps = [(p.stage, p.item == told.item, p.state) for p in told.passages]
    assert steps == [
        ("probe", False, "done"),
        ("shots", False, "split"),
        ("shots", True, "cut"),
        ("speech", True, "done"),
        ("quality", True, "done"),
        ("sync", True, "unmeasured"),
    ]
    gates = {gate.gate: gate for passage in told.passages for gate in passage.gates}
    assert gates["sound"].outcome == gates["length"].outcome == gates["speech"].outcome == "passed"
    quality = gates["quality"]
    assert (quality.value, quality.comparison, quality.bound) == (34.0, ">=", 35.0)
    assert (quality.outcome, quality.reason) == ("failed", "low_quality")
    assert gates["sync"].outcome == "not judged"


def test_each_measure_is_told_once_where_it_was_taken(read_only):
    told = _story(read_only, "en/one.mp4", 0)
    where = {name: p.stage for p in told.passages for name in p.measures}
    assert where["has_audio"] == "probe"
    assert where["clip_seconds"] == "shots"
    assert where["quality_crop_mean"] == "quality"
    every = [name for passage in told.passages for name in passage.measures]
    assert len(every) == len(set(every))
    speech = next(p for p in told.passages if p.stage == "speech")
    assert (speech.attempts, speech.seconds, speech.cpu_seconds) == (1, 0.5, 0.25)
    sync = next(p for p in told.passages if p.stage == "sync")
    assert sync.reason == WHY_NO_SYNC
    assert sync.gates[0].outcome == "not measured"
    assert told.media_path.endswith(".mp4")
    assert "split" in where


def test_a_barrier_without_its_input_is_not_measured(tmp_path):
    """``why`` called languages computed where no language had been measured."""
    made = make_data_set(tmp_path / "out", stages=(*STAGES[:5], Balance, *STAGES[5:]))
    told = _story(made, "en/one.mp4", 0)
    states = {p.stage: (p.state, p.reason) for p in told.passages}
    assert states["balance"] == ("unmeasured", "stage sync was not measured")
    assert states["split"] == ("computed", None)


def test_the_ledger_marks_what_was_let_through_and_nothing_else(read_only):
    """It held ``kept`` for clips at a stage that had measured nothing, as for judged ones."""
    ledger = read_recorded(read_only.out).ledger
    let_through = ledger[ledger["detail"] == "not measured"]
    assert set(let_through["stage"]) == {"sync"} and set(let_through["state"]) == {"kept"}
    sync = ledger[(ledger["stage"] == "sync") & (ledger["state"] == "kept")]
    assert len(sync) == len(let_through) > 0


def test_a_source_tells_its_clips(read_only):
    recorded = read_recorded(read_only.out)
    told = story_of(recorded, find_item(recorded, "en/one.mp4"))
    assert (told.level, told.state) == ("source", "split")
    assert [(part.start_seconds, part.verdict) for part in told.parts] == [
        (0.0, "kept"),
        (10.0, "kept"),
        (20.0, "rejected: little_speech"),
        (30.0, "rejected: too_short"),
    ]


def test_a_failed_source_tells_attempts_and_reason(read_only):
    recorded = read_recorded(read_only.out)
    told = story_of(recorded, find_item(recorded, "gone"))
    (probe,) = told.passages
    assert (probe.state, probe.reason, probe.attempts) == ("failed", "file_missing", 3)
    assert told.state == "failed"
    silent = story_of(recorded, find_item(recorded, "silent.mp4"))
    assert silent.passages[0].gates[0].outcome == "failed"
    assert silent.reason == "no_audio"


def test_a_reviewers_words_end_the_story(data_set):
    clip = data_set.clip("en/two.mp4", 2)
    save_decisions(data_set.layout, [Decision(clip, False, "dubbed", "another voice", "ana")])
    data_set.commit()
    told = _story(data_set, "en/two.mp4", 2)
    assert (told.state, told.stage, told.reason) == ("rejected", "review", "review:dubbed")
    assert told.review == Decision(clip, False, "dubbed", "another voice", "ana")
    gates = [gate for passage in told.passages for gate in passage.gates]
    assert {gate.outcome for gate in gates} == {"passed", "not measured"}


def test_items_are_found_by_id_prefix_path_name_and_stem(read_only):
    recorded = read_recorded(read_only.out)
    clip = read_only.clip("en/one.mp4", 0)
    source = recorded.items.at[clip, "root_id"]
    assert find_item(recorded, clip) == clip
    assert find_item(recorded, clip[:8]) == clip
    assert [find_item(recorded, name) for name in ("en/one.mp4", "one.mp4", "one")] == [source] * 3


@pytest.mark.parametrize("asked", ["thre", "zzzzzz", "c", ""])
def test_what_is_unknown_is_refused_with_the_nearest_name(read_only, asked):
    with pytest.raises(UsageError, match="did you mean 'three'" if asked == "thre" else "found"):
        find_item(read_recorded(read_only.out), asked)


def test_a_prefix_of_several_is_refused_with_all_of_them(read_only):
    recorded = read_recorded(read_only.out)
    twins = recorded.items.iloc[[0, 1]].set_axis(["cabcd1", "cabcd2"])
    recorded.items.drop(recorded.items.index, inplace=True)
    recorded.items.loc["cabcd1"], recorded.items.loc["cabcd2"] = twins.iloc[0], twins.iloc[1]
    with pytest.raises(UsageError, match=r"cabcd1 \(.*\), cabcd2"):
        find_item(recorded, "cabc")
