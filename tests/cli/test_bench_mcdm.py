"""``tfw bench --model mcdm``: a checkpoint and a data set become scores; the table of ablations."""

import json
import sys

import pandas as pd
import pytest
import torch
import yaml

from talkingface_wild.cli import main
from talkingface_wild.media.sound import read_sound
from tests.benchmark.films import FPS, RATE, film, pictures
from tests.dataset.fixture import Take, Video, make_data_set

PROTOCOL = {
    "name": "pixels",
    "summary": "What needs no network, on few frames.",
    "canvas": 64,
    "frames": 12,
    "metrics": ["ssim", "psnr"],
}
TRAINED_ON = {
    "dataset": "set",
    "sha256": "0123456789abcdef",
    "clips": 2,
    "seconds": 1.9,
    "identities": 1,
    "languages": {"en": 2},
}
SAID = "set (clips 2, seconds 1.9, identities 1, languages 1, sha256 01234567)"
QUICK = ("sampling.steps=2", "sampling.prior_steps=2", "trunk.channels=[16,32]")
LARGE = (*QUICK, "picture.side=256", "picture.shrink=16")
"""256 pixels, and no more latents than 64 pixels have."""


def _saved(folder, clip_THWC, settings, variant="ours", **facts):
    """A checkpoint of fresh weights whose codec knows the pictures."""
    from talkingface_wild.models.mcdm import MCDMParts, preset
    from talkingface_wild.models.mcdm.variants import varied

    torch.manual_seed(0)
    config = varied(preset("tiny").changed(settings), variant)
    parts = MCDMParts.build(config)
    side = config.picture.side
    small = torch.nn.functional.interpolate(
        torch.from_numpy(clip_THWC).movedim(-1, 1).float(), (side, side), mode="area"
    )
    parts.patch_codec.fit(small.movedim(1, -1).to(torch.uint8))
    parts.facts = {"trained_on": TRAINED_ON, "stages": {"3": {"iterations": 5}}, **facts}
    parts.save(folder / "model")
    return folder


@pytest.fixture(scope="module")
def shown(shared):
    """(24, 256, 256, 3) of a real face."""
    return pictures(shared / "media" / "clips" / "hdtf_hill.mp4", 24)


@pytest.fixture(scope="module")
def data_set(shared, shown, tmp_path_factory):
    """A committed data set of two clips, real frames and real sound."""
    made = make_data_set(
        tmp_path_factory.mktemp("data") / "set",
        [Video("en/one.mp4", "en", [Take(0, 8), Take(10, 18)])],
    )
    heard = read_sound(shared / "media" / "clips" / "hdtf_hill.mp4", 0.0, 24 / FPS, RATE)
    for path in pd.read_parquet(made.out / "dataset" / "clips")["media_path"]:
        film(made.out / path, shown, heard)
    return made.out


@pytest.fixture(scope="module")
def checkpoint(shown, tmp_path_factory):
    """A training's folder."""
    return _saved(tmp_path_factory.mktemp("tiny"), shown, QUICK)


@pytest.fixture
def asked(data_set, tmp_path):
    """Arguments up to the checkpoint, from an empty folder."""
    (tmp_path / "pixels.yaml").write_text(yaml.safe_dump(PROTOCOL))
    words = ["bench", "--model", "mcdm", "--dataset", data_set, "--split", "all", "--protocol"]
    words += [tmp_path / "pixels.yaml", "--out", tmp_path / "run", "--device", "cpu"]
    return [str(word) for word in words]


def _told(capsys):
    return json.loads(capsys.readouterr().out)


def _videos(folder):
    return {path.name: path.stat().st_mtime_ns for path in folder.rglob("outputs/*/*.mp4")}


def test_a_checkpoint_and_a_data_set_become_scores(
    asked, checkpoint, tmp_path, capsys, monkeypatch
):
    monkeypatch.setattr("talkingface_wild.cli.board.LINE_EVERY_SECONDS", 0.0)
    arguments = [*asked, "--checkpoint", str(checkpoint)]
    assert main.run(arguments) == 0
    shown = capsys.readouterr()
    assert "videos 0/6" in shown.err and "videos 5/6" in shown.err
    seen = f"{SAID}; stages 3 (5 iterations); 1 of 2 scored clips are among it"
    assert f"trained on {seen}" in shown.out.replace("\n", " ")
    assert "learned from 1 of 2 scored clips: these figures are not held out" in shown.err
    run = tmp_path / "run"
    scores = json.loads((run / "scores.json").read_text())["scores"]
    assert scores["ssim"]["n"] == 2 and 0.0 < scores["ssim"]["value"] < 1.0
    assert scores["ssim"]["deviation"] > 0.0, "the seed changes the frames"
    assert "seeds=3" in scores["ssim"]["signature"]
    rows = pd.read_parquet(run / "clips.parquet")
    assert set(rows["state"]) == {"scored"} and set(rows["frames"]) == {12}
    assert f"Trained on {seen}." in (run / "report.html").read_text()
    made = _videos(run)
    assert main.run([*arguments, "--json"]) == 0
    told = capsys.readouterr()
    assert "videos 0/6" not in told.err and _videos(run) == made, "nothing is made twice"
    assert json.loads(told.out)["data"]["scores"]["ssim"]["value"] == scores["ssim"]["value"]
    assert main.run(["bench", "table", str(run)]) == 0
    assert "mcdm: trained on set (clips 2" in capsys.readouterr().out


def test_a_stopped_run_goes_on_with_the_videos_that_are_missing(
    asked, checkpoint, tmp_path, monkeypatch, capsys
):
    from talkingface_wild.models.mcdm.generator import MCDMGenerator

    whole, calls = MCDMGenerator.frames, []

    def frames(self, *given):
        calls.append(given[-1])
        for chunk in whole(self, *given):
            yield chunk
            if len(calls) == 2:
                raise KeyboardInterrupt

    monkeypatch.setattr(MCDMGenerator, "frames", frames)
    arguments = [*asked, "--checkpoint", str(checkpoint), "--seeds", "2"]
    assert main.run(arguments) == 130
    assert "go on with: tfw bench --model mcdm" in capsys.readouterr().err
    (first,) = _videos(tmp_path / "run").items()
    assert main.run([*arguments, "--json"]) == 0
    assert first in _videos(tmp_path / "run").items() and len(calls) == 2 + 3
    warnings = _told(capsys)["warnings"]
    assert "Made with --seeds 2 where the protocol asks for 3." in warnings


def test_other_sampling_is_other_videos_and_another_run(asked, checkpoint, tmp_path, capsys):
    arguments = [*asked, "--checkpoint", str(checkpoint), "--seeds", "1", "--limit", "1"]
    assert main.run(arguments) == 0
    assert main.run([*arguments, "--steps", "3", "--cfg", "2"]) == 2
    assert "sampling '' instead of 'steps 3, guidance 2'" in capsys.readouterr().err
    assert main.run([*arguments, "--steps", "3", "--cfg", "2", "--fresh"]) == 0
    assert len({path.parent for path in (tmp_path / "run").rglob("outputs/*/*.mp4")}) == 2


@pytest.mark.parametrize(
    ("more", "code", "words"),
    [
        ([], 2, "`tfw train --model mcdm --preset tiny"),
        (["--checkpoint", "."], 5, "Expected an MCDM checkpoint"),
        (["--checkpoint", "nowhere"], 5, "the --out of 'tfw train'"),
        (["--ablations"], 2, "`tfw train --model mcdm"),
        (["--reported"], 2, "--ablations"),
        (["--ablations", "--model", "static"], 2, "--model mcdm"),
        (["--model", "static", "--steps", "3"], 2, "--steps with a generator"),
    ],
)
def test_what_cannot_be_is_one_sentence_before_any_work(
    asked, tmp_path, monkeypatch, capsys, more, code, words
):
    monkeypatch.chdir(tmp_path)
    assert main.run([*asked, *more]) == code
    said = capsys.readouterr().err
    assert words in said and "Traceback" not in said and said.count("\n") == 1
    assert not (tmp_path / "run").exists()


def test_without_the_extra_it_is_said_how_to_install_it(asked, checkpoint, monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, "diffusers", None)
    assert main.run([*asked, "--checkpoint", str(checkpoint)]) == 4
    assert "talkingface-wild[models]" in capsys.readouterr().err


@pytest.fixture
def training(shown, tmp_path):
    """A training's folder at 256 pixels with four of the five variants."""
    folder = _saved(tmp_path / "large", shown, LARGE)
    for name in ("reference_unet", "qformer", "no_mta", "no_archive"):
        other = {"trained_on": "other data"} if name == "qformer" else {}
        _saved(folder / "variants" / name, shown, LARGE, name, **other)
    return folder


@pytest.mark.long
def test_ablations_are_one_table_in_the_papers_order(asked, training, tmp_path, capsys):
    arguments = [*asked, "--checkpoint", str(training), "--ablations", "--limit", "1"]
    arguments += ["--seeds", "1", "--reported"]
    assert main.run([*arguments, "--json"]) == 0
    told = _told(capsys)
    rows = [row["name"] for row in told["data"]["rows"]]
    assert rows == ["w/o F_a", "w/o MTA", "Ours", "B1", "B2"]
    printed = [table["title"].partition(",")[0] for table in told["data"]["reported"]]
    assert printed == ["Reported: Table 4", "Reported: Table 5"]
    for name in ("no_archive", "no_mta", "ours", "qformer", "reference_unet"):
        run = tmp_path / "run" / name
        assert len(_videos(run)) == 1 and (run / "report.html").is_file()
        value = json.loads((run / "scores.json").read_text())["scores"]["psnr"]["value"]
        assert told["data"]["variants"][name]["scores"]["psnr"]["value"] == value
    command = f"tfw train --model mcdm --variant no_present --data {asked[4]} --out {training}"
    assert told["data"]["lacking"] == {"no_present": command}
    text = (tmp_path / "run" / "ablations.md").read_text()
    places = [text.index(f"| {name} |") for name in ("w/o F\\_a", "w/o MTA", "Ours", "B1", "B2")]
    assert places == sorted(places)
    assert "w/o F\\_pc is not in the table, it has no checkpoint" in text
    apart = "B1 differs from Ours in more than its own settings: what it was trained on"
    assert apart in text and "B2 differs" not in text
    assert "Ours, B2: trained on set" in text
    assert (tmp_path / "run" / "ablations.tex").read_text().count("begin{tabular") == 3
    made = _videos(tmp_path / "run")
    assert main.run(arguments) == 0
    assert "| Ours |" in capsys.readouterr().out and _videos(tmp_path / "run") == made


def test_small_models_and_lone_ones_give_no_such_table(
    asked, checkpoint, training, shown, tmp_path, capsys
):
    small = _saved(tmp_path / "small", shown, QUICK)
    _saved(small / "variants" / "no_mta", shown, QUICK, "no_mta")
    assert main.run([*asked, "--checkpoint", str(small), "--ablations"]) == 2
    said = capsys.readouterr().err
    assert "at least 256 x 256" in said and "found 64 x 64" in said
    assert f"--checkpoint {small}/variants/NAME" in said
    assert main.run([*asked, "--checkpoint", str(checkpoint), "--ablations"]) == 5
    assert f"--variant no_archive --data {asked[4]} --out {checkpoint}" in capsys.readouterr().err
    assert not (tmp_path / "run").exists()


def test_the_rows_are_those_that_the_paper_printed():
    from talkingface_wild.benchmark.tables.reported import reported_rows
    from talkingface_wild.jobs.bench.ablations import REPORTED, ROWS
    from talkingface_wild.models.mcdm.variants import ABLATIONS

    assert set(ROWS) == {"ours", *ABLATIONS}
    printed = [row.method for row in reported_rows() if row.table in REPORTED]
    assert list(ROWS.values()) == list(dict.fromkeys(printed))
