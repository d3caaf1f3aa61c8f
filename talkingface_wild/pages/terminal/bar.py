"""A bar for work of which only a count is known."""

import contextlib
import sys
from collections.abc import Callable, Iterator


@contextlib.contextmanager
def bar(name: str, in_bytes: bool = False) -> Iterator[Callable[[int, int | None], None] | None]:
    """A bar on stderr where that is a terminal; takes how much is done, and of how much."""
    if not sys.stderr.isatty():
        yield None
        return
    from rich.console import Console
    from rich.progress import DownloadColumn, MofNCompleteColumn, Progress, TransferSpeedColumn

    counts = (DownloadColumn(), TransferSpeedColumn()) if in_bytes else (MofNCompleteColumn(),)
    columns = (*Progress.get_default_columns(), *counts)
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task(name, total=None)
        yield lambda done, total: progress.update(task, completed=done, total=total)
