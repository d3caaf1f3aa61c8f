"""The stage ``speaks``: a face with its own sound, under a voice-over, and without a word."""

import shutil
import subprocess

import imageio_ffmpeg
import pytest

from talkingface_wild.core.outcome import Done
from tests.pipelines.conftest import whole_clip


@pytest.fixture
def listener(open_weight, shared, monkeypatch, tmp_path):
    """A machine that has LR-ASD and Silero's network, and CenterFace for faces."""
    folder = tmp_path / "weights"
    folder.mkdir()
    for name in ("centerface", "silero_vad"):
        shutil.copy(open_weight(name), folder)
    shutil.copy(shared / "weights" / "lr_asd_pretrain_AVA.model", folder)
    monkeypatch.setenv("TFW_WEIGHTS", str(folder))


def _measured(path, out):
    clip = whole_clip(path, out)
    clip.measure("faces")
    return clip.measure("speaks")


@pytest.mark.long
@pytest.mark.parametrize(
    ("name", "voice"), [("clips/hdtf_hill.mp4", "fr"), ("syncnet_example.avi", "zh")]
)
def test_a_face_speaks_its_own_sound_and_no_others(listener, shared, tmp_path, name, voice):
    """The voice-over is another's speech of the clip's length, laid over instead of its sound."""
    source = shared / "media" / name
    dubbed = tmp_path / "dubbed.mkv"
    program = imageio_ffmpeg.get_ffmpeg_exe()
    command = [program, "-nostdin", "-v", "error", "-i", source]
    command += ["-i", shared / "media" / "speech" / f"{voice}.flac", "-map", "0:v", "-map", "1:a"]
    command += ["-c:v", "copy", "-shortest", dubbed]
    subprocess.run(command, check=True, stdin=subprocess.DEVNULL, timeout=60)
    own, other = _measured(source, tmp_path / "own"), _measured(dubbed, tmp_path / "other")
    assert own["speaks_frames"] > 75 and other["speaks_frames"] > 75
    assert own["speaks_ratio"] > 0.9
    assert own["speaks_margin"] > 0.3 > 0 > other["speaks_margin"]
    assert own["speaks_score"] > other["speaks_score"]


def test_without_speech_nothing_is_said(listener, shared, tmp_path):
    """The sound track of a real face is digital silence."""
    assert _measured(shared / "media" / "clips" / "selfie_18.mp4", tmp_path) == {"speaks_frames": 0}


def test_without_sound_all_is_null(listener, shared, tmp_path):
    clip = whole_clip(shared / "media" / "clips" / "portrait_noaudio.mp4", tmp_path)
    assert clip.outcome("speaks") == Done({})
