"""The file of each source: fetched once for remote ones, found for local ones."""

from __future__ import annotations
