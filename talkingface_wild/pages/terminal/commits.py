"""Commits of a data set in a list, and two of them compared."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from rich.console import Group
from rich.table import Table
from rich.text import Text

from talkingface_wild.core.durations import human_hours
from talkingface_wild.dataset.commit_diff import CommitDiff
from talkingface_wild.dataset.commits import CommitSummary
from talkingface_wild.pages.terminal.rich_table import table


def commits_table(out: Path, commits: Sequence[CommitSummary]) -> Table:
    """A row per commit; the one in use is marked."""
    rows = [
        (
            "*" if commit.latest else "",
            commit.number,
            _moment(commit.at),
            commit.made_by or "–",
            commit.recipe,
            commit.clips,
            human_hours(commit.hours),
            _note(commit),
        )
        for commit in commits
    ]
    return table(
        f"Commits of {out}",
        ("", "commit", "date", "made by", "recipe", "clips", "time", "note"),
        rows,
        right=("commit", "clips", "time"),
        caption=f"* is what {out / 'dataset'} points at",
    )


def _note(commit: CommitSummary) -> str:
    notes = [f"restored {_moment(commit.restored[-1])}"] if commit.restored else []
    if commit.overwritten:
        notes.append(f"files of {commit.overwritten} clips overwritten by an earlier version")
    return "; ".join(notes)


def restored_page(out: Path, data: Mapping[str, Any]) -> str:
    """What going back to a commit did, of its ``--json`` data."""
    return (
        f"{out / 'dataset'} is commit {data['commit']} again, media/ and recipe.yaml with it "
        f"({data['linked']} links made, {data['removed']} removed).\n"
        f"`tfw curate --out {out}` and `tfw recut {out}` go on from here."
    )


def pruned_page(out: Path, data: Mapping[str, Any]) -> str:
    """Which commits went, or would go, of the ``--json`` data."""
    removed, left = (", ".join(map(str, data[name])) for name in ("removed", "kept"))
    verb = "Would remove" if data["dry_run"] else "Removed"
    words = f"{verb} commits: {removed or 'none'}; left: {left}"
    if removed and not data["dry_run"]:
        words += f"\nFree the media that only they kept with: tfw purge {out}"
    return words


def _moment(iso: str) -> str:
    return iso[:16].replace("T", " ")


def diff_page(diff: CommitDiff, clips: bool) -> Group:
    """Clips and hours by language, what was won and lost, and what the recipes differ in."""
    numbers = ("clips before", "clips after", "time before", "time after")
    rows = [
        (
            row.language,
            row.clips_before,
            row.clips_after,
            human_hours(row.hours_before),
            human_hours(row.hours_after),
        )
        for row in diff.languages
    ]
    title = f"Commit {diff.before} → {diff.after}"
    languages = table(title, ("language", *numbers), rows, right=numbers)
    lines = [
        f"won {len(diff.won)}, lost {len(diff.lost)}, "
        f"kept with other media {len(diff.media_changed)}"
    ]
    if clips:
        lists = (("+", diff.won), ("-", diff.lost), ("~", diff.media_changed))
        lines += [f"{sign} {clip}" for sign, ids in lists for clip in ids]
    for name, *values in diff.recipe:
        old, new = ("not set" if value is None else value for value in values)
        lines.append(f"{name}: {old} → {new}")
    if diff.measured_anew:
        lines.append(f"measured otherwise: {', '.join(diff.measured_anew)}")
    if not diff.recipe and not diff.measured_anew:
        lines.append("the same recipe and measures")
    return Group(languages, *map(Text, lines))
