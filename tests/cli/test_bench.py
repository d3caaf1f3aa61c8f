"""``tfw bench`` at the command line: what is printed, the JSON object, exit codes, sentences."""

import json

import pytest
import yaml

from talkingface_wild.cli import main
from talkingface_wild.weights import Store
from tests.benchmark.conftest import PIXELS, SMALL
from tests.benchmark.films import MADE, REAL, film, make_films, pictures


@pytest.fixture(scope="module")
def films(shared, tmp_path_factory):
    return make_films(shared / "media" / "clips", tmp_path_factory.mktemp("films"))


@pytest.fixture
def asked(films, tmp_path):
    """Arguments that score the two folders into ``tmp_path/run`` without networks."""
    protocol = tmp_path / "pixels.yaml"
    protocol.write_text(yaml.safe_dump(PIXELS))
    folders = ["--outputs", films / MADE, "--reference", films / REAL]
    given = ["bench", *folders, "--protocol", protocol, "--out", tmp_path / "run"]
    return [str(part) for part in given]


def _refuse(constant):
    raise ValueError(f"{constant} is no JSON")


def _told(capsys):
    return json.loads(capsys.readouterr().out, parse_constant=_refuse)


def test_json_holds_every_score_with_its_interval_n_and_signature(asked, tmp_path, capsys):
    assert main.run([*asked, "--json"]) == 0
    told = _told(capsys)
    assert told["ok"] is True
    data = told["data"]
    assert set(data["scores"]) == set(PIXELS["metrics"])
    for name, score in data["scores"].items():
        assert {"value", "low", "high", "n", "signature"} <= set(score)
        assert score["low"] <= score["value"] <= score["high"]
        assert score["n"] == 4
        assert (
            score["signature"].startswith("pixels|list=real:") and f"{name}=" in score["signature"]
        )
    assert (data["scored"], data["unscored"], data["static"], data["clips"]) == (4, 0, 0, 4)
    assert (tmp_path / "run" / "report.html").is_file()
    assert any("size! 4 clips" in warning for warning in told["warnings"])


def test_a_person_sees_a_table_and_the_next_command(asked, tmp_path, capsys):
    assert main.run([*asked, "--limit", "3"]) == 0
    shown = capsys.readouterr().out
    for words in ("SSIM ↑", "PSNR ↑", "3 of 4 clips scored", "next    tfw bench table"):
        assert words in shown
    assert "pixels" in shown


@pytest.mark.parametrize(
    ("more", "code", "words"),
    [
        (["--metrics", "ssim,fidd"], 2, "did you mean 'fid'"),
        (["--protocol", "tfw-v9"], 2, "did you mean 'tfw-v1'"),
        (["--model", "grountruth"], 2, "did you mean 'groundtruth'"),
        (["--engine", "slurm"], 2, "local"),
        (["--split", "dev"], 2, "train, val, test or all"),
        (["--device", "gpu"], 2, "'gpu'"),
        (["--reference", "nowhere"], 5, "nowhere"),
        (["--pairs", "nowhere.csv"], 5, "nowhere.csv"),
    ],
)
def test_what_cannot_be_is_one_sentence_and_an_exit_code(
    asked, tmp_path, monkeypatch, capsys, more, code, words
):
    monkeypatch.chdir(tmp_path)
    assert main.run([*asked, *more]) == code
    said = capsys.readouterr().err
    assert words in said and "Traceback" not in said
    assert not (tmp_path / "run" / "run.json").exists()


def test_a_data_set_that_is_not_there_gets_the_nearest_list(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    asked = ["bench", "--model", "static", "--metrics", "ssim", "--dataset"]
    assert main.run([*asked, "hdft"]) == 5
    assert "did you mean 'hdtf'" in capsys.readouterr().err
    assert main.run([*asked, "hdtf"]) == 5
    assert "tfw bench list make hdtf-100" in capsys.readouterr().err
    assert main.run(["bench"]) == 2
    assert "--model NAME --dataset DIR" in capsys.readouterr().err


def test_missing_weights_are_exit_4_and_left_out_when_asked(asked, tmp_path, capsys):
    more = ["--metrics", "ssim,fid,sync_c"]
    assert main.run([*asked, *more]) == 4
    said = capsys.readouterr().err
    store = Store(tmp_path)
    for name in ("inception_fid", "syncnet_v2", "s3fd"):
        assert store.entry(name).file in said
    assert "tfw weights" in said and "--skip-missing" in said
    assert main.run([*asked, *more, "--skip-missing", "--json"]) == 0
    told = _told(capsys)
    assert list(told["data"]["scores"]) == ["ssim"]
    assert told["data"]["left_out"]["fid"] == ["inception_fid"]
    assert any("fid is left out: inception_fid missing" in said for said in told["warnings"])


def test_a_clip_that_cannot_be_scored_and_a_failed_one_are_told(films, asked, tmp_path, capsys):
    import shutil

    for side in (REAL, MADE):
        shutil.copytree(films / side, tmp_path / side)
    (tmp_path / REAL / "may.mp4").write_text("no video")
    (tmp_path / MADE / "hill.mp4").write_text("no video")
    film(tmp_path / MADE / "zhao.mp4", pictures(films / MADE / "zhao.mp4", 1), None)
    asked[2], asked[4] = str(tmp_path / MADE), str(tmp_path / REAL)
    assert main.run([*asked, "--json"]) == 0
    told = _told(capsys)
    assert told["data"]["unscored"] == 1 and told["data"]["static"] == 2
    said = " ".join(told["warnings"])
    assert "2 of 4 clips failed, wholly or for some networks" in said
    assert "1 clip could not be scored (may: not_a_video)" in said
    for path in (tmp_path / REAL).iterdir():
        path.write_text("no video")
    assert main.run([*asked, "--json"]) == 5
    assert _told(capsys)["ok"] is False


def test_verify_holds_and_fails_with_exit_6(asked, tmp_path, capsys):
    main.run(asked)
    capsys.readouterr()
    run = str(tmp_path / "run")
    assert main.run(["bench", "verify", run, "--json"]) == 0
    told = _told(capsys)
    assert told["data"]["wrong"] == 0 and len(told["data"]["checks"]) >= 4
    path = tmp_path / "run" / "scores.json"
    path.write_text(path.read_text().replace('"value": 0.8', '"value": 0.9'))
    assert main.run(["bench", "verify", run]) == 6
    shown = capsys.readouterr()
    assert "WRONG" in shown.out and "ssim from stored features" in shown.err
    assert main.run(["bench", "verify", str(tmp_path)]) == 5


def test_selfcheck_is_all_right_here(capsys):
    assert main.run(["bench", "selfcheck"]) == 0
    assert "not run" in capsys.readouterr().out
    assert main.run(["bench", "selfcheck", "--json"]) == 0
    told = _told(capsys)
    assert told["data"]["wrong"] == 0
    assert {answer["state"] for answer in told["data"]["answers"]} == {"ok", "not run"}


def test_weights_that_are_not_the_published_ones_are_said(
    films, goldens, asked, tmp_path, monkeypatch, capsys
):
    from tests.benchmark import filler_weights

    store = Store(tmp_path / "weights")
    store.folder.mkdir()
    filler_weights.make(goldens, store, ("inception_fid",))
    monkeypatch.setenv("TFW_WEIGHTS", str(store.folder))
    (tmp_path / "few.yaml").write_text(yaml.safe_dump({**SMALL, "name": "few", "frames": 3}))
    more = ["--protocol", str(tmp_path / "few.yaml"), "--metrics", "fid,kid,ssim", "--limit", "2"]
    assert main.run([*asked, *more, "--json", "--name", "Ours"]) == 0
    told = _told(capsys)
    assert told["data"]["unofficial"] == ["inception_fid"]
    assert told["data"]["name"] == "Ours"
    assert told["data"]["scores"]["ssim"]["unofficial"] == []
    assert any("UNOFFICIAL WEIGHTS (inception_fid)" in said for said in told["warnings"])
    assert main.run(["bench", "table", str(tmp_path / "run")]) == 6
    shown = capsys.readouterr()
    assert "UNOFFICIAL WEIGHTS" in shown.out and "Ours" in shown.out
