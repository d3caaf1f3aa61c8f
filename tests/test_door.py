"""The Python door: each function's example as its docstring has it, and what it shows to whom."""

import json
import subprocess
import sys
import textwrap

import pytest
from PIL import Image
from skimage import data

import talkingface_wild
from talkingface_wild.core.errors import UsageError
from talkingface_wild.media.sound import write_wav
from talkingface_wild.models.mcdm import MCDMPipeline
from tests.models.mcdm.small import small_parts, speech
from tests.pipelines.curated import environment
from tests.terminal.screen import Terminal

CURATE = """
    import talkingface_wild
    outcome = talkingface_wild.curate(
        out={out!r}, recipe="demo", languages="en", limit=2, engine="local"
    )
    clips = talkingface_wild.load({out!r})
    assert len(clips) == outcome.count("kept", "clip") > 0
"""


def _program(out) -> list[str]:
    return [sys.executable, "-c", textwrap.dedent(CURATE.format(out=str(out)))]


def test_curate_and_load_are_quiet_in_a_script(tmp_path):
    done = subprocess.run(
        _program(tmp_path / "set"), env=environment(), capture_output=True, text=True, timeout=600
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", ""), done.stderr


@pytest.mark.long
def test_curate_shows_a_bar_at_a_terminal(tmp_path):
    terminal = Terminal(_program(tmp_path / "set"))
    assert terminal.wait(600) == 0
    assert "━" in terminal.text
    assert "to go" in terminal.text


def test_importing_it_imports_nothing_heavy():
    program = (
        "import sys, talkingface_wild\n"
        "heavy = {'torch', 'ray', 'gradio', 'pandas', 'pydantic', 'cv2', 'av', 'rich'}\n"
        "assert not heavy & set(sys.modules), heavy & set(sys.modules)\n"
    )
    subprocess.run([sys.executable, "-c", program], check=True, env=environment())


def test_score_gives_scores_with_their_signature(demo_out, tmp_path):
    run = talkingface_wild.score(
        model="static", dataset=str(demo_out), metrics="ssim", limit=2, split="all",
        out=tmp_path / "run",
    ).run  # fmt: skip
    assert 0 < run.scores["ssim"].value < 1 and "ssim" in run.scores["ssim"].signature


def test_generate_writes_a_marked_video(tmp_path):
    MCDMPipeline.of(small_parts()).save_pretrained(tmp_path / "run" / "model")
    Image.fromarray(data.astronaut()).save(tmp_path / "face.jpg")
    write_wav(tmp_path / "speech.wav", speech(0.4), 16_000)
    result = talkingface_wild.generate(
        checkpoint=tmp_path / "run",
        image=tmp_path / "face.jpg",
        audio=tmp_path / "speech.wav",
        out=tmp_path / "v.mp4",
        steps=2,
        prior_steps=2,
    )
    assert result.out.is_file() and json.loads(result.sidecar.read_text())["generated"] is True


def test_errors_are_the_command_lines_sentences(tmp_path):
    with pytest.raises(UsageError, match="engine expects ray or local, found 'foo'"):
        talkingface_wild.curate(out=tmp_path, engine="foo")
    with pytest.raises(UsageError, match="found 'recipes' .did you mean 'recipe'"):
        talkingface_wild.curate(out=tmp_path, recipes="demo")
    with pytest.raises(UsageError, match="limit expects greater than or equal to 1, found 0"):
        talkingface_wild.curate(out=tmp_path, limit=0)
