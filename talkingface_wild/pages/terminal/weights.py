"""Trained weights, by what they unlock."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from rich.console import Group
from rich.table import Table
from rich.text import Text

from talkingface_wild.core.counting import human_bytes
from talkingface_wild.weights.store import TRUSTED

FETCH_OPEN = "tfw weights fetch --open"
_MARKS = {"present": "✓", "trusted": "✓", "missing": "–"}
_MEANINGS = {
    "present": "verified",
    "trusted": TRUSTED,
    "missing": "missing",
    "differs": "not the file it should be",
    "unknown": "no published or recorded hash vouches for it",
}
_HERE = ("present", "trusted")


def weights_page(folder: Path, rows: Sequence[dict[str, Any]]) -> Group:
    """Weights under what they unlock; what is missing says how it is got."""
    groups: dict[str, list[dict[str, Any]]] = {}
    for row in rows:
        groups.setdefault(row["unlocks"], []).append(row)
    free = [row for row in rows if row["get"] == FETCH_OPEN]
    here = sum(row["state"] in _HERE for row in free)
    head = (
        f"Weights in {folder}: {here} of the {len(free)} that are free and come by themselves are "
        f"here{f'; `{FETCH_OPEN}` gets the others' if here < len(free) else ''}."
    )
    longest = max(len(row["name"]) for row in rows)
    blocks: list[Any] = [Text(head)]
    for name, own in groups.items():
        blocks += [Text(f"\n{name[:1].upper()}{name[1:]}", style="bold"), _block(own, longest)]
    return Group(*blocks)


def states_page(folder: Path, states: Mapping[str, str]) -> str:
    """What each weight's file turned out to be."""
    lines = [f"{name}: {_MEANINGS[state]}" for name, state in states.items()]
    return "\n".join(lines) or f"There are no weights in {folder}."


def _block(rows: Sequence[dict[str, Any]], longest: int) -> Table:
    drawn = Table.grid(padding=(0, 1))
    drawn.add_column(width=1)
    drawn.add_column(min_width=longest, no_wrap=True)
    drawn.add_column(min_width=len("999.9 MB"), no_wrap=True, justify="right")
    drawn.add_column(overflow="fold")
    for row in rows:
        use = "commercial use" if row["commercial"] else "not for commercial use"
        users = ", ".join(row["used_by"]) or "no stage uses it yet"
        facts = [f"{row['licence']} ({use}); {users}"]
        if row["state"] == "trusted":
            facts.append(TRUSTED)
        elif row["state"] not in _HERE:
            facts.append(row["get"] if row["state"] == "missing" else f"{row['state']}: see verify")
        mark = _MARKS.get(row["state"], "!")
        drawn.add_row(mark, row["name"], human_bytes(row["size"]), Text("\n".join(facts)))
    return drawn
