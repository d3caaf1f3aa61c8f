"""What a commit names stays as it is, whatever runs after it; media/ is the kept clips alone."""

import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pandas as pd
import pyarrow.parquet as pq
import pytest

from tests.dataset.stored import broken, media_equal_clips
from tests.pipelines.curated import environment, tfw


def run(out, *more):
    return ["curate", "--langs", "ko", "--engine", "local", "--out", str(out), "--json", *more]


@pytest.fixture(scope="module")
def begun(tmp_path_factory):
    out = tmp_path_factory.mktemp("store") / "begun"
    code, _, said = tfw(*run(out, "--recipe", "demo"))
    assert code == 0, said
    return out


@pytest.fixture
def out(begun, tmp_path):
    shutil.copytree(begun, tmp_path / "out", symlinks=True)
    return tmp_path / "out"


@pytest.fixture(scope="module")
def weights(shared, tmp_path_factory):
    folder = tmp_path_factory.mktemp("weights")
    code, _, said = tfw("weights", "import", str(shared / "weights"), "--json", weights=folder)
    assert code == 0, said
    return folder


def clips_of(folder: Path) -> pd.DataFrame:
    frame: pd.DataFrame = pq.read_table(folder / "clips").to_pandas()
    return frame.set_index("clip_id").sort_index()


def number_of(out: Path) -> int:
    return int((out / "dataset").resolve().name)


@pytest.mark.long
def test_hashes_hold_after_another_detector_another_encode_a_recut_and_a_review(out, weights):
    """Another detector's run overwrote all eight files whose hashes the commit before records."""
    first = clips_of(out / "dataset")
    assert len(first) >= 2
    assert broken(out) == [] and media_equal_clips(out)

    code, _, said = tfw(*run(out, "--set", "faces.detector=scrfd_500m"), weights=weights)
    assert code == 0, said
    detected = clips_of(out / "dataset")
    both = first.index.intersection(detected.index)
    assert (first.loc[both, "media_sha256"] != detected.loc[both, "media_sha256"]).any()
    assert broken(out) == [] and media_equal_clips(out)

    code, _, said = tfw(*run(out, "--set", "encode.crf=24"), weights=weights)
    assert code == 0, said
    assert (clips_of(out / "dataset")["media_sha256"] != detected["media_sha256"]).all()
    assert broken(out) == [] and media_equal_clips(out)

    bound = clips_of(out / "dataset")["clip_seconds"].max()
    code, _, said = tfw("recut", out, "--set", f"gates.length={bound}", "--json")
    assert code == 0, said
    assert 0 < len(clips_of(out / "dataset")) < len(detected)
    assert broken(out) == [] and media_equal_clips(out)

    code, _, said = tfw("commits", out, "restore", 1, "--json")
    assert code == 0, said
    rejected = sorted(first.index)[0]
    answers = out / "review" / "answers.csv"
    answers.parent.mkdir(exist_ok=True)
    answers.write_text(
        f"clip_id,decision,reason,words,reviewer\n{rejected},reject,out_of_sync,,somebody\n"
    )
    code, _, said = tfw("review", "import", answers, "--out", out, "--json")
    assert code == 0, said
    assert rejected not in clips_of(out / "dataset").index
    assert not list((out / "media").rglob(f"{rejected}.*"))
    assert broken(out) == [] and media_equal_clips(out)

    code, found, said = tfw("commits", out, "--json")
    assert code == 0, said
    made_by = [row["made_by"] for row in found["data"]["commits"]]
    assert made_by == ["curate", "curate", "curate", "recut", "review"]


def test_after_a_restore_the_next_run_and_recut_go_on_from_there(out):
    first = clips_of(out / "dataset")
    shortest, longest = first["clip_seconds"].min(), first["clip_seconds"].max()
    assert shortest < longest
    code, _, said = tfw("recut", out, "--set", f"gates.length={longest}", "--json")
    assert code == 0, said
    assert len(clips_of(out / "dataset")) < len(first)
    code, _, said = tfw("commits", out, "restore", 1, "--json")
    assert code == 0, said
    assert clips_of(out / "dataset").equals(first) and media_equal_clips(out)
    code, found, said = tfw(*run(out))
    assert code == 0, said
    assert (found["data"]["new_commit"], number_of(out)) == (False, 1)
    code, _, said = tfw("recut", out, "--set", "gates.sharpness=off", "--json")
    assert code == 0, said
    assert number_of(out) == 3
    assert len(clips_of(out / "dataset")) >= len(first)


def test_a_clip_that_was_purged_comes_back_when_it_is_kept_again(out):
    """After a recut, a purge and a looser recut, clips/ would have named files that are gone."""
    first = clips_of(out / "dataset")
    bound = first["clip_seconds"].max()
    before = sum(path.stat().st_size for path in (out / "store").rglob("*.*"))
    tfw("recut", out, "--set", f"gates.length={bound}", "--json")
    kept = clips_of(out / "dataset")
    lost = sorted(first.index.difference(kept.index))
    assert lost
    tfw("commits", out, "prune", "--keep", 1, "--json")
    code, found, said = tfw("purge", out, "--json")
    assert code == 0, said
    names = {Path(name).name[:16] for name in found["data"]["files"]}
    assert names == set(lost)
    after = sum(path.stat().st_size for path in (out / "store").rglob("*.*"))
    assert before - after == found["data"]["bytes"] > 0
    assert broken(out) == [] and media_equal_clips(out)

    code, found, said = tfw("recut", out, "--set", "gates.length=3", "--json")
    assert code == 0, said
    assert found["data"]["pending"] == len(lost)
    assert broken(out) == [] and media_equal_clips(out)
    code, _, said = tfw(*run(out))
    assert code == 0, said
    assert clips_of(out / "dataset")["media_sha256"].equals(first["media_sha256"])
    assert broken(out) == [] and media_equal_clips(out)


def test_media_left_behind_by_a_crash_are_in_step_when_the_next_run_begins(out):
    for path in (out / "media").rglob("*.mp4"):
        path.unlink()
    code, found, said = tfw(*run(out))
    assert code == 0, said
    assert found["data"]["new_commit"] is False
    assert media_equal_clips(out)


def test_kill_9_while_clips_are_encoded_leaves_only_what_purge_removes(out):
    command = [sys.executable, "-m", "talkingface_wild.cli.main"]
    process = subprocess.Popen(
        [*command, *run(out, "--set", "encode.size=256")],
        env=environment(),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    while process.poll() is None and not list((out / "store").glob("*/.*")):
        time.sleep(0.005)
    assert process.poll() is None, "the run was over before it could be killed"
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    assert list((out / "store").glob("*/.*"))
    code, _, said = tfw(*run(out, "--set", "encode.size=256"))
    assert code == 0, said
    assert media_equal_clips(out)
    code, _, said = tfw("commits", out, "prune", "--keep", 1, "--json")
    assert code == 0, said
    code, _, said = tfw("purge", out, "--json")
    assert code == 0, said
    stored = {path.relative_to(out).as_posix() for path in (out / "store").rglob("*.*")}
    clips = clips_of(out / "dataset")
    assert stored == {*clips["media_path"], *clips["audio_path"]}
