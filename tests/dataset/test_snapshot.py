"""Reading a commit back: gates, owners of columns, why a stage did not run, and damaged folders."""

import json
from datetime import UTC, datetime

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from talkingface_wild.core.errors import InputUnreadable
from talkingface_wild.dataset.decisions import Decision, save_decisions
from talkingface_wild.dataset.funnel import funnel
from talkingface_wild.dataset.load import load
from talkingface_wild.dataset.snapshot import read_recorded
from talkingface_wild.jobs.recut import RecutRequest, recut
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
    recut(RecutRequest(out=tmp_path, settings=["gates.yaw=off"]))
    names = [gate.name for gate in read_recorded(tmp_path).gates]
    assert "yaw_most" in names
    assert "yaw" not in names


def _as_before(folder, table, prefix):
    """Rewrite a table as version 0.3.0 wrote reviewers' rejections."""
    path = folder / table / "part-0.parquet"
    rows = pq.read_table(path)
    frame = rows.to_pandas()
    rejected = frame[f"{prefix}reason"].astype(str).str.startswith("review:").to_numpy()
    names = frame.loc[rejected, f"{prefix}reason"].str.removeprefix("review:")
    words = frame.loc[rejected, f"{prefix}detail"].fillna("")
    details = [": ".join(filter(None, pair)) for pair in zip(names, words, strict=True)]
    frame.loc[rejected, f"{prefix}detail"] = details
    frame.loc[rejected, f"{prefix}reason"] = "review"
    pq.write_table(pa.Table.from_pandas(frame, rows.schema, preserve_index=False), path)


def test_an_older_folders_review_rejections_are_shown_with_their_reason(data_set):
    """Funnel, report and why said ``review`` only, whatever the reviewers had written."""
    dubbed, synced = data_set.clip("en/two.mp4", 2), data_set.clip("en/two.mp4", 3)
    answers = [
        Decision(dubbed, False, "dubbed", "another: voice"),
        Decision(synced, False, "out_of_sync"),
    ]
    save_decisions(data_set.layout, answers)
    data_set.commit()
    now = read_recorded(data_set.out)
    _as_before(data_set.layout.latest(), "items", "verdict_")
    _as_before(data_set.layout.latest(), "ledger", "")
    raw = pd.read_parquet(data_set.out / "dataset" / "ledger")
    assert set(raw.loc[raw["stage"] == "review", "reason"]) == {"review"}
    old = read_recorded(data_set.out)
    assert old.verdict_of(dubbed) == now.verdict_of(dubbed) == "rejected: review:dubbed"
    assert old.row(dubbed)["verdict_detail"] == "another: voice"
    for recorded in (old, now):
        review = funnel(recorded.ledger)[-1]
        assert review.reasons == {"review:dubbed": 1, "review:out_of_sync": 1}
    ledger = load(data_set.out, "ledger")
    assert set(ledger["reason"].dropna()) >= {"review:dubbed", "review:out_of_sync"}


def test_a_commit_says_when_it_was_made_and_what_its_set_is_called(data_set):
    recorded = read_recorded(data_set.out)
    assert recorded.name == "out"
    assert abs((datetime.now(UTC) - recorded.written).total_seconds()) < 600


def test_a_commit_of_before_says_elsewhere_why_stages_measured_nothing(tmp_path):
    """The manifest says it now; fingerprints.json and columns of the tables did before."""
    made = make_data_set(tmp_path / "out")
    folder = made.layout.latest()
    manifest = json.loads((folder / "manifest.json").read_text())
    assert manifest.pop("unmeasured") == {"sync": WHY_NO_SYNC}
    (folder / "manifest.json").write_text(json.dumps(manifest))
    assert read_recorded(made.out).unmeasured == {"sync": WHY_NO_SYNC}
    (folder / "fingerprints.json").unlink()
    path = folder / "items" / "part-0.parquet"
    table = pq.read_table(path)
    told = pa.array([WHY_NO_SYNC] * len(table))
    pq.write_table(table.append_column("sync_unmeasured", told), path)
    assert read_recorded(made.out).unmeasured == {"sync": WHY_NO_SYNC}


def test_a_commits_time_is_in_utc_wherever_it_was_made(data_set):
    """The report said UTC and printed the local time of the machine that had made the commit."""
    origin = data_set.out / "dataset" / "origin.json"
    noted = {"made_by": "curate", "at": "2026-11-28T10:00:00+05:30"}
    origin.write_text(json.dumps(noted))
    assert f"{read_recorded(data_set.out).written:%Y-%m-%d %H:%M %Z}" == "2026-11-28 04:30 UTC"
