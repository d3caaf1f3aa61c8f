"""A generator from a folder outside the package, without torch: it generates and is scored.

Before, every other generator was taken for MCDM ("train one with `tfw train --model wobble …`").
"""

import json
import shutil

import av
import numpy as np
import pytest
import yaml
from PIL import Image
from skimage import data

from talkingface_wild.cli import main
from talkingface_wild.core.errors import UsageError
from talkingface_wild.media.decode import frames
from talkingface_wild.media.resumable_video import ResumableVideo
from talkingface_wild.media.sound import write_wav
from talkingface_wild.models import generator_class, registered
from tests.benchmark.films import FPS, film
from tests.conftest import ROOT
from tests.models.mcdm.small import speech

PLUG_IN = ROOT / "tests" / "plug_in" / "tfw_vivid"


@pytest.fixture
def wobble(tmp_path, monkeypatch):
    """A package with one generator, as pip would have installed it; its folder."""
    folder = tmp_path / "site"
    info = folder / "wobble_generator-1.0.dist-info"
    info.mkdir(parents=True)
    shutil.copy(PLUG_IN / "wobble.py", folder / "wobble_generator.py")
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: wobble-generator\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(
        "[talkingface_wild.generators]\nwobble = wobble_generator:Wobble\n"
    )
    monkeypatch.syspath_prepend(folder)
    return tmp_path


def test_it_is_registered_beside_ours_and_opened_by_its_name(wobble):
    assert list(registered()) == ["mcdm", "wobble"]
    assert generator_class("wobble").name == "wobble"
    with pytest.raises(UsageError, match=r"--model expects mcdm, wobble.*did you mean 'wobble'"):
        generator_class("wobbel")


def test_it_generates_and_goes_on_to_the_same_file(wobble, monkeypatch, capsys):
    Image.fromarray(data.astronaut()).save(wobble / "face.jpg", quality=95)
    write_wav(wobble / "speech.wav", speech(0.68), 16_000)
    words = ["generate", "--model", "wobble", "--image", str(wobble / "face.jpg")]
    words += ["--audio", str(wobble / "speech.wav")]
    whole, parted = wobble / "whole.mp4", wobble / "parted.mp4"
    assert main.run([*words, "--out", str(whole), "--json"]) == 0
    figures = json.loads(capsys.readouterr().out)["data"]
    assert (figures["frames"], figures["fps"], figures["side"]) == (17, 25, 64)
    levels = [frame.rgb.mean() for frame in frames(whole)]
    assert len(levels) == 17 and np.ptp(levels) > 5
    content = json.loads(whole.with_name("whole.mp4.json").read_text())
    assert content["generated"] and (content["model"], content["preset"]) == ("wobble", "only")
    with av.open(str(whole)) as media:
        assert "AI-generated" in media.metadata["comment"] and "wobble" in media.metadata["title"]
    append = ResumableVideo.append

    def stopped(video, chunk):
        if video.length:
            raise KeyboardInterrupt
        return append(video, chunk)

    with monkeypatch.context() as patched:
        patched.setattr(ResumableVideo, "append", stopped)
        assert main.run([*words, "--out", str(parted)]) == 130
    assert "8 of 17 frames are kept" in capsys.readouterr().err
    assert main.run([*words, "--out", str(parted), "--resume"]) == 0
    assert [f.rgb.tobytes() for f in frames(parted)] == [f.rgb.tobytes() for f in frames(whole)]


def test_what_it_does_not_take_is_one_sentence(wobble, capsys):
    Image.fromarray(data.astronaut()).save(wobble / "face.jpg", quality=95)
    write_wav(wobble / "speech.wav", speech(0.2), 16_000)
    words = ["generate", "--model", "wobble", "--image", str(wobble / "face.jpg"), "--audio"]
    words += [str(wobble / "speech.wav"), "--out", str(wobble / "v.mp4")]
    assert main.run([*words, "--steps", "3"]) == 2
    assert "options that the model wobble has, found steps" in capsys.readouterr().err
    assert main.run([*words, "--landmarks", str(wobble / "face.jpg")]) == 2
    assert "follows a driving video, found wobble" in capsys.readouterr().err
    assert main.run(["train", "--model", "wobble", "--out", str(wobble / "run")]) == 2
    assert "can be trained here, found wobble" in capsys.readouterr().err


def test_it_is_scored(wobble, capsys):
    face = np.asarray(Image.fromarray(data.astronaut()[:256, 90:346]).resize((64, 64)))
    shown = np.clip(face[None].astype(int) + np.arange(12)[:, None, None, None], 0, 255)
    for folder in ("real", "other"):
        film(wobble / folder / "a.mp4", shown.astype(np.uint8), speech(12 / FPS))
    rows = [str(wobble / folder / "a.mp4") for folder in ("other", "real")]
    (wobble / "pairs.csv").write_text("generated,reference\n" + ",".join(rows) + "\n")
    protocol = {"name": "pixels", "summary": "No network.", "canvas": 64, "frames": 12}
    (wobble / "pixels.yaml").write_text(yaml.safe_dump(protocol | {"metrics": ["ssim", "psnr"]}))
    words = ["bench", "--model", "wobble", "--pairs", str(wobble / "pairs.csv"), "--protocol"]
    words += [str(wobble / "pixels.yaml"), "--out", str(wobble / "run"), "--device", "cpu"]
    assert main.run([*words, "--json"]) == 0
    content = json.loads(capsys.readouterr().out)["data"]
    assert content["name"] == "wobble" and content["scored"] == 1
    assert 0 < content["scores"]["ssim"]["value"] <= 1
    (video,) = (wobble / "run" / "outputs" / "wobble-1").glob("*.mp4")
    mark = json.loads(video.with_name(f"{video.name}.json").read_text())
    assert (mark["model"], mark["request"]) == ("wobble", "wobble-1")
