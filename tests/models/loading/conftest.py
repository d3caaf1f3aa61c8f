"""The published files, made once."""

from pathlib import Path

import pytest

from tests.models.loading import published
from tests.perception import golden


@pytest.fixture(scope="session")
def files(goldens: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with every checkpoint of the official layouts."""
    folder = tmp_path_factory.mktemp("published")
    published.make(folder, golden.load(goldens, "arcface").filler)
    return folder
