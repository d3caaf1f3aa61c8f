"""What reviewers decided."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from rich.table import Table

from talkingface_wild.pages.terminal.rich_table import table


def defects_table(data: Mapping[str, Any]) -> Table:
    """What reviewers found by language, of an import's ``--json`` data."""
    caption = "Random clips alone; exact 95 % interval."
    if data["defect_rate"] is not None:
        caption += f" All languages, weighted by their kept clips: {data['defect_rate']:.1%}."
    rows = [
        (
            row["language"],
            row["kept"],
            row["drawn"],
            row["answered"],
            row["defects"],
            *("—" if rate is None else f"{rate:.1%}" for rate in (row["rate"], row["high"])),
        )
        for row in data["defects"]
    ]
    return table(
        f"Commit {data['commit']}: rejected {data['rejected']}, "
        f"accepted {data['accepted']}, left empty {data['empty']}",
        ("language", "kept", "drawn", "answered", "defects", "defect rate", "at most"),
        rows,
        caption=caption,
    )


def sample_page(out: Path, data: Mapping[str, Any]) -> str:
    """What reviewers get and what is asked of them, of an export's ``--json`` data."""
    text = data["csv"]
    return (
        f"{data['clips']} clips to review, {data['random']} of them drawn at random: {text}\n"
        f"{len(data['sheets'])} contact sheets in {out / 'review' / 'sheets'}\n"
        f"Fill in decision, reason, words and reviewer, then: tfw review import {text} --out {out}"
    )
