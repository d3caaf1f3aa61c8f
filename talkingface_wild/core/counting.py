"""Numbers of things as a person reads them."""

from __future__ import annotations


def counted(count: int, what: str, several: str | None = None) -> str:
    """``1 clip`` or ``2 clips``, of ``what`` in the singular; ``several`` is an odd plural."""
    return f"{count} " + (what if count == 1 else several or f"{what}s")
