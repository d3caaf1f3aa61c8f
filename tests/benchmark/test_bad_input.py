"""What goes wrong with clips: a sentence each, the rest is scored, nothing drops in silence."""

import re
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from talkingface_wild.benchmark.base import Metric, Score
from talkingface_wild.benchmark.metrics import METRICS
from talkingface_wild.benchmark.metrics.likeness import Ssim
from talkingface_wild.core.errors import InputUnreadable, UsageError
from talkingface_wild.media.ffmpeg import ffmpeg_binary
from tests.benchmark.films import MADE, RATE, REAL, film, pairs_csv, pictures, scored


def _row(outcome, clip):
    return outcome.run.clips().set_index("clip").loc[clip]


def test_outputs_without_a_partner_are_left_out_and_missing_ones_have_failed(
    pairs_of, pixels, tmp_path
):
    def spoil(real, made):
        (real / "may.mp4").unlink()
        (made / "hill.mp4").rename(made / "mountain.mp4")

    found = scored(tmp_path / "run", **pairs_of(spoil), protocol=pixels)
    clips = found.run.clips().set_index("clip")
    assert list(clips.index) == ["anne", "hill", "zhao"]
    assert clips["state"].to_dict() == {"anne": "scored", "hill": "static", "zhao": "scored"}
    said = " ".join(found.notes)
    assert "2 videos of" in said and "('may', 'mountain')" in said
    assert "1 video of" in said and "('hill'): counted as failed" in said


def test_no_name_in_common_is_an_error(pairs_of, pixels, tmp_path):
    asked = pairs_of(
        lambda real, made: [p.rename(p.with_stem("x" + p.stem)) for p in made.iterdir()]
    )
    with pytest.raises(InputUnreadable, match="no name in common"):
        scored(tmp_path / "run", **asked, protocol=pixels)


def test_two_videos_of_one_name_are_an_error(pairs_of, pixels, tmp_path):
    asked = pairs_of(lambda real, made: shutil.copy(made / "may.mp4", made / "may.mov"))
    with pytest.raises(InputUnreadable, match=r"may\.mov and may\.mp4"):
        scored(tmp_path / "run", **asked, protocol=pixels)


def _truncated(path):
    path.write_bytes(path.read_bytes()[:3000])


BROKEN = {
    "text": (lambda path: path.write_text("no video\n"), "not_a_video"),
    "empty": (lambda path: path.write_bytes(b""), "empty_file"),
    "truncated": (_truncated, None),
    "one frame": (lambda path: film(path, pictures(path, 1), None), "too_short"),
    "far too short": (lambda path: film(path, pictures(path, 12), None), "too_short"),
}


@pytest.mark.parametrize("what", BROKEN)
def test_a_broken_video_of_a_method_is_scored_with_the_still_and_counted(
    pairs_of, pixels, tmp_path, what
):
    spoil, reason = BROKEN[what]
    found = scored(
        tmp_path / "run", **pairs_of(lambda real, made: spoil(made / "may.mp4")), protocol=pixels
    )
    row = _row(found, "may")
    assert row["state"] == "static" and row["detail"]
    assert reason is None or row["reason"] == reason
    assert found.run.failures == 1 and found.failed == 0
    said = next(note for note in found.notes if "static" in note)
    assert said.startswith("1 of 4 clips failed, wholly or for some networks")
    assert "nothing of this row in bold" in said
    assert found.run.scores["ssim"].n == 4
    still = scored(
        tmp_path / "still", model="static", protocol=pixels,
        outputs=tmp_path / MADE, reference=tmp_path / REAL,
    )  # fmt: skip
    assert row["ssim"] == pytest.approx(_row(still, "may")["ssim"])


@pytest.mark.parametrize("what", ["text", "empty", "truncated", "one frame"])
def test_a_broken_reference_is_a_row_with_a_reason(pairs_of, pixels, tmp_path, what):
    spoil, reason = BROKEN[what]
    found = scored(
        tmp_path / "run", **pairs_of(lambda real, made: spoil(real / "may.mp4")), protocol=pixels
    )
    row = _row(found, "may")
    assert row["state"] == "unscored" and row["detail"]
    assert reason is None or row["reason"] == reason
    assert found.unscored == 1 and found.run.scores["ssim"].n == 3
    assert "clips=3/4" in found.run.scores["ssim"].signature
    assert any("1 clip could not be scored (may: " in note for note in found.notes)


def test_nothing_that_can_be_scored_is_an_error_that_names_files(pairs_of, pixels, tmp_path):
    def spoil(real, made):
        for path in real.iterdir():
            path.write_text("no video")

    with pytest.raises(InputUnreadable) as nothing:
        scored(tmp_path / "run", **pairs_of(spoil), protocol=pixels)
    assert "none of 4" in str(nothing.value) and "anne: not_a_video" in str(nothing.value)
    assert not (tmp_path / "run" / "run.json").exists()


def test_lengths_rates_sizes_and_codecs_that_differ_are_flagged(pairs_of, pixels, tmp_path):
    def spoil(real, made):
        shown = {name: pictures(made / f"{name}.mp4") for name in ("may", "hill", "zhao")}
        film(made / "may.mp4", shown["may"][:30], None)
        film(made / "hill.mp4", shown["hill"], None, fps=30)
        how = ("-c:v", "mpeg4", "-q:v", "2", "-an", made / "new.mp4")
        source = ("-v", "error", "-y", "-i", made / "zhao.mp4")
        subprocess.run([ffmpeg_binary(), *source, *how], check=True)
        (made / "new.mp4").replace(made / "zhao.mp4")
        film(made / "anne.mp4", np.concatenate([pictures(made / "anne.mp4")] * 2), None)

    found = scored(tmp_path / "run", **pairs_of(spoil), protocol=pixels)
    flags = {clip: set(_row(found, clip)["flags"].split()) for clip in ("may", "hill", "zhao")}
    assert flags["may"] == {"size!", "short!"}
    assert {"fps!", "size!"} <= flags["hill"]
    assert flags["zhao"] == {"size!", "codec!"}
    said = " ".join(found.notes)
    assert "fps! 1 clip: not at the protocol's rate" in said
    assert "short! 2 clips: ends before its reference" in said, "40 frames at 30 are 33 at 25"
    assert "long! 1 clip: goes on after its reference" in said
    assert "in=h264+mpeg4" in found.run.scores["ssim"].signature
    assert found.run.scores["ssim"].n == 4


def test_a_re_framed_video_is_barred_from_likeness_and_the_rest_is_scored(
    pairs_of, pixels, tmp_path
):
    def spoil(real, made):
        film(made / "may.mp4", pictures(made / "may.mp4")[:, :, 64:192], None)

    found = scored(tmp_path / "run", **pairs_of(spoil), protocol=pixels)
    scores = found.run.scores
    assert (scores["ssim"].n, scores["tje"].n, scores["flicker"].n) == (3, 3, 4)
    assert "1 clip: the video was re-framed" in scores["ssim"].note
    assert any(note.startswith("crop! 1 clip") for note in found.notes)


class Likeness(Ssim):
    """A newcomer's pair metric: nothing but its extractor says that it compares."""

    name, title = "likeness", "Likeness"


class DirectLikeness(Metric):
    """Another, which is no mean over clips and never asks whether it is barred."""

    name, title, better = "direct", "Direct", "higher"

    @classmethod
    def extractors(cls, protocol):
        return Ssim.extractors(protocol)

    def reset(self):
        self.clips = []

    def update(self, sample):
        self.clips += [sample.clip] if sample.pair else []

    def merge(self, other):
        self.clips += other.clips

    def compute(self):
        return Score(self.name, 1.0, None, None, len(self.clips), "clips")


def test_a_new_pair_metric_is_barred_too(pairs_of, pixels, tmp_path, monkeypatch):
    """Fails before: a list written by hand named the barred metrics, and new ones scored."""
    for metric in (Likeness, DirectLikeness):
        monkeypatch.setitem(METRICS.classes, metric.name, metric)

    def spoil(real, made):
        film(made / "may.mp4", pictures(made / "may.mp4")[:, :, 64:192], None)

    protocol = tmp_path / "likeness.yaml"
    names = "metrics: [likeness, direct, flicker]"
    protocol.write_text(
        re.sub(r"metrics:\n(- .*\n)+", f"{names}\n", Path(pixels).read_text(encoding="utf-8"))
    )
    scores = scored(tmp_path / "run", **pairs_of(spoil), protocol=str(protocol)).run.scores
    assert (scores["likeness"].n, scores["direct"].n, scores["flicker"].n) == (3, 3, 4)
    assert "1 clip: the video was re-framed" in scores["likeness"].note


def test_rows_of_a_manifest_with_bad_paths(films, pixels, tmp_path):
    manifest = pairs_csv(films, tmp_path / "p.csv")
    table = pd.read_csv(manifest)
    table.loc[0, "generated"] = "nowhere/hill.mp4"
    table.loc[1, "reference"] = "nowhere/may.mp4"
    table.to_csv(manifest, index=False)
    found = scored(tmp_path / "run", pairs=manifest, protocol=pixels)
    assert _row(found, "hill")["state"] == "static"
    assert _row(found, "hill")["reason"] == "file_missing"
    assert "nowhere/hill.mp4" in _row(found, "hill")["detail"]
    assert _row(found, "may")["state"] == "unscored"
    assert "nowhere/may.mp4" in _row(found, "may")["detail"]
    assert found.run.scores["ssim"].n == 3


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("generated\na.mp4\n", "reference"),
        ("generated,reference\na.mp4,\n", "line 2"),
        ("generated,reference\na.mp4,b.mp4\nc.mp4,b.mp4\n", "line 3"),
        ("generated,reference\n", "p.csv"),
        ("", "p.csv"),
    ],
)
def test_manifests_that_cannot_be_read(tmp_path, pixels, text, words):
    (tmp_path / "p.csv").write_text(text)
    with pytest.raises((InputUnreadable, UsageError), match=words):
        scored(tmp_path / "run", pairs=tmp_path / "p.csv", protocol=pixels)


@pytest.mark.parametrize(
    ("asked", "error", "words"),
    [
        ({"metrics": "ssim,fidd"}, UsageError, "did you mean 'fid'"),
        ({"protocol": "tfw-v9"}, UsageError, "did you mean 'tfw-v1'"),
        ({"model": "grountruth"}, UsageError, "did you mean 'groundtruth'"),
        ({"model": "static", "dataset": "hdft"}, InputUnreadable, "did you mean 'hdtf'"),
        ({"model": "static", "dataset": "hdtf"}, InputUnreadable, "tfw bench list make hdtf-100"),
    ],
)
def test_unknown_names_get_the_nearest(films, tmp_path, monkeypatch, asked, error, words):
    monkeypatch.chdir(tmp_path)
    given = {"metrics": "ssim", **asked}
    if "dataset" not in given:
        given |= {"outputs": films / MADE, "reference": films / REAL}
    with pytest.raises(error, match=words):
        scored(tmp_path / "run", **given)


@pytest.mark.long
def test_sound_that_is_missing_silent_or_short_and_lips_without_a_face(
    films, small, weights, tmp_path, monkeypatch
):
    """Sync has a reason for each; a stand-in network measures the clips that can be measured."""
    from talkingface_wild.perception import s3fd, syncnet

    class Faces:
        def __init__(self, path):
            pass

        def open(self, device):
            return self

        def detect(self, frames_NHWC):
            dark = frames_NHWC.mean() < 5
            return [np.zeros((0, 5)) if dark else np.array([[64, 64, 192, 192, 1.0]])] * len(
                frames_NHWC
            )

    class Network(Faces):
        def embed(self, crops, sound):
            windows = min(len(crops), len(sound) // 640) - 5
            rows = np.random.default_rng(0).normal(size=(windows, 8))
            return syncnet.Embeddings(rows, rows)

    monkeypatch.setattr(s3fd, "S3FDPerceiver", Faces)
    monkeypatch.setattr(syncnet, "SyncNetPerceiver", Network)
    shown = pictures(films / REAL / "may.mp4", 18)
    noise = np.random.default_rng(0).normal(0, 3000, RATE).astype(np.int16)
    for name, frames, sound in (
        ("good", shown, noise),
        ("mute", shown, None),
        ("silent", shown, np.zeros(RATE, np.int16)),
        ("dark", np.zeros_like(shown), noise),
    ):
        film(tmp_path / REAL / f"{name}.mp4", frames, sound)
        film(tmp_path / MADE / f"{name}.mp4", frames, noise)
    film(tmp_path / REAL / "hidden.mp4", shown, noise)
    film(tmp_path / MADE / "hidden.mp4", np.zeros_like(shown), noise)
    found = scored(
        tmp_path / "run", outputs=tmp_path / MADE, reference=tmp_path / REAL, protocol=small,
        metrics="sync_c,ssim",
    )  # fmt: skip
    score = found.run.scores["sync_c"]
    assert score.n == 2, "of a method that hides the face the static frame is scored"
    row = _row(found, "hidden")
    assert (row["state"], row["replaced"]) == ("scored", "lipsync")
    assert any(note.startswith("1 of 5 clips failed") for note in found.notes)
    assert "1 clip: no_audio: there is no sound" in score.note
    assert "1 clip: silent: the sound is digital silence" in score.note
    assert "1 clip: no_face: " in score.note
    assert found.run.scores["ssim"].n == 5


@pytest.mark.long
def test_a_face_that_is_not_there_leaves_efid_and_csim_without_it(films, small, weights, tmp_path):
    shown = pictures(films / REAL / "may.mp4", 18)
    for name, frames in (("face", shown), ("none", np.full_like(shown, 40))):
        for side in (REAL, MADE):
            film(tmp_path / side / f"{name}.mp4", frames, None)
    found = scored(
        tmp_path / "run", outputs=tmp_path / MADE, reference=tmp_path / REAL, protocol=small,
        metrics="efid,csim,ssim",
    )  # fmt: skip
    scores = found.run.scores
    assert "4 of 8 generated frames show no face, over 2%" in scores["efid"].note
    assert scores["csim"].n == 1 and "no_face" in scores["csim"].note
    assert scores["ssim"].n == 2
