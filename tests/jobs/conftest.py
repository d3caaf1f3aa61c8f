"""The data set that tests of jobs only read."""

from tests.dataset.conftest import read_only as read_only
