"""``tfw generate``: what it writes, how it goes on, and what it says of bad input."""

import json
import shlex
import signal
import subprocess
import sys
import time

import av
import numpy as np
import pytest
import torch
from PIL import Image
from skimage import data

from talkingface_wild.cli import main
from talkingface_wild.media.container_probe import probe
from talkingface_wild.media.decode import frames
from talkingface_wild.media.sound import write_wav
from talkingface_wild.models.mcdm import MCDMPipeline, preset
from talkingface_wild.models.weights_hash import weights_sha256
from tests.media.fixtures import clicks, write_video
from tests.models.mcdm.small import small_parts, speech
from tests.pipelines.curated import heed_signals

SECONDS = 0.68
"""17 frames: clips of 8, 8 and 1."""


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """A folder with a training's model, a photograph and speech."""
    folder = tmp_path_factory.mktemp("generate")
    parts = small_parts()
    parts.facts = {"trained_on": {"dataset": "made up"}, "stages": {"1": {}, "2": {}, "3": {}}}
    MCDMPipeline.of(parts).save_pretrained(folder / "run" / "model")
    Image.fromarray(data.astronaut()).save(folder / "face.jpg", quality=95)
    write_wav(folder / "speech.wav", speech(SECONDS), 16_000)
    return folder


@pytest.fixture
def tfw(place, tmp_path, capsys):
    """``tfw(…)`` runs ``tfw generate`` with the folder's inputs where others are not given."""

    def run(*more, out=None, **changed):
        given = {
            "--checkpoint": place / "run",
            "--image": place / "face.jpg",
            "--audio": place / "speech.wav",
            "--out": out or tmp_path / "v.mp4",
            "--steps": 2,
            "--prior-steps": 2,
            **{f"--{name.replace('_', '-')}": value for name, value in changed.items()},
        }
        words = [str(w) for pair in given.items() if pair[1] is not None for w in pair]
        code = main.run(["generate", *words, *map(str, more)])
        said = capsys.readouterr()
        return code, said.out, said.err

    return run


@pytest.fixture(scope="module")
def whole(place, tmp_path_factory):
    """The video in one go."""
    out = tmp_path_factory.mktemp("whole") / "v.mp4"
    assert main.run([*_words(place, out)]) == 0
    return out


def _words(place, out, *more):
    given = ["--checkpoint", place / "run", "--image", place / "face.jpg"]
    given += ["--audio", place / "speech.wav", "--steps", 2, "--prior-steps", 2, "--out", out]
    return [str(word) for word in ("generate", *given, *more)]


def _packets(path):
    with av.open(str(path)) as media:
        return [bytes(p) for p in media.demux(media.streams.video[0]) if p.size]


def _beside(out):
    return sorted(entry.name for entry in out.parent.iterdir())


def test_a_video_with_its_sound_and_its_mark(whole, place):
    facts = probe(whole)
    assert (facts.width, facts.height, facts.fps) == (64, 64, 25.0)
    assert (facts.video_codec, facts.audio_codec) == ("h264", "aac")
    assert sum(1 for _ in frames(whole)) == 17
    assert facts.video_end == pytest.approx(SECONDS, abs=1e-3)
    assert facts.audio_end == pytest.approx(SECONDS, abs=0.04)
    assert _beside(whole) == ["v.mp4", "v.mp4.json"]
    told = json.loads(whole.with_name("v.mp4.json").read_text())
    assert told["generated"] is True and told["model"] == "mcdm" and told["preset"] == "tiny"
    assert told["weights_sha256"] == weights_sha256(place / "run" / "model")
    assert told["trained_on"] == {"dataset": "made up"}
    assert told["settings"]["sampling"]["steps"] == 2
    assert told["inputs"]["image"]["name"] == "face.jpg"
    with av.open(str(whole)) as media:
        assert "AI-generated" in media.metadata["comment"]
        assert "v.mp4.json" in media.metadata["comment"]


def test_json_is_one_object(tfw, tmp_path):
    code, out, _ = tfw("--json", out=tmp_path / "new" / "v.mp4")
    told = json.loads(out)
    assert code == 0 and told["ok"] and told["command"] == "generate"
    figures = told["data"]
    assert (figures["frames"], figures["fps"], figures["side"]) == (17, 25, 64)
    assert figures["peak_memory_bytes"] > 1e6 and figures["frames_per_second"] > 0
    assert (tmp_path / "new" / "v.mp4").is_file()


def test_a_person_sees_where_the_video_is(tfw):
    code, out, _ = tfw(seconds=0.3)
    assert code == 0
    assert "v.mp4" in out and "8 of 64 px at 25 a second" in out and "v.mp4.json" in out


def test_the_seed_changes_the_frames_and_the_options_are_used(tfw, whole, tmp_path):
    tfw(out=tmp_path / "same.mp4")
    assert _packets(tmp_path / "same.mp4") == _packets(whole)
    for name, changed in (
        ("seed", {"seed": 1}),
        ("cfg", {"cfg": 2.0}),
        ("solver", {"solver": "lcm"}),
    ):
        out = tmp_path / f"{name}.mp4"
        assert tfw(out=out, **changed)[0] == 0
        assert _packets(out) != _packets(whole), name


class _Stop:
    """Ends a run after so many clips as ``error`` does, in the middle of writing the next."""

    def __init__(self, monkeypatch, clips, error):
        from talkingface_wild.media.resumable_video import ResumableVideo

        self.left, self.error, self.append = clips, error, ResumableVideo.append
        monkeypatch.setattr(ResumableVideo, "append", lambda video, made: self(video, made))

    def __call__(self, video, made):
        length = self.append(video, made)
        self.left -= 1
        if self.left < 0:
            raise self.error
        return length


def test_ctrl_c_keeps_the_clips_and_resume_gives_the_same_file(tfw, whole, tmp_path, monkeypatch):
    out = tmp_path / "v.mp4"
    with monkeypatch.context() as patched:
        _Stop(patched, 1, KeyboardInterrupt())
        code, _, err = tfw()
    assert code == 130
    assert "8 of 17 frames are kept" in err and "--resume" in err
    assert _beside(out) == ["v.mp4.h264", "v.mp4.sound.s16", "v.mp4.state.safetensors"]
    code, _, err = tfw("--resume")
    assert code == 0 and "Going on after 8 of 17 frames" in err
    assert out.read_bytes() == whole.read_bytes()
    assert _beside(out) == ["v.mp4", "v.mp4.json"]
    code, _, err = tfw("--resume")
    assert code == 0 and "complete already" in err
    assert tfw("--resume", seed=3)[0] == 0  # another video: made, not taken for this one
    assert out.read_bytes() != whole.read_bytes()


def _started(place, out, *more):
    """A real process with as many threads as here: they sum in another order otherwise."""
    program = (
        f"import sys, torch; torch.set_num_threads({torch.get_num_threads()})\n"
        f"from talkingface_wild.cli import main; sys.exit(main.run({_words(place, out, *more)!r}))"
    )
    run = subprocess.Popen(
        [sys.executable, "-c", program], stderr=subprocess.PIPE, text=True, preexec_fn=heed_signals
    )
    state, limit = out.with_name("v.mp4.state.safetensors"), time.monotonic() + 300
    while not state.exists() and run.poll() is None and time.monotonic() < limit:
        time.sleep(0.005)
    return run


@pytest.mark.long
def test_a_killed_run_goes_on_to_identical_frames(place, whole, tmp_path):
    out = tmp_path / "v.mp4"
    run = _started(place, out)
    run.send_signal(signal.SIGKILL)
    run.communicate()
    assert _beside(out)[-1] == "v.mp4.state.safetensors", "it was to be killed with clips to make"
    assert main.run(_words(place, out, "--resume")) == 0
    assert _packets(out) == _packets(whole)
    assert _beside(out) == ["v.mp4", "v.mp4.json"]


@pytest.mark.long
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_ends_it_with_the_whole_command_that_goes_on(place, whole, tmp_path, number):
    """SIGTERM and a closed terminal killed it without a word."""
    out = tmp_path / "v.mp4"
    run = _started(place, out, "--fresh")
    run.send_signal(number)
    said = run.communicate()[1]
    assert run.returncode == 130, said
    assert "Traceback" not in said
    words = shlex.split(said.strip().splitlines()[-1].partition("go on with: ")[2])
    assert words == ["tfw", *_words(place, out, "--resume")]
    assert main.run(words[1:]) == 0
    assert _packets(out) == _packets(whole)


def test_a_half_made_video_is_not_lost_unasked(tfw, whole, tmp_path, monkeypatch):
    with monkeypatch.context() as patched:
        _Stop(patched, 1, KeyboardInterrupt())
        tfw()
    before = _beside(tmp_path / "v.mp4")
    code, _, err = tfw()
    assert code == 2 and "--resume" in err and "--fresh" in err
    assert tfw("--fresh", image=tmp_path / "nowhere.jpg")[0] == 5
    assert _beside(tmp_path / "v.mp4") == before
    assert tfw("--fresh")[0] == 0
    assert _packets(tmp_path / "v.mp4") == _packets(whole)


def test_resume_with_other_options_or_another_model_is_refused(
    tfw, place, tmp_path, monkeypatch, tmp_path_factory
):
    with monkeypatch.context() as patched:
        _Stop(patched, 1, KeyboardInterrupt())
        tfw()
    before = _beside(tmp_path / "v.mp4")
    code, _, err = tfw("--resume", steps=3)
    assert code == 2 and "--steps" in err and "--fresh" in err
    assert tfw("--resume", seed=1)[0] == 2
    write_wav(tmp_path_factory.mktemp("o") / "o.wav", speech(SECONDS, seed=1), 16_000)
    code, _, err = tfw("--resume", seconds=0.3)
    assert code == 2 and "--seconds" in err
    other = tmp_path_factory.mktemp("other")
    MCDMPipeline.of(small_parts(("temporal.alpha=0.5",))).save_pretrained(other)
    code, _, err = tfw("--resume", checkpoint=other)
    assert code == 2 and "checkpoint that the half-made" in err
    assert _beside(tmp_path / "v.mp4") == before


def test_a_state_that_is_none_is_refused(tfw, tmp_path):
    (tmp_path / "v.mp4.state.safetensors").write_bytes(b"no state")
    code, _, err = tfw("--resume")
    assert code == 5 and "Expected a state" in err


def test_two_runs_on_one_file_are_kept_apart(tfw, tmp_path):
    from talkingface_wild.jobs.generate.resume import UnfinishedVideo

    with UnfinishedVideo(tmp_path / "v.mp4").alone():
        code, _, err = tfw()
    assert code == 2 and "another run" in err


@pytest.mark.parametrize("seconds", [0.1, 0.001])
def test_a_moment_of_sound_is_padded_to_a_clip_and_cut_to_its_frames(tfw, tmp_path, seconds):
    write_wav(tmp_path / "s.wav", speech(seconds), 16_000)
    assert tfw(audio=tmp_path / "s.wav")[0] == 0
    assert sum(1 for _ in frames(tmp_path / "v.mp4")) == (3 if seconds == 0.1 else 1)


@pytest.mark.parametrize(("name", "codec", "rate"), [
    ("s.mp3", "libmp3lame", 44_100), ("s.m4a", "aac", 48_000), ("s.flac", "flac", 8_000),
])  # fmt: skip
def test_sound_of_any_rate_and_format(tfw, tmp_path, name, codec, rate):
    write_video(tmp_path / name, sound=clicks(0.4, [0.2], rate), sound_codec=codec, sound_rate=rate)
    assert tfw(audio=tmp_path / name)[0] == 0
    facts = probe(tmp_path / "v.mp4")
    assert facts.sample_rate == rate
    assert facts.video_end == pytest.approx(0.4, abs=0.061)  # mp3 and aac pad their ends


def test_silence_goes_on_with_a_warning(tfw, tmp_path):
    write_wav(tmp_path / "s.wav", np.zeros(3200, np.int16), 16_000)
    code, out, err = tfw("--json", audio=tmp_path / "s.wav")
    assert code == 0 and "is silent" in err
    assert any("is silent" in warning for warning in json.loads(out)["warnings"])


def test_the_sounds_length_is_said_where_more_is_asked_for(tfw):
    code, _, err = tfw(seconds=9)
    assert code == 0 and "lasts 0.68 s" in err


def _bad_inputs(folder):
    grey = np.full((200, 200, 3), 90, np.uint8)
    face = data.astronaut()
    Image.fromarray(grey).save(folder / "grey.png")
    pair = np.concatenate([face[:256, 90:346], face[:256, 90:346]], axis=1)
    Image.fromarray(pair).save(folder / "pair.png")
    (folder / "text.png").write_text("no picture")
    (folder / "text.wav").write_text("no sound")
    write_video(folder / "mute.mp4", [0.0, 0.04], [grey, grey])
    (folder / "empty").mkdir()


@pytest.mark.parametrize(("changed", "code", "said"), [
    ({"image": "grey.png"}, 5, "Expected a face"),
    ({"image": "pair.png"}, 5, "found 2"),
    ({"image": "text.png"}, 5, "Expected a picture"),
    ({"image": "nowhere.png"}, 5, "Expected a file"),
    ({"audio": "text.wav"}, 5, "Expected sound that can be read"),
    ({"audio": "mute.mp4"}, 5, "Expected a sound stream"),
    ({"audio": "nowhere.wav"}, 5, "Expected a file"),
    ({"checkpoint": "empty"}, 5, "Expected an MCDM checkpoint"),
    ({"checkpoint": "nowhere"}, 5, "Expected an MCDM checkpoint"),
    ({"landmarks": "grey.png"}, 5, "driving video"),
    ({"solver": "dimm"}, 2, "did you mean 'ddim'"),
    ({"solver": "lcm", "steps": 60}, 3, "1 to 50 steps"),
    ({"precision": "fp8"}, 2, "--precision"),
    ({"device": "tpu"}, 2, "--device"),
    ({"detector": "harr"}, 2, "did you mean 'haar'"),
    ({"model": "mcmd"}, 2, "did you mean 'mcdm'"),
    ({"image": None}, 2, "--image"),
    ({"out": "v.avi"}, 2, ".mp4"),
    ({"out": "grey.png/v.mp4"}, 2, "cannot"),
])  # fmt: skip
def test_bad_input_is_one_sentence_and_leaves_nothing(tfw, tmp_path, changed, code, said):
    _bad_inputs(tmp_path)
    before = _beside(tmp_path / "v.mp4")
    paths = ("image", "audio", "checkpoint", "landmarks", "out")
    given = {k: tmp_path / v if k in paths and v else v for k, v in changed.items()}
    got, _, err = tfw(**given)
    assert got == code, err
    assert said in err and "Traceback" not in err
    assert len(err.strip().splitlines()) <= 2
    assert _beside(tmp_path / "v.mp4") == before


@pytest.mark.skipif(torch.cuda.is_available(), reason="a GPU is there")
def test_a_gpu_that_is_not_there_is_said(tfw):
    code, _, err = tfw(device="cuda")
    assert code == 2 and "CUDA" in err


def test_a_small_portrait_is_warned_of(tfw, place, tmp_path):
    face = Image.open(place / "face.jpg").resize((128, 128))
    face.save(tmp_path / "small.png")
    code, _, err = tfw(image=tmp_path / "small.png", seconds=0.1)
    assert code == 0 and "px wide" in err and "soft" in err


def test_a_network_of_the_checkpoint_that_is_damaged_is_named(tfw, place, tmp_path):
    import shutil

    shutil.copytree(place / "run", tmp_path / "run")
    file = next((tmp_path / "run" / "model" / "unet").glob("*.safetensors"))
    file.write_bytes(file.read_bytes()[:1000])
    code, _, err = tfw(checkpoint=tmp_path / "run")
    assert code == 5 and "'unet'" in err


def test_a_model_that_was_not_trained_to_the_end_is_said(tfw, place, tmp_path):
    parts = small_parts()
    parts.facts = {"stages": {"1": {}}}
    parts.save(tmp_path / "half")
    code, _, err = tfw(checkpoint=tmp_path / "half", seconds=0.1)
    assert code == 0 and "not fully trained" in err


def test_out_of_memory_is_one_sentence_and_loses_nothing(tfw, whole, tmp_path, monkeypatch):
    from talkingface_wild.models.mcdm.unet import MCDMUNet

    calls, forward = [], MCDMUNet.forward

    def full(*args, **kwargs):
        calls.append(1)
        if len(calls) > 2:  # in the second clip
            raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 9 GiB")
        return forward(*args, **kwargs)

    with monkeypatch.context() as patched:
        patched.setattr(MCDMUNet, "forward", full)
        code, _, err = tfw()
    assert code == 1
    assert "GB taken at the peak" in err and "--precision bf16" in err and "Traceback" not in err
    assert "8 of 17 frames are kept" in err
    assert tfw("--resume")[0] == 0
    assert _packets(tmp_path / "v.mp4") == _packets(whole)


def test_a_full_disk_is_said_and_resume_goes_on(tfw, whole, tmp_path, monkeypatch):
    import errno

    with monkeypatch.context() as patched:
        _Stop(patched, 1, OSError(errno.ENOSPC, "No space left on device"))
        code, _, err = tfw()
    assert code == 1 and "8 of 17 frames are kept" in err
    assert tfw("--resume")[0] == 0
    assert _packets(tmp_path / "v.mp4") == _packets(whole)


def test_numbers_that_are_none_stop_the_run(tfw, monkeypatch):
    from talkingface_wild.models.mcdm.unet import MCDMUNet

    forward = MCDMUNet.forward

    def broken(*args, **kwargs):
        made = forward(*args, **kwargs)
        return made._replace(sample=made.sample * float("nan"))

    monkeypatch.setattr(MCDMUNet, "forward", broken)
    code, _, err = tfw()
    assert code == 6 and "finite" in err


def test_progress_is_said_in_lines_where_there_is_no_terminal(tfw, monkeypatch):
    monkeypatch.setattr("talkingface_wild.cli.board.LINE_EVERY_SECONDS", 0.0)
    code, _, err = tfw()
    lines = [line for line in err.splitlines() if "frames/s" in line]
    assert code == 0 and len(lines) >= 2
    assert "frames 8/17" in lines[0] and "to go" in lines[0]


def test_the_config_of_the_checkpoint_decides_the_frame_rate(tfw, tmp_path):
    parts = small_parts(("picture.fps=20",))
    assert preset("tiny").picture.fps == 25
    parts.save(tmp_path / "slow")
    assert tfw(checkpoint=tmp_path / "slow", seconds=0.5)[0] == 0
    facts = probe(tmp_path / "v.mp4")
    assert facts.fps == 20.0 and facts.video_end == pytest.approx(0.5, abs=1e-3)
