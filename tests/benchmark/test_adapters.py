"""Adapters: what a YAML may say, and real programs that succeed, fail, hang and misbehave."""

import json
import os
import stat
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import yaml

from talkingface_wild.benchmark.external.adapter import (
    Adapter,
    AdapterCommand,
    adapter_names,
    load_adapter,
    template_path,
)
from talkingface_wild.benchmark.external.program import Inputs, check_adapter, run_adapter
from talkingface_wild.core.errors import InputUnreadable, RecipeError, UsageError
from talkingface_wild.core.outcome import ItemFailed
from talkingface_wild.media.decode import frames
from talkingface_wild.media.sound import write_wav
from tests.media.fixtures import even_times, flashes, write_video

PAPER = (
    "aniportrait",
    "audio2head",
    "echomimic",
    "hallo",
    "megactor-sigma",
    "sadtalker",
    "v-express",
)
PROGRAM = """
import json, os, shutil, subprocess, sys, time
arguments = dict(zip(sys.argv[2::2], sys.argv[3::2]))
told = {"argv": sys.argv[1:], "env": dict(os.environ), "cwd": os.getcwd(),
        "stdin": sys.stdin.read(), "folder": sorted(os.listdir("."))}
json.dump(told, open(os.path.join(os.path.dirname(os.path.abspath(__file__)), "told.json"), "w"))
print("loud words"); print("on stderr", file=sys.stderr)
if sys.argv[1] == "good":
    shutil.copyfile(os.environ["FILM"], arguments["--out"])
if sys.argv[1] == "fail":
    sys.exit(3)
if sys.argv[1] == "garbage":
    open(arguments["--out"], "w").write("no video")
if sys.argv[1] == "own":
    os.makedirs("results/today"); shutil.copyfile(os.environ["FILM"], "results/today/x_1.mp4")
if sys.argv[1] == "hang":
    child = subprocess.Popen([sys.executable, "-c", "import signal, time\\n"
        "signal.signal(signal.SIGTERM, signal.SIG_IGN)\\ntime.sleep(600)"])
    open(os.environ["PIDS"], "w").write(f"{os.getpid()} {child.pid}")
    time.sleep(600)
"""


@pytest.fixture(scope="module")
def film(tmp_path_factory):
    from fractions import Fraction

    path = tmp_path_factory.mktemp("film") / "film.mp4"
    return write_video(path, even_times(Fraction(25), 1.0), flashes([k / 25 for k in range(25)]))


@pytest.fixture
def place(tmp_path, film, monkeypatch):
    """A folder with the program and inputs under hostile names."""
    (tmp_path / "system.py").write_text(PROGRAM)
    hostile = tmp_path / "in $(touch gone) 'q' \"d\""
    hostile.mkdir()
    (hostile / "-rf portrait.PNG").write_bytes(b"picture")
    write_wav(hostile / "--sound.wav", np.zeros(16000, np.int16), 16000)
    monkeypatch.setenv("FILM", str(film))
    monkeypatch.setenv("SECRET_TOKEN", "secret")
    return tmp_path


def _adapter(place, mode, *more, **run):
    command = (sys.executable, str(place / "system.py"), mode, *more)
    if not more:
        command = (*command, "--out", "{output}")
    return Adapter(
        "mine", "Mine", "{clip}.mp4", run=AdapterCommand(command, env=("FILM", "PIDS"), **run)
    )


def _inputs(place, clip="a clip; rm -rf / && echo 'hi' \"$HOME\" --x", **more):
    folder = next(place.glob("in *"))
    return Inputs(
        clip, folder / "-rf portrait.PNG", folder / "--sound.wav", seconds=1.0, frames=25, **more
    )


def _told(place):
    return json.loads((place / "told.json").read_text())


def test_a_program_gets_its_arguments_as_they_are(place):
    out = place / "out" / "-x y.mp4"
    adapter = _adapter(
        place, "good", "--out", "{output}", "--clip", "{clip}", "--face", "{portrait}",
        "--voice", "{audio}", "--seed", "{seed}", "--length", "{seconds}|{frames}",
    )  # fmt: skip
    inputs = _inputs(place, seed=7)
    assert run_adapter(adapter, inputs, out, logs=place / "run" / "logs") == out
    assert len(list(frames(out))) == 25
    told = _told(place)
    given = dict(zip(told["argv"][1::2], told["argv"][2::2], strict=True))
    assert given["--clip"] == inputs.clip
    assert given["--seed"] == "7"
    assert given["--length"] == "1.000|25"
    assert Path(given["--face"]).name == "portrait.png"
    assert Path(given["--voice"]).name == "audio.wav"
    assert told["stdin"] == ""
    assert "SECRET_TOKEN" not in told["env"]
    assert told["env"]["PATH"] == os.environ["PATH"]
    assert not list(place.rglob("gone"))
    assert [entry.name for entry in (place / "run").iterdir()] == ["logs"], "work is removed"
    (log,) = (place / "run" / "logs").iterdir()
    assert "loud words" in log.read_text() and "on stderr" in log.read_text()
    assert [entry.name for entry in (place / "out").iterdir()] == ["-x y.mp4"]


@pytest.mark.parametrize(
    ("mode", "reason", "words"),
    [
        ("fail", "crash", "exit code 3"),
        ("nothing", "file_missing", "wrote no {output}"),
        ("garbage", "crash", "no readable video"),
    ],
)
def test_a_failure_has_its_reason_and_names_the_log(place, mode, reason, words):
    out = place / "out.mp4"
    with pytest.raises(ItemFailed) as failed:
        run_adapter(_adapter(place, mode), _inputs(place), out, logs=place / "run" / "logs")
    outcome = failed.value.outcome
    assert outcome.reason == reason
    assert words in outcome.detail
    log = Path(outcome.detail.rsplit("see ", 1)[1])
    assert "loud words" in log.read_text()
    assert not out.exists()
    assert [entry.name for entry in (place / "run").iterdir()] == ["logs"]


def test_a_finished_video_is_not_lost_when_a_later_run_fails(place, film):
    out = place / "out.mp4"
    out.write_bytes(film.read_bytes())
    with pytest.raises(ItemFailed):
        run_adapter(_adapter(place, "garbage"), _inputs(place), out, logs=place / "run" / "logs")
    assert out.read_bytes() == film.read_bytes()


def test_a_time_out_ends_all_that_was_started(place, monkeypatch):
    monkeypatch.setattr("talkingface_wild.benchmark.external.program._GRACE_SECONDS", 0.3)
    monkeypatch.setenv("PIDS", str(place / "pids"))
    begun = time.monotonic()
    adapter = _adapter(place, "hang", timeout_seconds=2.0)
    with pytest.raises(ItemFailed) as failed:
        run_adapter(adapter, _inputs(place), place / "out.mp4", logs=place / "run" / "logs")
    assert failed.value.outcome.reason == "timeout"
    assert "longer than 2 s" in failed.value.outcome.detail
    assert time.monotonic() - begun < 20
    for pid in map(int, (place / "pids").read_text().split()):
        assert _gone(pid), f"{pid} runs on"


def _gone(pid):
    for _ in range(50):
        try:
            state = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0]
        except OSError:
            return True
        if state == "Z":
            return True
        time.sleep(0.1)
    return False


def test_a_program_that_writes_beside_its_files_does_so_in_its_own_folder(place, monkeypatch):
    home = place / "home"
    (home / "results").mkdir(parents=True)
    (home / "weights").mkdir()
    monkeypatch.setenv("MINE_HOME", str(home))
    adapter = _adapter(
        place, "own",
        variables={"home": "MINE_HOME"}, links="{home}", apart=("results",),
        files={"tfw.yaml": "cases:\n  {portrait}:\n    - {clip}\n"}, writes="results/*/x_*.mp4",
    )  # fmt: skip
    out = place / "out.mp4"
    run_adapter(adapter, _inputs(place), out, logs=place / "run" / "logs")
    assert out.is_file()
    assert {"results", "weights", "tfw.yaml"} <= set(_told(place)["folder"])
    assert not list((home / "results").iterdir()), "nothing was written into its home"


def test_texts_hold_hostile_names_as_quoted_strings(place):
    reader = place / "read.py"
    reader.write_text(
        "import json, os, shutil, sys, yaml\n"
        "json.dump(yaml.safe_load(open('tfw.yaml')), open(sys.argv[2], 'w'))\n"
        "shutil.copyfile(os.environ['FILM'], sys.argv[1])\n"
    )
    command = (sys.executable, str(reader), "{output}", str(place / "read.json"))
    files = {"tfw.yaml": "cases:\n  {portrait}:\n    - {clip}\n"}
    adapter = Adapter(
        "m", "M", "{clip}.mp4", run=AdapterCommand(command, files=files, env=("FILM",))
    )
    inputs = _inputs(place, clip="x\"'\\: {audio} # ü\n- y")
    run_adapter(adapter, inputs, place / "o.mp4", logs=place / "run" / "logs")
    (cases,) = json.loads((place / "read.json").read_text()).values()
    ((face, clips),) = cases.items()
    assert face.endswith("/portrait.png")
    assert clips == [inputs.clip], "a placeholder inside a value is not replaced"


def test_a_panel_is_cut_out_without_loss(place):
    left = np.full((48, 150, 3), 40, np.uint8)
    left[:, 102:150] = (200, 60, 90)
    sheet = place / "sheet.mp4"
    write_video(sheet, [0.0, 0.04, 0.08], [left] * 3)
    reader = place / "copy.py"
    reader.write_text(f"import shutil, sys\nshutil.copyfile({str(sheet)!r}, sys.argv[1])\n")
    run = AdapterCommand((sys.executable, str(reader), "{output}"), panel=(102, 0, 48, 48))
    out = run_adapter(
        Adapter("m", "M", "{clip}.mp4", run=run), _inputs(place), place / "o.mp4",
        logs=place / "run" / "logs",
    )  # fmt: skip
    whole = [frame.rgb for frame in frames(sheet)]
    cut = [frame.rgb for frame in frames(out)]
    assert [picture.shape for picture in cut] == [(48, 48, 3)] * 3
    assert all(
        np.abs(a.astype(int) - b[:, 102:].astype(int)).max() <= 2
        for a, b in zip(cut, whole, strict=True)
    )


def test_a_still_video_is_made_only_where_it_is_asked_for(place):
    import cv2

    face = next(place.glob("in *")) / "-rf portrait.PNG"
    cv2.imwrite(str(place / "p.png"), np.full((64, 64, 3), 90, np.uint8))
    face.write_bytes((place / "p.png").read_bytes())
    copier = place / "copy.py"
    copier.write_text("import shutil, sys\nshutil.copyfile(sys.argv[1], sys.argv[2])\n")
    run = AdapterCommand((sys.executable, str(copier), "{still}", "{output}"))
    out = run_adapter(
        Adapter("m", "M", "{clip}.mp4", run=run), _inputs(place), place / "o.mp4",
        logs=place / "run" / "logs",
    )  # fmt: skip
    assert len(list(frames(out, fps=25))) == 25


def test_what_cannot_start_is_told_once_and_not_per_clip(place):
    run = AdapterCommand(("no-such-program-at-all", "{output}"))
    with pytest.raises(UsageError, match=r"run\.command"):
        run_adapter(
            Adapter("m", "M", "{clip}.mp4", run=run), _inputs(place), place / "o.mp4",
            logs=place / "run" / "logs",
        )  # fmt: skip
    with pytest.raises(UsageError, match="--outputs DIR"):
        check_adapter(Adapter("m", "M", "{clip}.mp4"))
    run = AdapterCommand(("x", "{home}", "{checkpoint}"), variables={"home": "MINE_HOME_UNSET"})
    with pytest.raises(UsageError, match="export MINE_HOME_UNSET="):
        check_adapter(Adapter("m", "M", "{clip}.mp4", run=run))
    with pytest.raises(UsageError, match="--checkpoint"):
        check_adapter(Adapter("m", "M", "{clip}.mp4", run=AdapterCommand(("x", "{checkpoint}"))))


def test_outputs_stay_in_their_folder(tmp_path):
    adapter = Adapter("m", "M", "{source}/{clip}-{seed}.mp4")
    assert adapter.output(tmp_path, "c", "WDA/N", 2) == tmp_path / "WDA" / "N" / "c-2.mp4"
    for clip, source in (("../../x", "a"), ("c", ".."), ("c", "/etc"), ("a\0b", "s")):
        with pytest.raises(InputUnreadable, match="inside"):
            adapter.output(tmp_path, clip, source)


def test_the_papers_seven_are_here_and_none_is_called_tried():
    assert tuple(adapter_names()) == PAPER
    for name in PAPER:
        adapter = load_adapter(name)
        assert adapter.name == name
        assert not adapter.tried
        assert adapter.repository.startswith("https://github.com/")
        assert adapter.licence
        assert adapter.run is not None
        assert {"portrait", "home", "python"} <= adapter.needs
        assert adapter.needs & {"audio", "still"}
        assert adapter.track == "audio"
        for text in adapter.run.files.values():
            filled = text.replace("{portrait}", '"p q.png"').replace("{audio}", '"a.wav"')
            assert yaml.safe_load(filled)["test_cases"] == {"p q.png": ["a.wav"]}


def test_the_template_names_every_field_and_is_valid():
    adapter = load_adapter(str(template_path()))
    data = yaml.safe_load(template_path().read_text(encoding="utf-8"))
    assert set(data) == set(Adapter.__dataclass_fields__)
    assert set(data["run"]) == set(AdapterCommand.__dataclass_fields__)
    assert adapter.run.command[0] == "{python}"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("name: a\ntitle: A\noutptus: x.mp4\n", "line 3.*'outputs'"),
        ("name: A B\ntitle: A\noutputs: x.mp4\n", "lower-case"),
        ("name: a\ntitle: A\noutputs: ../x.mp4\n", "relative file name"),
        ("name: a\ntitle: A\noutputs: '{clop}.mp4'\n", "did you mean 'clip'"),
        ("name: a\ntitle: A\noutputs: x.mp4\ntrack: sound\n", "line 4.*audio, landmarks"),
        ("name: a\ntitle: A\noutputs: x.mp4\ntried: true\n", "tried_with"),
        ("name: a\ntitle: A\noutputs: x.mp4\nrun:\n  command: python x.py\n", "line 5.*list"),
        ("name: a\ntitle: A\noutputs: x.mp4\nrun:\n  cwd: x\n", "line 4.*run.command"),
        ("name: a\ntitle: A\noutputs: x.mp4\nrun:\n  command: ['{potrait}']\n", "'portrait'"),
        ("name: a\ntitle: A\noutputs: x.mp4\nrun:\n  command: []\n", "found none"),
        ("name: a\ntitle: A\noutputs: x.mp4\nrun: yes\n", "mapping"),
        ("name: a\ntitle: A\noutputs: x.mp4\nrun:\n  command: [x]\n  comand: [y]\n", "'command'"),
        (
            "name: a\ntitle: A\noutputs: x.mp4\nrun:\n  command: [x]\n  files: {../x: y}\n",
            "plain file names",
        ),
        (
            "name: a\ntitle: A\noutputs: x.mp4\nrun:\n  command: [x]\n  timeout_seconds: 0\n",
            "expects seconds",
        ),
        ("- a\n", "mapping"),
    ],
)
def test_a_bad_file_is_told(tmp_path, text, words):
    path = tmp_path / "mine.yaml"
    path.write_text(text)
    with pytest.raises(RecipeError, match=words):
        load_adapter(str(path))


def test_an_unknown_name_is_answered_with_the_nearest():
    with pytest.raises(UsageError, match="did you mean 'sadtalker'"):
        load_adapter("sadtalk")


def test_a_program_without_its_bit_is_told(place):
    program = place / "plain.sh"
    program.write_text("#!/bin/sh\n")
    program.chmod(stat.S_IRUSR)
    run = AdapterCommand((str(program), "{output}"))
    with pytest.raises(UsageError, match="cannot be"):
        run_adapter(
            Adapter("m", "M", "{clip}.mp4", run=run), _inputs(place), place / "o.mp4",
            logs=place / "run" / "logs",
        )  # fmt: skip
