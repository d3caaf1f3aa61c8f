"""The data sets that the report's tests count on paper."""

from tests.dataset.conftest import data_set, read_only

__all__ = ["data_set", "read_only"]
