"""How well a data set's own lip sync tells right sound from wrong."""

from collections.abc import Mapping
from typing import Any

from rich.console import Group
from rich.text import Text

from talkingface_wild.core.durations import clock
from talkingface_wild.pages.terminal.rich_table import table


def calibration_page(data: Mapping[str, Any]) -> Group:
    """A row for each language, and what to do next."""
    rows = []
    for row in data["thresholds"]:
        numbers = ["", "", "", row["reason"]]
        if not row["reason"]:
            low, high = row["false_accepts"]
            numbers = [
                f"{row['auc']:.3f}",
                f"{row['threshold']:.3f}",
                f"{row['true_accepts']:.0%}",
                f"{low:.1%} to {high:.1%} of wrong sounds pass",
            ]
        rows.append((row["language"], str(row["clips"]), clock(row["seconds"]), *numbers))
    headings = ("language", "clips", "time", "AUC", "threshold", "pass", "")
    judged = f"{data['judged']} of {data['clips']} clips judged, commit {data['commit']}"
    if off := len(data["left_out"]):
        judged += f"; {off} taught nothing the second time: their sound is off, or not above chance"
    lines = [judged]
    if beside := data["beside_syncnet"]:
        line = f"SyncNet says the same of {beside['same_verdict']:.0%} of {beside['clips']} clips"
        if beside["offset_difference"] is not None:
            line += (
                f"; the networks' offset less its own: {beside['offset_difference']:+g} frames "
                f"(median of {beside['in_sync_by_both']} in sync by both)"
            )
        lines.append(line)
    thresholds = [row["threshold"] for row in data["thresholds"] if row["threshold"] is not None]
    if thresholds:
        bound = f"gates.lips_z.above={thresholds[0]:.3f}"
        lines.append(f"Cut with `tfw recut {data['out']} --set {bound}`.")
    return Group(
        table("Lip sync by this set's own networks", headings, rows, right=headings[1:6]),
        Text("\n".join(lines)),
    )
