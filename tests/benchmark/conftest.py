"""Short real clips, small protocols and weights by the filler, made once for this folder."""

import shutil

import pytest
import yaml

from talkingface_wild.weights import Store
from tests.benchmark import filler_weights
from tests.benchmark.films import MADE, make_films

PIXELS = {
    "name": "pixels",
    "summary": "What needs no network, on a small canvas.",
    "canvas": 128,
    "frames": 40,
    "metrics": ["ssim", "psnr", "tje", "flicker"],
}
SMALL = {
    "name": "small",
    "summary": "Every network, on few frames.",
    "canvas": 256,
    "frames": 18,
    "metrics": [
        "fid", "kid", "fvd", "kvd", "sync_c", "sync_d", "sync_offset", "sync_c0", "nsync", "ssim",
        "psnr", "efid", "csim", "drift", "tje", "flicker",
    ],
    "identity": {"stride": 9},
}  # fmt: skip


@pytest.fixture(scope="session")
def films(shared, tmp_path_factory):
    """``real/`` and ``made/`` (blurred, dimmed) hold four videos of the same names."""
    return make_films(shared / "media" / "clips", tmp_path_factory.mktemp("films"))


@pytest.fixture
def pairs_of(films, tmp_path):
    """``pairs_of(edit)`` copies both folders into the test's own and lets ``edit`` spoil them."""

    def copied(edit=lambda real, made: None):
        for name in ("real", MADE):
            shutil.copytree(films / name, tmp_path / name, dirs_exist_ok=True)
        edit(tmp_path / "real", tmp_path / MADE)
        return {"outputs": tmp_path / MADE, "reference": tmp_path / "real"}

    return copied


def _written(folder, data):
    path = folder / f"{data['name']}.yaml"
    path.write_text(yaml.safe_dump(data, sort_keys=False))
    return str(path)


@pytest.fixture(scope="session")
def pixels(tmp_path_factory):
    """A protocol without networks: 128², 40 frames."""
    return _written(tmp_path_factory.mktemp("protocols"), PIXELS)


@pytest.fixture(scope="session")
def small(tmp_path_factory):
    """A protocol with every network: 256², 18 frames."""
    return _written(tmp_path_factory.mktemp("protocols"), SMALL)


@pytest.fixture(scope="session")
def made_weights(goldens, shared, tmp_path_factory):
    """A folder of weights in the official layouts, and the real detector."""
    store = Store(tmp_path_factory.mktemp("weights"))
    filler_weights.make(goldens, store)
    detector = shared / "weights" / store.entry("scrfd_2.5g").file
    store.place("scrfd_2.5g", detector, "trusted by the user")
    yield store.folder
    shutil.rmtree(store.folder, ignore_errors=True)


@pytest.fixture
def weights(made_weights, monkeypatch):
    """Those weights are the ones in use."""
    monkeypatch.setenv("TFW_WEIGHTS", str(made_weights))
    return made_weights
