"""Protocols: the files that come with the package, unknown keys, and which frames are meant."""

import dataclasses

import pytest

from talkingface_wild.benchmark.metrics import METRICS
from talkingface_wild.benchmark.protocol import Frames, from_json, load_protocol, names
from talkingface_wild.core.errors import RecipeError, UsageError


@pytest.mark.parametrize("name", names())
def test_every_protocol_loads_and_survives_json(name):
    protocol = load_protocol(name)
    assert protocol.name == name
    assert protocol.summary
    assert set(protocol.metrics) <= set(METRICS)
    assert from_json(protocol.to_json()) == protocol


def test_tfw_v1_comes_first_and_is_the_page():
    assert names()[0] == "tfw-v1"
    protocol = load_protocol("tfw-v1")
    assert (protocol.canvas, protocol.fps, protocol.frames) == (512, 25, 375)
    assert (protocol.recode, protocol.autocast) == ("", False)
    assert len(protocol.fid.indices(375)) == 75
    assert protocol.fid.indices(375)[:2] == [1, 6]
    assert len(protocol.expression.indices(375)) == 75
    fvd = protocol.fvd
    windows = range(fvd.first, 375 - fvd.window + 1, fvd.step)
    assert (len(windows), fvd.window, windows[0]) == (23, 16, 1)
    assert (protocol.sync.pipeline, protocol.sync.first, protocol.sync.recode) == ("tracked", 1, ())
    assert protocol.similarity.indices(375) == list(range(1, 375))


def test_compatible_protocols_differ_where_they_say():
    resizes = {load_protocol(f"fid-{name}").fid.resize for name in ("clean", "torch-fidelity")}
    assert resizes == {"clean", "torch-fidelity"}
    assert load_protocol("sync-wav2lip-lrs").sync.pipeline == "whole"
    assert load_protocol("fvd-cd-geometry").fvd.ddof == 0
    assert load_protocol("mcdm-paper").unknowns


def test_frames_of_a_clip():
    assert Frames(first=1, stride=5).indices(12) == [1, 6, 11]
    assert Frames(first=0, stride=1, most=2).indices(12) == [0, 1]
    assert Frames(first=4).indices(3) == []


def test_an_unknown_key_is_named_with_its_line_and_the_nearest(tmp_path):
    path = tmp_path / "mine.yaml"
    path.write_text("name: mine\nsummary: Mine.\ncanvass: 128\n")
    with pytest.raises(RecipeError) as wrong:
        load_protocol(str(path))
    said = str(wrong.value)
    assert "mine.yaml" in said and "3" in said and "canvass" in said and "canvas" in said


def test_an_unknown_key_within_a_section_is_named(tmp_path):
    path = tmp_path / "mine.yaml"
    path.write_text("name: mine\nsummary: Mine.\nfid:\n  stride: 2\n  resise: clean\n")
    with pytest.raises(RecipeError, match=r"5.*resise.*resize"):
        load_protocol(str(path))


@pytest.mark.parametrize("line", ["canvas: -1", "fps: 0", "frames: 1", "fid: {resize: nearest}"])
def test_values_that_cannot_be_are_refused(tmp_path, line):
    path = tmp_path / "mine.yaml"
    path.write_text(f"name: mine\nsummary: Mine.\n{line}\n")
    with pytest.raises(RecipeError, match="mine"):
        load_protocol(str(path))


@pytest.mark.parametrize(
    "line", ["similarity: {stride: 0}", "fvd: {step: 0}", "similarity: {first: -1}"]
)
def test_frames_that_cannot_be_are_refused(tmp_path, line):
    path = tmp_path / "mine.yaml"
    path.write_text(f"name: mine\nsummary: Mine.\n{line}\n")
    with pytest.raises(RecipeError, match="mine"):
        load_protocol(str(path))


def test_an_unknown_protocol_gets_the_nearest_name():
    with pytest.raises(UsageError, match="did you mean 'tfw-v1'"):
        load_protocol("tfw-v2")


def test_a_changed_protocol_is_another_one():
    protocol = load_protocol("tfw-v1")
    assert dataclasses.replace(protocol, canvas=256).to_json() != protocol.to_json()
