"""Fixtures that several test folders share: where the real clips, weights and goldens lie."""

import logging
import os
import signal
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from filelock import FileLock

ROOT = Path(__file__).resolve().parents[1]
collect_ignore = ["plug_in"]
"""A package of its own, whose test runs where it is installed: see ``test_plug_in.py``."""

# One thread for each of several test processes; programs that tests start have it from here too.
if "PYTEST_XDIST_WORKER" in os.environ:
    os.environ.setdefault("OMP_NUM_THREADS", "1")

# Pages are as wide as $COLUMNS says; test runners set it for programs of theirs.
os.environ.pop("COLUMNS", None)

# Whoever runs the tests in the background (nohup, a script's &) has these ignored, and programs
# that the tests start would keep that: a stop would then never come to them.
for _number, _handler in (
    (signal.SIGINT, signal.default_int_handler),
    (signal.SIGHUP, signal.SIG_DFL),
):
    if signal.getsignal(_number) == signal.SIG_IGN:
        signal.signal(_number, _handler)


MARKS = {
    "lint": ("test_project.py",),
    "long": (
        "models/mcdm/training/test_mcdm_trainer.py",
        "benchmark/test_suite_networks.py",
        "cli/test_train_stopped.py",
        "pipelines/test_curate_broken.py",
        "pipelines/test_curate_networks.py",
        "pipelines/test_curate_crops.py",
        "pipelines/test_demo_corpus.py",
        "benchmark/test_monotonic.py",
        "jobs/test_export_layouts.py",
    ),
    "ray": ("terminal/", "engine/test_engines.py", "engine/test_executors.py"),
    "e2e": (
        "terminal/",
        "pipelines/test_curate_",
        "cli/test_examples.py",
        "cli/test_bench",
        "cli/test_generate.py",
        "cli/test_train",
        "cli/test_model.py",
        "cli/test_no_litter.py",
        "test_door.py",
        "benchmark/test_suite",
        "benchmark/test_resume.py",
    ),
    "train": ("cli/test_train", "models/mcdm/training/", "models/training/"),
    "networks": ("perception/", "models/", "cli/test_generate.py", "cli/test_model.py"),
    "slow": (
        "pipelines/test_demo_corpus.py",
        "pipelines/test_demo_networks.py",
        "pipelines/test_sweep.py",
        "pipelines/test_download.py",
        "jobs/test_curate_plan.py",
        "jobs/test_recut.py",
        "jobs/test_export_layouts.py",
        "test_plug_in.py",
        "benchmark/test_bad_input.py",
        "benchmark/test_monotonic.py",
        "benchmark/test_verify.py",
        "benchmark/test_outputs.py",
        "benchmark/test_dataset_clips.py",
        "engine/test_run.py",
        "engine/test_ruling.py",
        "media/test_container_probe.py",
        "media/test_clip_encoder.py",
        "cli/test_doctor.py",
        "functional/test_fingerprints.py",
        "functional/test_near_duplicates.py",
        "functional/test_clusters.py",
        "dataset/test_media_links.py",
        "cli/test_recut.py",
        "pages/test_study_page.py",
        "pages/test_report.py",
        "jobs/generate/",
        "benchmark/test_rescore.py",
        "benchmark/test_selfcheck.py",
        "benchmark/test_list_making.py",
        "dataset/test_old_layout.py",
        "pipelines/test_lips_",
        "pipelines/test_mesh_stage.py",
        "pipelines/test_speaks.py",
        "pipelines/test_burnt_text.py",
        "pipelines/test_shot_transitions.py",
        "functional/test_lips_match.py",
    ),
}
"""Marks of tests by the beginnings of their paths below tests/; ``--quick`` runs none of them."""


def _marks(path: Path) -> list[str]:
    name = path.relative_to(ROOT / "tests").as_posix() if path.is_relative_to(ROOT) else ""
    return [mark for mark, beginnings in MARKS.items() if name.startswith(beginnings)]


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--quick", action="store_true", help="only what answers within two minutes")


def pytest_configure(config: pytest.Config) -> None:
    for mark, beginnings in MARKS.items():
        if mark != "long":
            config.addinivalue_line("markers", f"{mark}: {', '.join(beginnings)}")


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Quick tests do not even import what the others need."""
    quick = config.getoption("--quick") and collection_path.suffix == ".py"
    return True if quick and _marks(collection_path) else None


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark each test by its path; the longest files come first, so that none is left over.

    What looks at the demo's folder waits minutes for it, so that it is long.
    """
    for item in items:
        for mark in _marks(item.path):
            item.add_marker(mark)
        if "demo_out" in getattr(item, "fixturenames", ()):
            item.add_marker("long")
    items.sort(key=lambda item: "e2e" not in _marks(item.path))


def _folder(variable: str, default: Path) -> Path:
    folder = Path(os.environ.get(variable, default))
    if folder.is_dir():
        return folder
    message = f"{folder} is absent: set {variable} to the folder that holds it"
    if os.environ.get("TFW_REQUIRE_SHARED") == "1":
        pytest.fail(message)
    pytest.skip(message)


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder with real clips (media/), detectors (weights/) and their labels."""
    return _folder("TFW_SHARED", ROOT.parent / "shared")


@pytest.fixture(scope="session")
def goldens() -> Path:
    """The folder with the reference networks' outputs, filler.py and state_dicts/."""
    return _folder("TFW_GOLDENS", ROOT.parent / "shared" / "goldens")


@pytest.fixture(scope="session")
def demo_out(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What ``make demo`` leaves, made once for all tests; a test that changes it copies it first.

    TFW_DEMO names a folder that holds one already.
    """
    ready = os.environ.get("TFW_DEMO")
    if ready:
        return Path(ready)
    from tests.pipelines.curated import tfw

    folder = tmp_path_factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        # The processes of one run have folders side by side; the first that comes makes the demo.
        folder = folder.parent
    out = folder / "demo" / "demo_out"
    words = ("curate", "--langs", "all", "--recipe", "demo", "--engine", "local", "--out", out)
    with FileLock(folder / "demo.lock"):
        if not (out / "dataset").exists():
            code, _, stderr = tfw(*map(str, words))
            assert code == 0, stderr
    return out


@pytest.fixture(scope="session")
def open_weight() -> Callable[[str], Path]:
    """``open_weight(name)``: an open weight's file, fetched once into a folder kept between runs.

    TFW_TEST_WEIGHTS names the folder. Without a network a test is skipped, but not under CI=true.
    """
    from talkingface_wild.core.errors import NetworkUnavailable
    from talkingface_wild.weights.fetch import fetch
    from talkingface_wild.weights.store import Store

    store = Store(_test_weights())
    store.folder.mkdir(parents=True, exist_ok=True)

    def file(name: str) -> Path:
        if (path := store.find(name)) is not None:
            return path
        with pytest.MonkeyPatch.context() as patch, FileLock(store.folder.with_suffix(".lock")):
            patch.setenv("TFW_OFFLINE", "0")
            try:
                return fetch(store, name)
            except NetworkUnavailable as error:
                if os.environ.get("CI") == "true":
                    raise
                pytest.skip(str(error))

    return file


@pytest.fixture(scope="session")
def whisper_cache() -> Path:
    """The hub's cache with Systran/faster-whisper-base, made once beside the open weights.

    Without a network a test is skipped, but not under CI=true.
    """
    from talkingface_wild.core.errors import NetworkUnavailable
    from tests.perception.whisper_mirror import hub_cache

    folder = _test_weights().with_name("hub")
    folder.mkdir(parents=True, exist_ok=True)
    with pytest.MonkeyPatch.context() as patch, FileLock(folder.with_suffix(".lock")):
        patch.setenv("TFW_OFFLINE", "0")
        try:
            return hub_cache(folder)
        except NetworkUnavailable as error:
            if os.environ.get("CI") == "true":
                raise
            pytest.skip(str(error))


def _test_weights() -> Path:
    """TFW_TEST_WEIGHTS, or the folder of weights that is kept between runs."""
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return Path(os.environ.get("TFW_TEST_WEIGHTS") or cache / "talkingface-wild-tests" / "weights")


@pytest.fixture(autouse=True)
def _offline(monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory) -> None:
    """No test reaches the network or the user's own weights."""
    monkeypatch.setenv("TFW_OFFLINE", "1")
    monkeypatch.setenv("TFW_WEIGHTS", str(tmp_path_factory.getbasetemp() / "weights"))


@pytest.fixture(autouse=True)
def _quiet_log() -> Iterator[None]:
    """A test that ran the command line leaves no handler behind for the next one."""
    yield
    logger = logging.getLogger("talkingface_wild")
    logger.handlers.clear()
    logger.setLevel(logging.NOTSET)
    logger.propagate = True
