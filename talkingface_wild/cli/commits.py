"""``tfw commits``: list, compare, restore and prune the commits of a data set."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

import typer

from talkingface_wild.cli.options import options_of
from talkingface_wild.cli.output import Output, examples, table
from talkingface_wild.core.durations import human_hours
from talkingface_wild.jobs.commits import CommitsRequest, Pruned
from talkingface_wild.jobs.commits import commits as job

if TYPE_CHECKING:
    from rich.console import Group, RenderableType

    from talkingface_wild.dataset.commit_diff import CommitDiff
    from talkingface_wild.dataset.commits import CommitSummary
    from talkingface_wild.dataset.media_links import Linked

app = typer.Typer(add_completion=False)


@app.command(
    epilog=examples(
        "tfw commits demo_out",
        "tfw commits demo_out diff 1",
        "tfw commits demo_out restore 1",
        "tfw commits demo_out prune --keep 1 --dry-run",
    )
)
@options_of(CommitsRequest)
def commits(request: CommitsRequest, output: Output) -> None:
    """List the commits of a data set, compare two, go back to one, or remove old ones.

    restore deletes nothing: the next tfw curate or recut goes on from there under a new number.
    prune removes tables alone; tfw purge then frees the media that no commit keeps.
    """
    show: Any = {"list": _list, "diff": _diff, "restore": _restore, "prune": _prune}[request.action]
    output.result(*show(request, job(request)))


def _list(request: CommitsRequest, rows: list[CommitSummary]) -> tuple[Any, RenderableType]:
    def note(row: CommitSummary) -> str:
        notes = [f"restored {_moment(row.restored[-1])}"] if row.restored else []
        if row.overwritten:
            notes.append(f"files of {row.overwritten} clips overwritten by an earlier version")
        return "; ".join(notes)

    page = table(
        f"Commits of {request.out}",
        ("", "commit", "date", "made by", "recipe", "clips", "time", "note"),
        [
            (
                "*" if row.latest else "",
                row.number,
                _moment(row.at),
                row.made_by or "–",
                row.recipe,
                row.clips,
                human_hours(row.hours),
                note(row),
            )
            for row in rows
        ],
        right=("commit", "clips", "time"),
        caption=f"* is what {request.out / 'dataset'} points at",
    )
    data = {"out": str(request.out), "commits": [dataclasses.asdict(row) for row in rows]}
    return data, page


def _moment(iso: str) -> str:
    return iso[:16].replace("T", " ")


def _diff(request: CommitsRequest, diff: CommitDiff) -> tuple[Any, RenderableType]:
    data: dict[str, Any] = dataclasses.asdict(diff)
    data["recipe"] = [
        {"setting": name, "before": old, "after": new} for name, old, new in diff.recipe
    ]
    for row in data["languages"]:
        del row["won"], row["lost"]
    if not request.clips:
        data |= {name: len(data[name]) for name in ("won", "lost", "media_changed")}
    return data, _diff_page(diff, request.clips)


def _diff_page(diff: CommitDiff, clips: bool) -> Group:
    from rich.console import Group
    from rich.text import Text

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


def _restore(request: CommitsRequest, links: Linked) -> tuple[Any, RenderableType]:
    out, number = request.out, request.numbers[0]
    names = ("linked", "removed", "missing", "foreign")
    data = {"commit": number} | {name: getattr(links, name) for name in names}
    return data, (
        f"{out / 'dataset'} is commit {number} again, media/ and recipe.yaml with it "
        f"({links.linked} links made, {links.removed} removed).\n"
        f"`tfw curate --out {out}` and `tfw recut {out}` go on from here."
    )


def _prune(request: CommitsRequest, pruned: Pruned) -> tuple[Any, RenderableType]:
    removed, left = (", ".join(map(str, numbers)) for numbers in (pruned.removed, pruned.kept))
    verb = "Would remove" if pruned.dry_run else "Removed"
    words = f"{verb} commits: {removed or 'none'}; left: {left}"
    if pruned.removed and not pruned.dry_run:
        words += f"\nFree the media that only they kept with: tfw purge {request.out}"
    return dataclasses.asdict(pruned), words
