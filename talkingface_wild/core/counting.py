"""Numbers of things as a person reads them."""


def counted(count: int, what: str, several: str | None = None) -> str:
    """``1 clip`` or ``2 clips``, of ``what`` in the singular; ``several`` is an odd plural."""
    return f"{count} " + (what if count == 1 else several or f"{what}s")


def human_bytes(count: float | None) -> str:
    """A size for a person, in powers of 1000: ``16.9 MB``; an em dash for none."""
    if count is None:
        return "—"
    for unit in ("B", "kB", "MB", "GB"):
        if abs(count) < 1000:
            return f"{count:.0f} {unit}" if unit == "B" else f"{count:.1f} {unit}"
        count /= 1000
    return f"{count:.1f} TB"
