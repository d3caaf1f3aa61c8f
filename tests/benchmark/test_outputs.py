"""Videos made on the way: a generator of a test, and a small program through an adapter."""

import dataclasses
import sys

import numpy as np
import pytest
import yaml

from talkingface_wild.benchmark.request import BenchRequest
from talkingface_wild.core.errors import UsageError
from talkingface_wild.core.generator import Facts, Generator, State
from talkingface_wild.media.container_probe import probe
from talkingface_wild.media.decode import frames
from tests.benchmark.films import COUNT, MADE, REAL, pairs_csv, scored

NAMES = ("hill", "may", "zhao")


class Breathing(Generator):
    """The portrait, a grey level brighter and darker with the loudness of the sound."""

    name = "breathing"
    stochastic = False
    facts = Facts(128)

    def __init__(self, mark="1", fails=(), error=RuntimeError):
        self.mark, self.fails, self.error = mark, fails, error
        self.calls = []

    def fingerprint(self, options):
        return f"breathing-{self.mark}"

    @classmethod
    def open(cls, checkpoint, device="auto", precision="auto", compiled=False):
        return cls()

    @classmethod
    def read_facts(cls, checkpoint, label="The model"):
        return cls.facts

    def start(self, portrait_HWC, drive, options, seed):
        self.calls.append((portrait_HWC.shape, len(drive.sound), drive.frames, seed))
        return State(0, {"portrait": portrait_HWC}, {"seed": seed}, drive, options)

    def step(self, state):
        start, sound = state.position, state.drive.sound
        if len(self.calls) in self.fails and start:
            raise self.error("no memory is left")
        loud = [abs(sound[t * 640 : (t + 1) * 640].astype(int)).mean() / 400 for t in
                range(start, min(start + 16, state.drive.frames))]  # fmt: skip
        portrait_HWC, seed = state.tensors["portrait"], state.scalars["seed"]
        frames = [np.clip(portrait_HWC + level + seed, 0, 255) for level in loud]
        after = dataclasses.replace(state, position=start + len(frames))
        return np.stack(frames).astype(np.uint8), after


@pytest.fixture
def asked(films, pixels, tmp_path):
    manifest = pairs_csv(films, tmp_path / "p.csv", NAMES)
    return {"model": "breathing", "pairs": manifest, "protocol": pixels}


def test_a_generator_gets_picture_and_sound_and_its_videos_are_kept(asked, tmp_path):
    made = Breathing()
    offered = {"breathing": lambda checkpoint: made}
    first = scored(tmp_path / "run", offered, **asked)
    assert made.calls == [((128, 128, 3), COUNT * 640, COUNT, 0)] * 3
    paths = sorted((tmp_path / "run" / "outputs").rglob("*.mp4"))
    assert len(paths) == 3 and {p.parent.name for p in paths} == {"breathing-1"}
    facts = probe(paths[0])
    assert (facts.video_codec, facts.width, facts.height) == ("h264", 128, 128)
    assert len(list(frames(paths[0]))) == COUNT
    assert set(first.run.clips()["flags"]) == {""}, "delivered as the protocol asks for"
    assert first.run.scores["ssim"].n == 3 and first.run.name == "breathing"
    assert first.run.clips()["mux_offset_ms"].abs().max() < 2.0
    again = scored(tmp_path / "run", offered, **asked)
    assert len(made.calls) == 3, "nothing is made twice"
    assert again.run.scores["ssim"].value == first.run.scores["ssim"].value
    paths[1].unlink()
    scored(tmp_path / "run", offered, **asked)
    assert len(made.calls) == 4


def test_another_fingerprint_or_canvas_is_made_anew(asked, pixels, tmp_path):
    made = Breathing()
    scored(tmp_path / "run", {"breathing": lambda checkpoint: made}, **asked)
    other = Breathing("2")
    scored(tmp_path / "run", {"breathing": lambda checkpoint: other}, **asked)
    assert len(other.calls) == 3
    from pathlib import Path

    data = yaml.safe_load(Path(pixels).read_text()) | {"canvas": 96, "frames": 20}
    (tmp_path / "other.yaml").write_text(yaml.safe_dump(data))
    asked["protocol"] = str(tmp_path / "other.yaml")
    found = scored(tmp_path / "run", {"breathing": lambda checkpoint: made}, **asked)
    assert made.calls[3:] == [((96, 96, 3), 20 * 640, 20, 0)] * 3
    assert set(found.run.clips()["flags"]) == {""}


def test_how_far_the_videos_are_is_told_as_they_are_made(asked, pixels, tmp_path):
    from talkingface_wild.benchmark.clip_sources import clips_of
    from talkingface_wild.benchmark.outputs import ClipInputs, generated_outputs
    from talkingface_wild.benchmark.protocol import load_protocol

    asked = {key: value for key, value in asked.items() if key == "pairs"}
    clips = clips_of(BenchRequest(out=tmp_path, **asked)).clips
    told = []

    def made(generator):
        inputs = ClipInputs(load_protocol(pixels), tmp_path, tmp_path / "features")
        return list(generated_outputs(generator, {}, clips, [0], inputs, print, told.append))

    first = made(Breathing(fails=(2,)))
    assert told[0].missing == 3
    ahead = [making.finished + making.share for making in told]
    assert ahead == sorted(ahead) and ahead[-1] == 3.0
    halfway = next(making for making in told if making.finished == 1 and making.share)
    assert halfway.share == 16 / COUNT
    folder = first[0][2].parent
    (folder / ".0123.tmp.mp4").write_bytes(b"half")
    told.clear()
    made(Breathing())
    assert {making.missing for making in told} == {1}, "only the one that failed"
    assert not list(folder.glob(".*")), "what a killed run left is gone"
    told.clear()
    made(Breathing())
    assert told == []


def test_a_generated_video_says_that_it_is_one(asked, tmp_path):
    import av

    scored(tmp_path / "run", {"breathing": lambda checkpoint: Breathing()}, **asked, limit=1)
    (path,) = (tmp_path / "run" / "outputs").rglob("*.mp4")
    with av.open(str(path)) as container:
        said = container.metadata["comment"]
    assert said.startswith("AI-generated") and "breathing-1, seed 0" in said


@pytest.mark.parametrize("error", [RuntimeError, ValueError])
def test_a_clip_that_the_generator_cannot_make_is_told_and_scored_with_the_still(
    asked, tmp_path, error
):
    told, made = [], Breathing(fails=(2,), error=error)
    found = scored(tmp_path / "run", {"breathing": lambda checkpoint: made}, told, **asked)
    (said,) = told
    assert said.startswith("may: crash") and "no memory is left" in said
    assert "scored with the static frame" in said
    rows = found.run.clips().set_index("clip")
    assert dict(rows["state"]) == {"hill": "scored", "may": "static", "zhao": "scored"}
    assert found.run.failures == 1
    assert not list((tmp_path / "run").rglob("*.wav")), "no half-made file is left"
    mended = scored(tmp_path / "run", {"breathing": lambda checkpoint: made}, told, **asked)
    assert len(made.calls) == 4 and mended.run.failures == 0


def test_a_stochastic_generator_is_scored_with_three_seeds(asked, tmp_path):
    made = Breathing()
    made.stochastic = True
    run = scored(tmp_path / "run", {"breathing": lambda checkpoint: made}, **asked, limit=2).run
    assert sorted(call[3] for call in made.calls) == [0, 0, 1, 1, 2, 2]
    score = run.scores["psnr"]
    assert run.seeds == 3 and "seeds=3" in score.signature and score.n == 2
    rows = run.clips()
    assert len(rows) == 6
    assert score.deviation > 0.0
    assert score.value == pytest.approx(rows["psnr"].mean())


PROGRAM = """
import subprocess, sys
binary, portrait, audio, output = sys.argv[1:5]
if "may" in sys.argv[5]:
    sys.exit(3)
subprocess.run([binary, "-v", "error", "-y", "-loop", "1", "-framerate", "25", "-i", portrait,
    "-i", audio, "-t", sys.argv[6], "-c:v", "libx264", "-pix_fmt", "yuv420p", output], check=True)
"""


@pytest.fixture
def adapter(tmp_path):
    """An external system: a program that makes a film of the portrait, and fails for one clip."""
    from talkingface_wild.media.ffmpeg import ffmpeg_binary

    (tmp_path / "program.py").write_text(PROGRAM)
    command = [sys.executable, str(tmp_path / "program.py"), ffmpeg_binary(), "{portrait}",
               "{audio}", "{output}", "{clip}", "{seconds}"]  # fmt: skip
    data = {"name": "still-film", "title": "Still film", "outputs": "{clip}.mp4",
            "stochastic": False, "run": {"command": command}}  # fmt: skip
    path = tmp_path / "still-film.yaml"
    path.write_text(yaml.safe_dump(data))
    return str(path)


def test_an_adapters_command_makes_the_videos_that_are_missing(asked, adapter, tmp_path):
    told = []
    asked["model"] = adapter
    found = scored(tmp_path / "run", told=told, **asked, run_command=True)
    rows = found.run.clips().set_index("clip")
    assert dict(rows["state"]) == {"hill": "scored", "may": "static", "zhao": "scored"}
    assert "may: crash" in told[0] and "exit code 3" in told[0]
    assert found.run.name == "still-film"
    (outputs,) = (tmp_path / "run" / "outputs").glob("still-film-*")
    assert sorted(path.name for path in outputs.glob("*.mp4")) == ["hill.mp4", "zhao.mp4"]
    still = scored(tmp_path / "still", **{**asked, "model": "static"}).run.clips().set_index("clip")
    assert rows["ssim"]["hill"] == pytest.approx(still["ssim"]["hill"], abs=0.02)
    stamp = (outputs / "hill.mp4").stat().st_mtime_ns
    scored(tmp_path / "run", told=told, **asked, run_command=True)
    assert (outputs / "hill.mp4").stat().st_mtime_ns == stamp


def test_an_adapter_finds_finished_videos(asked, adapter, films, tmp_path):
    asked["model"] = adapter
    found = scored(tmp_path / "run", **asked, outputs=films / MADE)
    assert set(found.run.clips()["state"]) == {"scored"}
    with pytest.raises(UsageError, match="add --run"):
        scored(tmp_path / "other", **asked)
    assert (films / REAL).is_dir()
