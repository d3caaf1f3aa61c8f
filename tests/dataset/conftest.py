"""The hand-counted data set, made once for the tests that only read it, and with pictures."""

import pytest

from tests.dataset.fixture import make_data_set, write_ramp


@pytest.fixture(scope="session")
def read_only(tmp_path_factory):
    """A data set that tests must not write to; its videos show the time as grey levels."""
    made = make_data_set(tmp_path_factory.mktemp("read_only") / "out")
    for name, seconds in (("en/one.mp4", 32), ("en/two.mp4", 30), ("ko/three.mp4", 29)):
        write_ramp(made.out / "videos" / name, seconds)
    return made


@pytest.fixture
def data_set(tmp_path):
    """A data set without pictures, for one test alone."""
    return make_data_set(tmp_path / "out")
