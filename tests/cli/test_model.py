"""``tfw model analyse`` at the command line: pictures and tables from a tiny model, bad input."""

import csv
import json
import sys

import numpy as np
import pytest
from PIL import Image

from talkingface_wild.cli.main import run
from talkingface_wild.core.errors import InputUnreadable
from talkingface_wild.core.outcome import ItemRejected
from talkingface_wild.jobs.figures import subjects
from talkingface_wild.media.sound import write_wav
from talkingface_wild.models.training.training_clip import TrainingClip
from tests.models.mcdm.analyses.scene import film, running_parts, speech

KINDS = ("drift", "lips", "alpha")
FEW = {"drift": ("--frames", "8,12,7200"), "lips": ("--frames", "8"), "alpha": ("--frames", "8")}


@pytest.fixture(scope="module")
def given(tmp_path_factory):
    """A model, a portrait and its speech, and the options that name them."""
    folder = tmp_path_factory.mktemp("given")
    running_parts().save(folder / "run" / "model")
    portrait = np.asarray(Image.fromarray(film(1)[0]).resize((64, 64)))
    Image.fromarray(portrait).save(folder / "face.png")
    for place in range(4):
        write_wav(folder / f"{place}.wav", speech(24, place), 16_000)
    return folder


def options(given):
    """One portrait with its speech."""
    return ["--image", str(given / "face.png"), "--whole", "--audio", str(given / "0.wav")]


def analysed(kind, given, out, *more):
    """Run one analysis of the model."""
    return run(
        ["model", "analyse", kind, "--checkpoint", str(given / "run"), "--out", str(out),
         "--device", "cpu", *more]
    )  # fmt: skip


def clips(dataset, split, side, fps):
    """Clips of a data set that was never made; none of the split test."""
    if split == "test":
        raise InputUnreadable("Expected finished clips of the split test, found none.")

    def clip(place):
        pictures = film(24, place)
        return TrainingClip(
            clip_id=f"clip{place}",
            frames=lambda: iter([pictures[:16], pictures[16:]]),
            sound=lambda: speech(24, place),
            identity=f"person{place // 2}",
            language="en",
            face_boxes_T4=np.tile(np.float32([0.2, 0.1, 0.8, 0.9]), (24, 1)),
        )

    return [clip(place) for place in range(4)]


@pytest.mark.parametrize("kind", KINDS)
def test_a_portrait_and_its_speech_become_a_picture_and_a_table(kind, given, tmp_path, capsys):
    out = tmp_path / "figures"
    assert analysed(kind, given, out, *options(given), *FEW[kind], "--json") == 0
    said = json.loads(capsys.readouterr().out)
    assert said["command"] == f"model analyse {kind}"
    assert "32-pixel" in said["warnings"][0]
    assert "not fully trained (stages done: none)" in said["warnings"][1]
    assert sorted(path.name for path in out.iterdir()) == [f"{kind}.csv", f"{kind}.png"]
    picture = Image.open(out / f"{kind}.png")
    assert picture.width == 1200
    assert "not fully trained" in picture.text["Description"]
    with (out / f"{kind}.csv").open() as stream:
        rows = list(csv.DictReader(stream))
    assert len(rows) >= 6
    assert said["data"]["source"] == "Portrait: face.png; sound: 0.wav."


def test_drift_takes_the_frames_that_the_sound_reaches(given, tmp_path, capsys):
    assert analysed("drift", given, tmp_path, *options(given), *FEW["drift"], "--json") == 0
    told = json.loads(capsys.readouterr().out)["data"]["w/ F_a"]
    assert list(told["ssim"]) == ["8", "12"]
    assert analysed("drift", given, tmp_path, *options(given)) == 5
    assert "Expected at least 30 frames of speech (1.2 s), found 24" in capsys.readouterr().err


def test_a_data_sets_clips_are_compared_with_their_own_frames(given, tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(subjects, "training_clips", clips)
    words = ("--dataset", "made_up", "--limit", "2", "--frames", "8", "--json")
    assert analysed("alpha", given, tmp_path, *words) == 0
    data = json.loads(capsys.readouterr().out)["data"]
    assert data["source"] == "Clips: made_up, split train and val, which training may have seen."
    with (tmp_path / "alpha.csv").open() as stream:
        rows = list(csv.DictReader(stream))
    assert {row["clip"] for row in rows} == {"clip0", "clip1", "all"}
    assert {row["against"] for row in rows} == {"the real frames"}


def test_the_mouth_of_a_data_sets_clip_is_where_its_face_box_has_it(
    given, tmp_path, capsys, monkeypatch
):
    monkeypatch.setattr(subjects, "training_clips", clips)
    words = ("--dataset", "made_up", "--limit", "1", "--frames", "8", "--json")
    assert analysed("lips", given, tmp_path, *words) == 0
    data = json.loads(capsys.readouterr().out)["data"]
    # A window of 0.62 widths of the box: the box is 0.6 wide.
    assert data["even"] == pytest.approx((0.62 * 0.6) ** 2, rel=1e-4)
    assert analysed("lips", given, tmp_path, *words, "--mouth", "0,0.5,1,1") == 0
    assert json.loads(capsys.readouterr().out)["data"]["even"] == 0.5


def test_expressions_by_a_table_of_sounds(given, tmp_path, capsys):
    table = given / "labels.csv"
    table.write_text("audio,label\n0.wav,happy\n1.wav,sad\n2.wav,happy\n3.wav,sad\n")
    words = ("--image", str(given / "face.png"), "--whole", "--labels", str(table), "--json")
    assert analysed("expressions", given, tmp_path, *words) == 0
    data = json.loads(capsys.readouterr().out)["data"]
    assert (data["points"], data["clips"], data["labels"]) == (12, 4, ["happy", "sad"])
    assert data["labelled_by"] == "label"
    assert (tmp_path / "expressions.png").is_file()


def test_expressions_without_emotions_go_by_identity(given, tmp_path, capsys, monkeypatch):
    import pandas as pd

    from talkingface_wild.dataset import load as loading

    monkeypatch.setattr(subjects, "training_clips", clips)
    table = pd.DataFrame({"clip_id": [f"clip{p}" for p in range(4)], "mood": list("abab")})
    monkeypatch.setattr(loading, "load", lambda out, table_name="clips": table)
    words = ("--dataset", "made_up", "--points", "2", "--json")
    assert analysed("expressions", given, tmp_path, *words) == 0
    data = json.loads(capsys.readouterr().out)["data"]
    assert (data["labelled_by"], data["labels"]) == ("identity", ["person0", "person1"])
    assert analysed("expressions", given, tmp_path, *words, "--label", "mood") == 0
    data = json.loads(capsys.readouterr().out)["data"]
    assert (data["labelled_by"], data["labels"]) == ("mood", ["a", "b"])
    assert analysed("expressions", given, tmp_path, *words, "--label", "moot") == 2
    assert "did you mean 'mood'?" in json.loads(capsys.readouterr().out)["data"]["error"]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ((), "found neither"),
        (("--audio", "x.wav"), "found --audio"),
        (("--image", "x.png", "--dataset", "d"), "found --image and --dataset"),
    ],
)
def test_what_is_looked_at_must_be_named_once(words, said, given, tmp_path, capsys):
    assert analysed("alpha", given, tmp_path, *words) == 2
    assert said in capsys.readouterr().err


def test_without_matplotlib_it_is_said_before_the_work(given, tmp_path, capsys, monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    assert analysed("alpha", given, tmp_path, *options(given)) == 4
    said = capsys.readouterr().err
    assert "found matplotlib missing" in said
    assert "SSIM" not in said


@pytest.mark.parametrize("frames", ["", "0", "30,x", "-3", "1.5"])
def test_frames_are_whole_numbers(frames, given, tmp_path, capsys):
    assert analysed("drift", given, tmp_path, *options(given), f"--frames={frames}") == 2
    assert "Expected --frames as whole numbers" in capsys.readouterr().err


@pytest.mark.parametrize("mouth", ["1,2", "0.5,0,0.4,1", "a,b,c,d", "0,0,1,1.5"])
def test_a_mouth_is_a_box_in_the_frame(mouth, given, tmp_path, capsys):
    assert analysed("lips", given, tmp_path, *options(given), "--mouth", mouth) == 2
    assert "Expected --mouth as left,top,right,bottom" in capsys.readouterr().err


def test_bad_input_is_one_sentence_and_writes_nothing(given, tmp_path, capsys, monkeypatch):
    out = tmp_path / "out"
    words = [*options(given), "--out", str(out)]
    no_model = ["model", "analyse", "alpha", "--checkpoint", str(tmp_path), *words]
    assert run(no_model) == 5
    assert "Expected an MCDM checkpoint" in capsys.readouterr().err
    image = ("--image", str(given / "face.png"), "--whole")
    assert analysed("alpha", given, out, *image, "--audio", str(given / "none.wav")) == 5
    assert "Expected a sound at" in capsys.readouterr().err
    (tmp_path / "broken.wav").write_bytes(b"RIFF nothing")
    assert analysed("alpha", given, out, *image, "--audio", str(tmp_path / "broken.wav")) == 5
    assert "Expected a sound in" in capsys.readouterr().err
    assert analysed("alpha", given, out, *options(given), "--device", "tpu") == 2
    assert "--device expects auto, cpu, cuda" in capsys.readouterr().err
    (tmp_path / "l.csv").write_text("audio,mood\nx.wav,a\n")
    assert analysed("expressions", given, out, *image, "--labels", str(tmp_path / "l.csv")) == 5
    assert "columns label and clip_id or audio" in capsys.readouterr().err

    def broken():
        raise ItemRejected("undecodable", "the file is broken")

    def broken_clips(*_):
        return [TrainingClip("clip0", broken, broken)]

    monkeypatch.setattr(subjects, "training_clips", broken_clips)
    assert analysed("alpha", given, out, "--dataset", "made_up") == 5
    assert "the clip clip0 of the data set, found it unreadable" in capsys.readouterr().err
    assert not out.exists()
