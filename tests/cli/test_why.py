"""``tfw why`` at the command line."""

import json

from talkingface_wild.cli.main import run
from tests.dataset.fixture import Take, Video, make_data_set


def test_a_clips_path_in_words_and_as_json(tmp_path, capsys):
    made = make_data_set(tmp_path / "out")
    clip = made.clip("ko/three.mp4", 1)
    assert run(["why", str(made.out), clip[:8]]) == 0
    told = capsys.readouterr().out
    assert "✗ gate quality: 34.0 >= 35.0, failed: low_quality" in told
    assert "verdict: rejected as low_quality" in told
    assert run(["why", str(made.out), clip, "--json"]) == 0
    data = json.loads(capsys.readouterr().out)["data"]
    assert (data["item"], data["reason"], data["bound"]) == (clip, "low_quality", "35.0")
    assert data["passages"][0]["measures"]["has_audio"] is True


def test_a_gate_that_measured_nothing_has_no_tick(tmp_path, capsys):
    """``why`` ticked gates whose network had never run."""
    made = make_data_set(tmp_path / "out")
    clip = made.clip("en/one.mp4", 0)
    assert run(["why", str(made.out), clip]) == 0
    told = capsys.readouterr().out.splitlines()
    sync = next(line for line in told if "gate sync" in line)
    assert sync.strip() == "– gate sync: no value >= 3.0, not measured, let through"
    assert "sync: not measured, weight syncnet_v2 is missing" in told
    assert any(line.strip().startswith("✓ gate quality") for line in told)


def test_a_source_lists_its_clips(tmp_path, capsys):
    made = make_data_set(tmp_path / "out")
    assert run(["why", str(made.out), "three"]) == 0
    told = capsys.readouterr().out
    assert all(made.clip("ko/three.mp4", index) in told for index in range(3))


def test_unknown_is_2_and_no_data_set_is_5(tmp_path, capsys):
    made = make_data_set(tmp_path / "out")
    assert run(["why", str(made.out), "thre"]) == 2
    assert "did you mean 'three'" in capsys.readouterr().err
    assert run(["why", str(tmp_path), "three"]) == 5


def test_a_name_cannot_command_the_terminal(tmp_path, capsys):
    made = make_data_set(tmp_path / "out", [Video("a\x1b[2J\nb.mp4", "en", [Take(0, 9)])])
    assert run(["why", str(made.out), made.clip("a\x1b[2J\nb.mp4", 0)]) == 0
    told = capsys.readouterr().out
    assert "\x1b" not in told
    assert "a�[2J�b.mp4" in told
