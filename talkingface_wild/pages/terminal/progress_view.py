"""How a job stands, as a board for a window or as one plain line."""

import math

from rich.console import Group
from rich.text import Text

from talkingface_wild.core.durations import clock
from talkingface_wild.core.reporter import ProgressRow, Snapshot

_WIDEST_BAR = 24


def time_left(snapshot: Snapshot) -> str:
    """``about 3 min to go``, or nothing where nothing can be told."""
    left = snapshot.seconds_left
    return "" if left is None or not math.isfinite(left) else f"about {clock(left)} to go"


def plain_line(snapshot: Snapshot) -> str:
    """One line: what is begun and not over, the time that is left."""
    rows = [row for row in snapshot.rows if not row.skipped and row.done and row.share < 1]
    if not rows:
        rows = [row for row in snapshot.rows if not row.skipped and row.share < 1][:1]
    parts = [f"{row.name} {row.count}" + f" ({row.note})" * bool(row.note) for row in rows]
    return f"[{clock(snapshot.seconds)}] " + ", ".join(
        [*parts, *filter(None, [time_left(snapshot)])]
    )


def drawn(snapshot: Snapshot, width: int, height: int) -> Group:
    """The board for a window of ``width`` columns and ``height`` lines: no line is ever longer.

    A narrow window loses the words, then the bars, then ends of names, never digits; a low one the
    rows that are over.
    """
    most = max(height - 2, 1)
    rows = list(snapshot.rows)
    if len(rows) > most:
        rows = [row for row in rows if not row.skipped and row.share < 1][:most]
    counts = max((len(row.count) for row in rows), default=0)
    notes = max((len(row.note) for row in rows), default=0)
    names = min(max((len(row.name) for row in rows), default=0), max(width - counts - 2, 1))
    room = width - names - counts - 4
    if room - notes - 1 < 6:
        notes = 0
    bar = min(room - (notes + 1 if notes else 0), _WIDEST_BAR)
    lines = [_head(snapshot, width)]
    for row in rows:
        name = row.name if len(row.name) <= names else f"{row.name[: names - 1]}…"
        line = Text(f"{name:<{names}}  ", no_wrap=True)
        words = row.note or "skipped"
        if row.skipped and not notes and len(words) > bar:
            line.append(words)
        else:
            line.append(f"{row.count:>{counts}}")
            if bar >= 4:
                line.append("  ").append_text(_bar(row, bar, "" if notes and row.note else words))
            if notes and row.note:
                line.append(f" {row.note}", style="dim")
        if row.skipped:
            line.stylize("dim")
        line.truncate(width, overflow="ellipsis")
        lines.append(line)
    return Group(*lines)


def _head(snapshot: Snapshot, width: int) -> Text:
    """The title, the time since the beginning and the time left; what has no room is left out."""
    parts = [snapshot.title, clock(snapshot.seconds), time_left(snapshot)]
    for choice in (parts, parts[1:], parts[2:] if parts[2] else parts[1:2]):
        text = ", ".join(part for part in choice if part)
        if len(text) <= width:
            break
    return Text(text, style="bold", no_wrap=True)


def _bar(row: ProgressRow, width: int, words: str) -> Text:
    """The share of a row that is done; ``words`` in its place where the row is skipped."""
    if row.skipped:
        return Text(f"{words:<{width}}")
    filled = int(row.share * width)
    bar = Text("█" * filled, style="green" if row.share >= 1 else "cyan")
    return bar.append("░" * (width - filled), style="dim")
