"""The funnel counts each item once per stage, and no second of video twice."""

import pandas as pd

from talkingface_wild.dataset.funnel import by_language, funnel

COLUMNS = ["stage", "item_id", "level", "state", "reason", "detail", "clip_seconds"]
ROWS = [
    ("probe", "s1", "source", "kept", None, None, None),
    ("probe", "s2", "source", "rejected", "no_audio", None, None),
    ("probe", "s3", "source", "failed", "file_missing", None, None),
    ("shots", "s1", "source", "kept", None, "split", None),
    ("shots", "c1", "clip", "kept", None, None, 36.0),
    ("shots", "c2", "clip", "kept", None, None, 72.0),
    ("shots", "c3", "clip", "rejected", "too_short", None, 2.0),
    ("faces", "c1", "clip", "kept", None, "split", 36.0),
    ("faces", "c1a", "clip", "kept", None, None, 18.0),
    ("faces", "c1b", "clip", "kept", None, None, 18.0),
    ("faces", "c2", "clip", "pending", None, None, 72.0),
]


def _ledger():
    return pd.DataFrame(ROWS, columns=COLUMNS)


def test_each_stage_counts_what_reached_it():
    probe, shots, faces = funnel(_ledger())
    assert (probe.stage, probe.level, probe.entered) == ("probe", "source", 3)
    assert (probe.kept, probe.rejected, probe.failed, probe.hours_kept) == (1, 1, 1, None)
    assert probe.reasons == {"file_missing": 1, "no_audio": 1}
    assert (shots.level, shots.entered, shots.kept, shots.rejected) == ("clip", 3, 2, 1)
    assert shots.hours_kept == 0.03
    # The clip that was cut further is replaced by its two parts: their 36 s count once.
    assert (faces.entered, faces.kept, faces.pending, faces.hours_kept) == (3, 2, 1, 0.01)


def test_an_empty_ledger_has_no_steps():
    assert funnel(_ledger().iloc[:0]) == []


def test_languages_count_by_their_final_language():
    items = pd.DataFrame(
        {
            "level": ["source", "source", "clip", "clip", "clip"],
            "group": ["en", "fr", "en", "en", "en"],
            "verdict_state": ["split", "rejected", "kept", "split", "kept"],
        }
    )
    clips = pd.DataFrame({"language": ["en", "de"], "clip_seconds": [36.0, 72.0]})
    rows = {row["language"]: row for row in by_language(items, clips)}
    assert sorted(rows) == ["de", "en", "fr"]
    assert (rows["en"]["sources"], rows["en"]["clips_cut"], rows["en"]["clips_kept"]) == (1, 2, 1)
    assert (rows["de"]["hours_kept"], rows["de"]["mean_seconds"]) == (0.02, 72.0)
    assert (rows["fr"]["clips_kept"], rows["fr"]["mean_seconds"]) == (0, None)


def test_a_stage_that_measured_nothing_is_no_pass():
    """The funnel said "sync 6 entered 6 kept" where no lip-sync had been measured."""
    probe, shots, faces = funnel(_ledger(), {"faces": "weight scrfd_10g is missing"})
    assert (probe.measured, probe.unmeasured) == (True, None)
    assert shots.measured
    assert (faces.measured, faces.unmeasured) == (False, "weight scrfd_10g is missing")
    assert (faces.entered, faces.kept, faces.hours_kept) == (3, None, None)
    assert (faces.pending, faces.stayed) == (1, 2)
