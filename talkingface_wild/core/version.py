"""The one place of the package's version; pyproject.toml and CITATION.cff are held to it."""

__version__ = "0.3.0"
