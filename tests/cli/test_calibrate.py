"""``tfw calibrate sync`` at the command line: what it says of a set that it cannot judge."""

import hashlib

from talkingface_wild.cli.main import run
from tests.speed import synthetic


def files(out):
    paths = sorted(path for path in out.rglob("*") if path.is_file())
    return {path: hashlib.sha256(path.read_bytes()).hexdigest() for path in paths}


def test_a_set_without_meshes_says_how_to_get_them_and_is_left_alone(tmp_path, capsys):
    synthetic.write(tmp_path / "out", 20)
    before = files(tmp_path / "out")
    assert run(["calibrate", "sync", str(tmp_path / "out")]) == 5
    said = " ".join(capsys.readouterr().err.split())
    assert "with a mesh, found none" in said and "tfw weights fetch --open" in said
    assert files(tmp_path / "out") == before


def test_a_folder_without_a_set_is_one_sentence(tmp_path, capsys):
    assert run(["calibrate", "sync", str(tmp_path)]) == 5
    assert "tfw curate --out" in " ".join(capsys.readouterr().err.split())
