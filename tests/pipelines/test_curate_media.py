"""The real clips through the real command line, on both engines, and every verb that follows."""

import csv
import json
import time
from pathlib import Path

import pandas as pd
import pytest

from tests.pipelines.black_borders import border_share
from tests.pipelines.curated import clips_of, tfw, verdicts_of

FEW = ("hdtf_hill", "may", "radio_2s", "selfie_12", "portrait_noaudio")
"""Short ones with a fault each or none, where each run of all of them would cost minutes."""


def arguments(sources: Path, out: Path, engine: str = "local") -> list[str]:
    words = ["curate", "--langs", "all", "--recipe", "embedded", "--sources", str(sources)]
    words += ["--set", "faces.detector=scrfd_2.5g", "--engine", engine, "--out", str(out), "--json"]
    return words


@pytest.fixture(scope="module")
def weights(shared, tmp_path_factory):
    folder = tmp_path_factory.mktemp("weights")
    code, _, said = tfw("weights", "import", str(shared / "weights"), "--json", weights=folder)
    assert code == 0, said
    return folder


@pytest.fixture(scope="module")
def few(shared, tmp_path_factory):
    """A list of the sources in FEW."""
    listed = tmp_path_factory.mktemp("few") / "few.csv"
    with (shared / "media" / "MEDIA.csv").open() as stream, listed.open("w") as copy:
        rows = csv.DictReader(stream)
        writer = csv.DictWriter(copy, rows.fieldnames)
        writer.writeheader()
        for row in rows:
            if Path(row["path"]).stem in FEW:
                writer.writerow(row | {"path": shared / "media" / row["path"]})
    return listed


@pytest.fixture(scope="module")
def whole(shared, weights, tmp_path_factory):
    """The set of all real clips."""
    out = tmp_path_factory.mktemp("media") / "whole"
    code, page, stderr = tfw(*arguments(shared / "media" / "MEDIA.csv", out), weights=weights)
    assert code == 0, stderr
    assert page["ok"] and page["command"] == "curate"
    return out


@pytest.fixture(scope="module")
def local(few, weights, tmp_path_factory):
    """The set of the few."""
    out = tmp_path_factory.mktemp("media") / "local"
    code, _, stderr = tfw(*arguments(few, out), weights=weights)
    assert code == 0, stderr
    return out


def labels(shared: Path, network: bool) -> dict[str, str]:
    """Verdicts by path: as labelled, but for clips without speech, argued in media_verdicts.csv.
    Without Silero's network music is speech, and so is selfie_10's background.
    """
    with (shared / "media" / "MEDIA.csv").open() as stream:
        verdicts = {row["path"]: row["expected"] for row in csv.DictReader(stream)}
    with Path(__file__).with_name("media_verdicts.csv").open() as stream:
        for row in csv.DictReader(stream):
            if network or "digital silence" in row["why"]:
                verdicts[row["path"]] = row["verdict"]
    return verdicts


@pytest.mark.long
def test_every_real_clip_ends_as_labelled(shared, whole):
    ends_as_labelled(shared, whole, network=False)


def ends_as_labelled(shared, out, network):
    found = verdicts_of(out)
    for path, expected in labels(shared, network).items():
        if expected == "kept":
            assert "kept" in found[path], (path, found[path])
        else:
            assert found[path] <= set(expected.split(" or ")), (path, found[path])


@pytest.mark.long
def test_every_real_clip_ends_as_labelled_with_the_open_detector_too(shared, open_weight, tmp_path):
    """No setting names it: it is taken where no SCRFD is there. And music is no speech."""
    weights = open_weight("centerface").parent
    for name in ("silero_vad", "voice_embedding", "dnsmos", "face_mesh", "iris"):
        assert open_weight(name).parent == weights
    sources = shared / "media" / "MEDIA.csv"
    words = ["curate", "--langs", "all", "--recipe", "embedded", "--sources", str(sources)]
    # TransNet V2 takes four minutes for these clips, and has tests of its own.
    words += ["--set", "shots.transitions=none", "--engine", "local"]
    words += ["--out", str(tmp_path / "set"), "--json"]
    code, _, stderr = tfw(*words, weights=weights)
    assert code == 0, stderr
    assert set(clips_of(tmp_path / "set")["face_detector"]) == {"centerface"}
    ends_as_labelled(shared, tmp_path / "set", network=True)


@pytest.mark.long
def test_both_engines_give_the_same_table(shared, weights, whole, tmp_path):
    words = arguments(shared / "media" / "MEDIA.csv", tmp_path / "ray", "ray")
    code, _, said = tfw(*words, weights=weights)
    assert code == 0, said
    one, other = clips_of(whole), clips_of(tmp_path / "ray")
    assert list(one.columns) == list(other.columns)
    different = [name for name in one.columns if not one[name].equals(other[name])]
    assert different == []


@pytest.mark.long
def test_a_second_run_does_nothing(few, weights, local):
    before = {path: path.stat().st_mtime_ns for path in (local / "media").rglob("*.mp4")}
    started = time.time()
    code, found, said = tfw(*arguments(few, local), weights=weights)
    assert code == 0, said
    assert found["data"]["new_commit"] is False
    assert {path: path.stat().st_mtime_ns for path in (local / "media").rglob("*.mp4")} == before
    assert not [
        path for path in (local / "journal" / "parts").iterdir() if path.stat().st_mtime > started
    ]


def test_media_lie_where_the_table_says(local):
    from talkingface_wild.core.fingerprint import file_sha256

    clips = pd.read_parquet(local / "dataset" / "clips")
    for row in clips.itertuples():
        name = f"{row.clip_id}-{row.media_sha256[:16]}.mp4"
        assert row.media_path == f"store/{row.clip_id[:2]}/{name}"
        assert file_sha256(local / row.media_path) == row.media_sha256
        link = local / "media" / row.language / f"{row.clip_id}.mp4"
        assert link.samefile(local / row.media_path)
        assert abs(row.media_frames - row.clip_seconds * 25) <= 0.5 + 1e-6


@pytest.mark.long
def test_no_clip_has_more_black_than_its_source(shared, whole):
    """Version 0.3.0 shrank clips that were cropped already into a black frame without a word.

    One is padded, for what its head needs (307 px) is longer than the picture's shorter side (300).
    """
    clips = pd.read_parquet(whole / "dataset" / "clips")
    padded = {Path(row.source_path).stem for row in clips.itertuples() if row.padding_share > 0}
    assert padded == {"head_2"}
    for row in clips.itertuples():
        share = border_share(whole / row.media_path)
        assert abs(share - row.padding_share) <= 0.01, row.source_path
        source = shared / "media" / row.source_path
        if row.padding_share == 0:
            assert share <= border_share(source, row.start_seconds, row.end_seconds) + 0.01
        else:
            assert row.crop_side > min(row.width, row.height), row.source_path


def test_sync_is_unmeasured_and_says_why(local):
    clips = pd.read_parquet(local / "dataset" / "clips")
    assert clips["sync_confidence"].isna().all()
    manifest = json.loads((local / "dataset" / "manifest.json").read_text())
    assert "syncnet_v2" in manifest["unmeasured"]["sync"]


@pytest.mark.long
def test_recut_wins_and_loses_clips_and_ends_where_a_fresh_run_does(few, weights, local, tmp_path):
    code, found, said = tfw("recut", local, "--set", "gates.length=8", "--json", weights=weights)
    assert code == 0, said
    clips = pd.read_parquet(local / "dataset" / "clips")
    assert clips["clip_seconds"].min() >= 8
    assert sum(row["lost"] for row in found["data"]["languages"]) > 0
    code, found, said = tfw("recut", local, "--set", "gates.length=2", "--json", weights=weights)
    assert code == 0, said
    assert found["data"]["pending"] > 0
    assert "tfw curate --out" in said
    code, found, said = tfw(
        "curate", "--out", local, "--engine", "local", "--json", weights=weights
    )
    assert code == 0, said
    assert found["data"]["pending"] == 0
    fresh = [*arguments(few, tmp_path / "fresh"), "--set", "gates.length=2"]
    code, _, said = tfw(*fresh, weights=weights)
    assert code == 0, said
    assert clips_of(local).equals(clips_of(tmp_path / "fresh"))
    code, _, said = tfw("recut", local, "--set", "gates.length=3", "--json", weights=weights)
    assert code == 0, said


def test_why_report_status_and_review_work_on_it(local, weights):
    clip = pd.read_parquet(local / "dataset" / "clips")["clip_id"].iloc[0]
    code, found, said = tfw("why", local, clip, "--json", weights=weights)
    assert code == 0, said
    assert "face_presence_ratio" in str(found["data"])
    code, _, said = tfw("report", local, "--json", weights=weights)
    assert code == 0, said
    assert (local / "report.html").stat().st_size > 10_000
    code, found, said = tfw("status", local, "--json", weights=weights)
    assert code == 0, said
    assert found["data"]["left"] == {}
    code, _, said = tfw("review", "export", local, "--json", weights=weights)
    assert code == 0, said
    manifest = pd.read_csv(local / "review" / "manifest.csv", dtype=str, keep_default_na=False)
    row = manifest["clip_id"] == clip
    manifest.loc[row, ["decision", "reason", "words"]] = [
        "reject",
        "dubbed",
        "lips say something else",
    ]
    manifest.to_csv(local / "answers.csv", index=False)
    code, _, said = tfw(
        "review", "import", local / "answers.csv", "--out", local, "--json", weights=weights
    )
    assert code == 0, said
    assert clip not in set(pd.read_parquet(local / "dataset" / "clips")["clip_id"])
    ledger = pd.read_parquet(local / "dataset" / "ledger")
    last = ledger[(ledger["item_id"] == clip) & (ledger["reason"] == "review:dubbed")]
    assert "lips say something else" in last["detail"].iloc[0]


@pytest.mark.long
def test_hours_per_language_stops_a_language_that_has_enough(few, weights, tmp_path):
    code, found, said = tfw(
        *arguments(few, tmp_path / "few"),
        "--set",
        "targets.wave=1",
        "--hours-per-language",
        "0.001",
        weights=weights,
    )
    assert code == 0, said
    met = found["data"]["reasons"].get("target_met", 0)
    assert met > 0
    english = next(row for row in found["data"]["languages"] if row["language"] == "en")
    assert english["clips_kept"] == 1
