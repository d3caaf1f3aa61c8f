"""The project's own files: style, types, layers, versions, and nothing of one machine alone."""

import importlib.util
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

import talkingface_wild

ROOT = Path(__file__).resolve().parents[1]
PYPROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))


def _run(*command: str) -> None:
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    said = [line for line in (done.stdout + done.stderr).splitlines() if ": note:" not in line]
    assert done.returncode == 0, "\n".join(said[:200])


def _module(name: str) -> str:
    if importlib.util.find_spec(name) is None:
        pytest.skip(f"{name} is not installed: pip install -e '.[dev]'")
    return sys.executable


def _project_files() -> list[Path]:
    if shutil.which("git") is None or not (ROOT / ".git").exists():
        pytest.skip("this is no git checkout, so what belongs to the project is not known")
    command = ["git", "ls-files", "-co", "--exclude-standard", "-z"]
    listed = subprocess.run(command, cwd=ROOT, capture_output=True, check=True).stdout
    paths = (ROOT / name for name in listed.decode().split("\0") if name)
    return [path for path in paths if path.is_file()]


def test_ruff_finds_nothing():
    _run(_module("ruff"), "-m", "ruff", "check", ".")


def test_the_code_is_formatted():
    _run(_module("ruff"), "-m", "ruff", "format", "--check", ".")


def test_types_hold():
    _run(_module("mypy"), "-m", "mypy")


def test_layers_hold():
    python = _module("importlinter")
    linter = Path(python).with_name("lint-imports")
    if not linter.exists():
        pytest.skip("lint-imports is not beside this Python")
    _run(str(linter))


def test_the_version_is_the_same_everywhere():
    version = PYPROJECT["project"]["version"]
    assert talkingface_wild.__version__ == version
    citation = (ROOT / "CITATION.cff").read_text(encoding="utf-8")
    assert f"\nversion: {version}\n" in citation


def test_every_direct_requirement_is_pinned_within_its_bounds():
    from packaging.requirements import Requirement
    from packaging.utils import canonicalize_name

    lines = (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    pins = [Requirement(line) for line in lines if line and not line.startswith("#")]
    pinned = {canonicalize_name(pin.name): str(pin.specifier).removeprefix("==") for pin in pins}
    extras = PYPROJECT["project"]["optional-dependencies"]
    wanted = [*PYPROJECT["project"]["dependencies"], *extras["models"], *extras["dev"]]
    for text in wanted:
        requirement = Requirement(text)
        version = pinned.get(canonicalize_name(requirement.name))
        assert version is not None, f"{requirement.name} is not in constraints.txt"
        assert requirement.specifier.contains(version), text
    assert pinned["torch"] == "2.13.0"
    assert "torchvision" not in pinned
    assert [name for name in pinned if name.startswith("opencv")] == ["opencv-python"]


def test_files_stay_short_enough_to_be_one_idea():
    package = ROOT / "talkingface_wild"
    long = {
        str(path.relative_to(ROOT)): lines
        for path in package.rglob("*.py")
        if (lines := len(path.read_text(encoding="utf-8").splitlines())) > 400
    }
    assert long == {}


def test_no_file_names_a_place_on_somebodys_machine():
    foreign = re.compile(r"/(?:home|Users|root|work)/\w+|/tmp/[a-z]+/|[A-Z]:\\\\Users")
    found = {}
    for path in _project_files():
        if path == Path(__file__) or path.suffix in (".png", ".jpg", ".mp4", ".wav"):
            continue
        match = foreign.search(path.read_text(encoding="utf-8", errors="ignore"))
        if match:
            found[str(path.relative_to(ROOT))] = match.group()
    assert found == {}


def test_the_system_check_names_what_is_missing_with_its_apt_line(tmp_path):
    script = ROOT / "scripts" / "check_system.sh"
    done = subprocess.run([script, "python-that-is-nowhere"], capture_output=True, text=True)
    assert done.returncode == 1
    assert "python-that-is-nowhere" in done.stderr
    assert "sudo apt-get install -y python3.11 python3.11-venv" in done.stderr
    assert subprocess.run([script, sys.executable], capture_output=True).returncode == 0
