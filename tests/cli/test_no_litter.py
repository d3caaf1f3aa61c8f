"""A refused command leaves every folder as it was: nothing made, nothing changed."""

import shutil

import pytest

from talkingface_wild.cli.main import run
from tests.dataset.fixture import make_data_set

REFUSED = {
    "curate unknown recipe": "curate --recipe nowhere --out new",
    "curate broken recipe": "curate --recipe broken.yaml --sources videos --out new",
    "curate stages in a wrong order": "curate --recipe order.yaml --sources videos --out new",
    "curate missing weights": "curate --recipe talkingface_wild --sources videos --out new/deep",
    "curate no sources": "curate --recipe embedded --engine local --out new/deep",
    "curate sources not there": "curate --recipe embedded --sources nowhere --out new",
    "curate empty folder": "curate --recipe embedded --engine local --sources empty --out new",
    "curate list without a column": "curate --recipe embedded --sources columns.csv --out new",
    "curate unreadable list": "curate --recipe embedded --sources bytes.parquet --out new",
    "curate no such language": "curate --recipe demo --langs xx --engine local --out new",
    "curate language by name": "curate --recipe demo --langs english --out new",
    "curate wrong engine": "curate --recipe demo --engine spark --out new",
    "curate workers": "curate --recipe embedded --sources videos --engine local --workers 2 "
    "--out new",
    "curate unknown gate": "curate --recipe demo --set gates.nope=1 --out new",
    "curate unknown stage": "curate --recipe demo --set nope.x=1 --out new",
    "curate wrong option": "curate --recipe demo --limit 0 --out new",
    "curate existing folder": "curate --recipe embedded --engine local --sources empty --out old",
    "curate existing fresh": "curate --recipe embedded --engine local --workers 2 --fresh "
    "--out set",
    "curate existing other sources": "curate --engine local --recipe embedded --sources nowhere "
    "--out set",
    "plan unknown recipe": "curate --plan --recipe nowhere --out new",
    "plan unknown gate": "curate --plan --recipe demo --set gates.nope=1 --out new",
    "recut no data set": "recut new --set gates.length=2",
    "recut unknown gate": "recut set --set gates.nope=1",
    "recut stage": "recut set --set shots.threshold=1",
    "review export no data set": "review export new",
    "review export bad size": "review export set --per-language -1",
    "review import no file": "review import nowhere.csv --out set",
    "review import no data set": "review import answers.csv --out new",
    "review import wrong line": "review import answers.csv --out set",
    "report no data set": "report new",
    "report elsewhere": "report new --output pages/report.html",
    "status no data set": "status new",
    "why unknown": "why set nothing-called-so",
    "reasons unknown": "reasons nope",
    "bench unknown metric": "bench --model static --dataset set --metrics nope --out new",
    "bench unknown protocol": "bench --model static --dataset set --protocol nope --out new",
    "bench unknown model": "bench --model nope --dataset set --out new",
    "bench no data set": "bench --model static --dataset nowhere --out new/deep",
    "bench missing weights": "bench --model static --dataset set --metrics fid --out new/deep",
    "bench no pairs": "bench --outputs empty --reference videos --out new",
    "bench outputs alone": "bench --outputs videos --out new",
    "bench engine": "bench --model static --dataset set --engine spark --out new",
    "bench device": "bench --model static --dataset set --metrics ssim --device tpu --out new",
    "bench workers": "bench --outputs videos --reference videos --metrics ssim --engine local "
    "--workers 3 --out new/deep",
    "bench no checkpoint": "bench --model mcdm --checkpoint nowhere --dataset set --out new",
    "bench ablations": "bench --ablations --checkpoint nowhere --dataset set --out new",
    "bench pairs": "bench --pairs columns.csv --out new",
    "bench existing folder": "bench --model static --dataset set --metrics fid --out old",
    "bench table": "bench table nowhere --output new/table.md",
    "bench grid": "bench grid nowhere --out new",
    "bench study": "bench study nowhere --out new",
    "bench list": "bench list make nope --out new",
    "cite": "cite nowhere --output new/refs.bib",
    "train model": "train --model nope --out new",
    "train stage": "train --stage 7 --out new",
    "train preset": "train --preset nope --out new",
    "train variant": "train --preset tiny --variant nope --data set --out new",
    "train setting": "train --preset tiny --set training.nope=1 --data set --out new",
    "train no data": "train --preset tiny --cpu --out new/deep",
    "train data not there": "train --preset tiny --cpu --data nowhere --out new/deep",
    "train data without media": "train --preset tiny --cpu --data set --out new/deep",
    "train variant data not there": "train --preset tiny --variant no_archive --cpu "
    "--data nowhere --out new",
    "train too early": "train --preset tiny --cpu --stage 2 --out new",
    "train weights too late": "train --preset tiny --cpu --stage 3 --weights sd15=x --out new",
    "train weights twice": "train --preset tiny --cpu --data set --weights sd15 --out new",
    "train existing folder": "train --preset tiny --cpu --data nowhere --out old",
    "generate nothing": "generate --model mcdm",
    "generate no checkpoint": "generate --model mcdm --checkpoint nowhere --image face.jpg "
    "--audio voice.wav --out new/deep/v.mp4",
    "generate no image": "generate --model mcdm --checkpoint empty --image nowhere.jpg "
    "--audio nowhere.wav --out new/v.mp4",
    "generate no video": "generate --model mcdm --checkpoint empty --image face.jpg "
    "--audio voice.wav --out new/v.avi",
    "generate existing folder": "generate --model mcdm --checkpoint nowhere --image face.jpg "
    "--audio voice.wav --out old/v.mp4",
    "weights import": "weights import nowhere",
    "weights fetch": "weights fetch nope",
    "schema": "schema --table nope",
    "recipes": "recipes show nope",
}


@pytest.fixture(scope="module")
def inputs(tmp_path_factory):
    """Inputs that commands refuse, a data set whose media are gone, and a folder of somebody's."""
    place = tmp_path_factory.mktemp("place")
    make_data_set(place / "set")
    for name in ("empty", "videos", "old"):
        (place / name).mkdir()
    (place / "old" / "notes.txt").write_text("mine")
    (place / "videos" / "a.mp4").write_bytes(b"no video")
    (place / "face.jpg").write_bytes(b"no picture")
    (place / "voice.wav").write_bytes(b"no sound")
    (place / "broken.yaml").write_text("stages: [shots\n")
    (place / "order.yaml").write_text("name: order\nstages: [encode, probe, shots]\n")
    (place / "columns.csv").write_text("name,what\na,b\n")
    (place / "bytes.parquet").write_bytes(b"no parquet")
    (place / "answers.csv").write_text("clip_id,decision\nnone,accept\n")
    return place


@pytest.fixture
def folder(inputs, tmp_path):
    """The inputs for one command alone."""
    shutil.copytree(inputs, tmp_path / "place", symlinks=True)
    return tmp_path / "place"


def _listing(place):
    return {
        path.relative_to(place).as_posix(): None
        if path.is_dir()
        else (path.stat().st_size, path.stat().st_mtime_ns)
        for path in place.rglob("*")
    }


@pytest.mark.parametrize("command", REFUSED.values(), ids=REFUSED)
def test_a_refused_command_leaves_nothing(folder, monkeypatch, capsys, command):
    """An empty folder, or a lone config.json, would be taken for a run that can be gone on with."""
    monkeypatch.chdir(folder)
    before = _listing(folder)
    code = run(command.split())
    said = capsys.readouterr().err
    assert code in (2, 3, 4, 5), said
    assert "Unexpected error" not in said
    assert _listing(folder) == before, said
