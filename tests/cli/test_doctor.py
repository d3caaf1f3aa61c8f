"""``tfw doctor`` in processes of its own: a whole machine, a missing library, two OpenCV wheels."""

import datetime
import importlib.metadata
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from talkingface_wild.jobs import doctor

NEEDED = ("python", "cores", "memory", "disk", "shared memory", "cv2 wheels", "cv2", "torch")


def _doctor(*paths: Path, **environment: str):
    found = os.pathsep.join(str(path) for path in paths)
    done = subprocess.run(
        [sys.executable, "-m", "talkingface_wild.cli.main", "doctor", "--json"],
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": found, **environment},
    )
    told = json.loads(done.stdout)
    return done.returncode, told, {check["name"]: check for check in told["data"]["checks"]}


def test_this_machine_passes_and_every_part_is_told():
    code, told, checks = _doctor()
    assert (code, told["ok"]) == (0, True), told["warnings"]
    assert {*NEEDED, "ffmpeg", "yt-dlp", "ray", "weights", "platform"} <= set(checks)
    for package, name in (("av", "av"), ("ray", "ray")):
        assert checks[name]["found"] == importlib.metadata.version(package)


@pytest.mark.parametrize("library", ["libGL.so.1", "libgthread-2.0.so.0"])
def test_a_missing_shared_library_is_named_with_its_apt_line(tmp_path, library):
    sentence = f"{library}: cannot open shared object file: No such file or directory"
    (tmp_path / "cv2.py").write_text(f"raise ImportError({sentence!r})\n")
    code, told, checks = _doctor(tmp_path)
    assert (code, told["ok"]) == (6, False)
    assert library in checks["cv2"]["found"]
    assert "sudo apt install libgl1 libglib2.0-0" in checks["cv2"]["advice"]
    assert any("sudo apt install" in warning for warning in told["warnings"])


def test_a_broken_package_is_named_with_its_pip_line(tmp_path):
    (tmp_path / "pyarrow.py").write_text("raise RuntimeError('half installed')\n")
    code, _, checks = _doctor(tmp_path)
    assert code == 6
    assert "pip install --force-reinstall pyarrow" in checks["pyarrow"]["advice"]


def test_two_opencv_wheels_are_reported(tmp_path):
    folder = tmp_path / "opencv_python_headless-4.12.0.88.dist-info"
    folder.mkdir()
    (folder / "METADATA").write_text("Name: opencv-python-headless\nVersion: 4.12.0.88\n")
    code, _, checks = _doctor(tmp_path)
    assert code == 6
    assert "opencv-python-headless 4.12.0.88" in checks["cv2 wheels"]["found"]
    assert "pip uninstall" in checks["cv2 wheels"]["advice"]


def test_an_old_yt_dlp_is_noted_and_breaks_nothing():
    released = doctor._version("yt-dlp").split(".")[:3]
    day = datetime.date(*(int(part) for part in released))
    assert doctor._yt_dlp(day + datetime.timedelta(days=5)).status == "ok"
    old = doctor._yt_dlp(day + datetime.timedelta(days=doctor.OLDEST_YT_DLP_DAYS + 1))
    assert old.status == "note"
    assert "pip install -U yt-dlp" in old.advice


def test_a_weight_that_is_not_what_it_should_be_is_broken(tmp_path, monkeypatch):
    monkeypatch.setenv("TFW_WEIGHTS", str(tmp_path))
    (tmp_path / "syncnet_v2.model").write_bytes(b"half a file")
    check = doctor._weights()
    assert check.status == "broken"
    assert "syncnet_v2" in check.found
