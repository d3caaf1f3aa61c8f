"""Reading a commit back: gates, owners of columns, why a stage did not run, and damaged folders."""

import pytest

from talkingface_wild.core.errors import InputUnreadable
from talkingface_wild.dataset.recorded import read_recorded
from talkingface_wild.pipelines.recutting import recut
from tests.dataset.fixture import GATES, WHY_NO_SYNC, make_data_set
from tests.speed import synthetic


def test_gates_come_back_as_the_recipe_had_them(data_set):
    recorded = read_recorded(data_set.out)
    assert recorded.gates == GATES
    assert recorded.number == 1
    assert recorded.unmeasured == {"sync": WHY_NO_SYNC}
    assert recorded.columns["clip_seconds"].unit == "s"
    assert recorded.columns["clip_seconds"].meaning == "length of the clip"


def test_verdicts_and_languages_in_words(data_set):
    recorded = read_recorded(data_set.out)
    assert recorded.verdict_of(data_set.clip("en/one.mp4", 0)) == "kept"
    assert recorded.verdict_of(data_set.clip("en/one.mp4", 3)) == "rejected: too_short"
    assert recorded.language_of(data_set.clip("ko/three.mp4", 0)) == "ko"


def test_a_sources_measure_is_counted_once_a_source_and_a_clips_once_a_clip(data_set):
    recorded = read_recorded(data_set.out)
    assert len(recorded.measured_rows("has_audio")) == 5
    assert len(recorded.measured_rows("clip_seconds")) == 11


def test_owners_are_what_is_written_in_the_fields(data_set):
    owners = read_recorded(data_set.out).owners
    assert owners["clip_seconds"] == "shots"
    assert "item_id" not in owners
    assert "@probe:state" not in owners


def test_a_folder_without_a_commit_and_a_damaged_one_are_told_apart(tmp_path):
    with pytest.raises(InputUnreadable, match="tfw curate"):
        read_recorded(tmp_path)
    made = make_data_set(tmp_path / "out")
    (made.layout.latest() / "items" / "part-0.parquet").write_bytes(b"PAR1 and nothing more")
    with pytest.raises(InputUnreadable, match="tfw recut"):
        read_recorded(made.out)


def test_a_gate_that_is_switched_off_is_no_gate_of_the_set(tmp_path):
    """Report and why judged by gates that a recut had switched off."""
    synthetic.write(tmp_path, 20)
    recut(tmp_path, ["gates.yaw=off"])
    names = [gate.name for gate in read_recorded(tmp_path).gates]
    assert "yaw_most" in names
    assert "yaw" not in names
