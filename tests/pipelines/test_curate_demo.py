"""The demo corpus: planted faults under their reasons; killed at random it ends the same."""

import csv
import random
import shutil
from pathlib import Path

import pytest

from tests.pipelines.curated import clips_of, tfw, tfw_killed, verdicts_of

KILLS = 10
OPEN = (
    "centerface",
    "face_mesh",
    "iris",
    "silero_vad",
    "transnetv2",
    "voice_embedding",
    "dnsmos",
    "dlib_identity",
    "dlib_points",
)
"""The weights that `tfw weights fetch --open` brings, but for the detector of text."""


def arguments(out: Path, *more: str) -> list[str]:
    return [
        "curate",
        "--langs",
        "all",
        "--recipe",
        "demo",
        "--engine",
        "local",
        "--out",
        str(out),
        "--json",
        *more,
    ]


@pytest.fixture(scope="module")
def demo(demo_out):
    """The session's demo, and what the same command says when nothing is left to do."""
    code, found, said = tfw(*arguments(demo_out))
    assert code == 0, said
    return demo_out, found


def test_demo_rejects_each_planted_fault_under_its_reason(demo):
    out, _ = demo
    found = verdicts_of(out)
    with (out / "corpus" / "corpus.csv").open() as stream:
        rows = list(csv.DictReader(stream))
    assert {row["expected"] for row in rows} >= {
        "kept",
        "multiple_faces",
        "no_face",
        "blurry",
        "no_audio",
        "undecodable",
        "too_short",
    }
    # No network is here, and some faults need one: their clips are kept, as the list says.
    assert sum(row["needs_network"] == "yes" for row in rows) == 3
    for row in rows:
        if row["expected"] == "kept" or row["needs_network"] == "yes":
            assert "kept" in found[row["path"]], (row["path"], found[row["path"]])
        else:
            assert found[row["path"]] == {row["expected"]}, (row["path"], found[row["path"]])


def test_demo_keeps_clips_in_all_ten_languages(demo):
    _, found = demo
    assert len(found["data"]["languages"]) == 10
    assert all(row["clips_kept"] > 0 for row in found["data"]["languages"])


def test_demo_splits_have_no_source_on_two_sides(demo):
    import pandas as pd

    clips = pd.read_parquet(demo[0] / "dataset" / "clips")
    assert clips.groupby("source_id")["split"].nunique().max() == 1


@pytest.mark.long
def test_killed_at_random_moments_it_ends_with_the_same_table(demo, tmp_path):
    """Each kill -9 costs at most the items in flight, one per stage batch, and never the table."""
    whole, _ = demo
    chance = random.Random(20261120)
    out = tmp_path / "killed"
    kills = sum(tfw_killed(chance.uniform(2.0, 11.0), *arguments(out)) for _ in range(KILLS))
    assert kills >= 3
    code, found, said = tfw(*arguments(out))
    assert code == 0, said
    assert found["data"]["failed"] == 0
    assert clips_of(out).equals(clips_of(whole))


@pytest.mark.long
def test_score_all_measures_what_is_rejected(demo, tmp_path):
    import pandas as pd

    code, _, said = tfw(*arguments(tmp_path / "scored", "--score-all", "--langs", "de"))
    assert code == 0, said
    items = pd.read_parquet(tmp_path / "scored" / "dataset" / "items")
    rejected = items[(items["level"] == "clip") & (items["verdict_state"] == "rejected")]
    assert rejected["face_presence_ratio"].notna().any()
    assert rejected["media_path"].isna().all()


def test_a_source_is_decoded_once_a_surviving_span_once_more_a_kept_clip_encoded_once(
    tmp_path, monkeypatch
):
    """Decoding is most of the cost: a stage that decodes for itself would show here."""
    from talkingface_wild.core.reporter import Quiet
    from talkingface_wild.jobs.curate.request import CurateRequest
    from talkingface_wild.jobs.curate.run import curate
    from talkingface_wild.pipelines import clip_crops, source_proxy
    from talkingface_wild.pipelines.stages import encode

    counts = {"analyse": 0, "_decode_once": 0, "encode_clip": 0}
    for module, name in (
        (source_proxy, "analyse"),
        (clip_crops, "_decode_once"),
        (encode, "encode_clip"),
    ):
        monkeypatch.setattr(module, name, _counted(getattr(module, name), counts))
    request = CurateRequest(out=tmp_path / "out", languages="en", recipe="demo", engine="local")
    outcome = curate(request, Quiet())
    table = outcome.ruling.table
    assert counts["analyse"] == int((table["@shots:state"] == "split").sum())
    assert counts["_decode_once"] == int((table["@sharpness:state"] == "done").sum())
    assert counts["encode_clip"] == outcome.count("kept", "clip") > 0


def _counted(work, counts):
    def call(*arguments, **options):
        counts[work.__name__] += 1
        return work(*arguments, **options)

    return call


@pytest.mark.long
def test_with_the_open_networks_each_planted_fault_is_found(open_weight, tmp_path):
    """As ``make demo`` goes where the index answers: music and a voice-over by the first command,
    sound that is off by the second; and the corpus's ten persons are ten.
    """
    folder = tmp_path / "weights"
    folder.mkdir()
    for name in OPEN:
        shutil.copy(open_weight(name), folder)
    out = tmp_path / "set"
    code, _, said = tfw(*arguments(out), weights=folder)
    assert code == 0, said
    code, answer, said = tfw("calibrate", "sync", str(out), "--json", weights=folder)
    assert code == 0, said
    assert answer["data"]["thresholds"][0]["auc"] > 0.95
    found = verdicts_of(out)
    with (out / "corpus" / "corpus.csv").open() as stream:
        for row in csv.DictReader(stream):
            if row["expected"] == "kept":
                assert "kept" in found[row["path"]], (row["path"], found[row["path"]])
            else:
                assert found[row["path"]] == {row["expected"]}, (row["path"], found[row["path"]])
    clips = clips_of(out)
    assert clips.groupby("language", observed=True)["identity"].nunique().eq(1).all()
    assert clips["identity"].nunique() == 10
