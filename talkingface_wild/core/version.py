"""The version of this package, as pyproject.toml and CITATION.cff have it."""

__version__ = "0.3.0"
