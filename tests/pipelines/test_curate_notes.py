"""What a finished run must not leave unsaid: clips without speech, folders not looked at again."""

import shutil

import pandas as pd
import pytest

from tests.pipelines.curated import tfw


def _run(out, *more):
    words = ("curate", "--recipe", "embedded", "--set", "gates.speech=off", "--engine", "local")
    return tfw(*words, "--out", out, *more, "--json")


@pytest.fixture(scope="module")
def quiet(shared, tmp_path_factory):
    """A set of one clip whose sound track is digital silence, and how its run ended."""
    place = tmp_path_factory.mktemp("quiet")
    (place / "videos" / "de").mkdir(parents=True)
    shutil.copy(shared / "media" / "clips" / "selfie_18.mp4", place / "videos" / "de")
    code, told, said = _run(place / "set", "--sources", place / "videos")
    assert code == 0, said
    return place, told, said


@pytest.mark.long
def test_a_kept_clip_without_speech_is_said_and_stays_kept(quiet):
    """``embedded`` kept a clip of -120 dBFS in a talking-face set without a word."""
    place, told, said = quiet
    (clip,) = pd.read_parquet(place / "set" / "dataset" / "clips").to_dict("records")
    assert (clip["speech_ratio"], clip["loudness_dbfs"]) == (0.0, -120.0)
    (note,) = told["data"]["notes"]
    assert note.startswith(f"1 kept clip has no speech (speech_ratio 0.0): {clip['clip_id']};")
    assert f"note: {note}" in said
    code, report, said = tfw("report", place / "set", "--json")
    assert code == 0, said
    assert note in report["warnings"]


def test_a_run_that_looks_at_no_folder_says_so(quiet, shared):
    """New files in the folder were passed over in silence unless --sources was repeated."""
    place, _, _ = quiet
    shutil.copy(shared / "media" / "clips" / "radio_2s.mp4", place / "videos" / "de")
    code, told, said = _run(place / "set")
    assert code == 0, said
    assert told["data"]["sources"] == 1
    assert any("--sources FOLDER" in note for note in told["data"]["notes"])
    code, told, said = _run(place / "set", "--sources", place / "videos")
    assert code == 0, said
    assert told["data"]["sources"] == 2
    assert not any("--sources FOLDER" in note for note in told["data"]["notes"])


def test_unmeasured_stages_are_told_in_the_summary_and_by_status(quiet):
    place, told, _ = quiet
    steps = {step["stage"]: step for step in told["data"]["funnel"]}
    assert (steps["sync"]["measured"], steps["sync"]["unmeasured"]) == (
        False,
        "weight syncnet_v2 is missing",
    )
    assert steps["speech"]["measured"]
    code, status, said = tfw("status", place / "set", "--json")
    assert code == 0, said
    assert status["data"]["unmeasured"]["sync"] == "weight syncnet_v2 is missing"
    assert status["data"]["unmeasured"]["identities"] == "stage identity was not measured"
    assert status["data"]["hours_kept"] == pytest.approx(told["data"]["hours_kept"], abs=1e-4)
    code, _, _ = tfw("status", place / "set")
    assert code == 0


def test_a_compact_set_is_cut_anew_and_stays_compact(quiet, tmp_path):
    place, _, _ = quiet
    shutil.copytree(place / "set", tmp_path / "set", symlinks=True)
    whole = pd.read_parquet(tmp_path / "set" / "dataset" / "clips")
    code, told, said = _run(tmp_path / "set", "--compact")
    assert code == 0, said
    assert told["data"]["new_commit"]
    left_out = told["data"]["null_columns"]
    assert len(left_out) > 30
    assert whole[list(left_out)].isna().all(axis=None)
    code, _, said = tfw("recut", tmp_path / "set", "--set", "gates.length=4", "--json")
    assert code == 0, said
    again = pd.read_parquet(tmp_path / "set" / "dataset" / "clips")
    assert set(again) == set(whole) - set(left_out)
    code, told, said = tfw("why", tmp_path / "set", again["clip_id"].iloc[0], "--json")
    assert code == 0, said
    assert told["data"]["state"] == "kept"
