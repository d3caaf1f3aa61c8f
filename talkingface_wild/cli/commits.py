"""``tfw commits``: list, compare, restore and prune the commits of a data set."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from talkingface_wild.cli.output import JsonOption, Output, examples
from talkingface_wild.core.durations import human_hours
from talkingface_wild.core.errors import UsageError, nearest

if TYPE_CHECKING:
    from rich.console import Group
    from rich.table import Table

    from talkingface_wild.dataset.commit_diff import CommitDiff
    from talkingface_wild.dataset.commits import Listed
    from talkingface_wild.dataset.layout import Layout

app = typer.Typer(add_completion=False)
ACTIONS = ("list", "diff", "restore", "prune")


@app.command(
    epilog=examples(
        "tfw commits demo_out",
        "tfw commits demo_out diff 1",
        "tfw commits demo_out restore 1",
        "tfw commits demo_out prune --keep 1 --dry-run",
    )
)
def commits(
    out: Annotated[Path, typer.Argument(metavar="SET", help="The data set's folder.")],
    action: Annotated[
        str, typer.Argument(metavar="[list|diff|restore|prune]", help="What to do.")
    ] = "list",
    numbers: Annotated[
        list[int] | None,
        typer.Argument(
            help="diff: one or two (the second is the latest); restore: one; prune: those to go."
        ),
    ] = None,
    clips: Annotated[
        bool, typer.Option("--clips", help="diff: name the clips, not only count them.")
    ] = False,
    keep: Annotated[
        int | None,
        typer.Option(help="prune: keep so many of the latest, and the one in use in any case."),
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="prune: say what would be removed, remove nothing.")
    ] = False,
    json: JsonOption = False,
) -> None:
    """List the commits of a data set, compare two, go back to one, or remove old ones.

    restore deletes nothing: the next tfw curate or recut goes on from there under a new number.
    prune removes tables alone; tfw purge then frees the media that no commit keeps.
    """
    output = Output("commits", json)
    from talkingface_wild.dataset.layout import Layout
    from talkingface_wild.dataset.old_layout import bring_over, is_old
    from talkingface_wild.engine.lock import folder_lock

    _check(action, numbers or [], clips, keep, dry_run)
    layout = Layout(out.absolute())
    layout.latest()
    layout.check_linked()
    if is_old(layout):
        with folder_lock(layout.out):
            bring_over(layout)
            _link(layout)
    if action == "list":
        _list(output, layout, out)
    elif action == "diff":
        _diff(output, layout, numbers or [], clips)
    elif action == "restore":
        _restore(output, layout, out, (numbers or [])[0])
    else:
        _prune(output, layout, out, numbers or [], keep, dry_run)


def _check(action: str, numbers: list[int], clips: bool, keep: int | None, dry_run: bool) -> None:
    """Raise UsageError for an unknown action and for what an action does not take."""
    if action not in ACTIONS:
        raise UsageError(
            f"Expected list, diff, restore or prune, found {action!r}{nearest(action, ACTIONS)}; "
            "see `tfw commits --help`."
        )
    counts = {"list": (0, 0), "diff": (1, 2), "restore": (1, 1), "prune": (0, 10**9)}
    least, most = counts[action]
    if not least <= len(numbers) <= most:
        words = {"list": "no number", "diff": "one or two numbers", "restore": "one number"}
        raise UsageError(
            f"tfw commits SET {action} expects {words[action]} of commits, found {len(numbers)}; "
            "`tfw commits SET` lists them."
        )
    options = {"--clips": (clips, "diff"), "--keep": (keep is not None, "prune")}
    options["--dry-run"] = (dry_run, "prune")
    for option, (present, owner) in options.items():
        if present and action != owner:
            raise UsageError(
                f"{option} belongs to `tfw commits SET {owner}`, found it with {action}; "
                "leave it out."
            )


def _link(layout: Layout) -> None:
    from talkingface_wild.dataset.media_links import link_media

    link_media(layout)


def _list(output: Output, layout: Layout, out: Path) -> None:
    from talkingface_wild.dataset.commits import list_commits

    rows = list_commits(layout)
    data = {"out": str(out), "commits": [dataclasses.asdict(row) for row in rows]}
    output.result(data, human=lambda: _commits_table(rows, out))


def _commits_table(rows: list[Listed], out: Path) -> Table:
    from rich.table import Table

    table = Table(
        title=f"Commits of {out}",
        title_justify="left",
        caption=f"* is what {out / 'dataset'} points at",
        caption_justify="left",
    )
    for name in ("", "commit", "date", "made by", "recipe", "clips", "time", "note"):
        number = name in ("commit", "clips", "time")
        table.add_column(name, justify="right" if number else "left")
    for row in rows:
        notes = [f"restored {_moment(row.restored[-1])}"] if row.restored else []
        if row.overwritten:
            notes.append(f"files of {row.overwritten} clips overwritten by an earlier version")
        table.add_row(
            "*" if row.latest else "",
            str(row.number),
            _moment(row.at),
            row.made_by or "–",
            row.recipe,
            str(row.clips),
            human_hours(row.hours),
            "; ".join(notes),
        )
    return table


def _moment(iso: str) -> str:
    return iso[:16].replace("T", " ")


def _diff(output: Output, layout: Layout, numbers: list[int], clips: bool) -> None:
    from talkingface_wild.dataset.commit_diff import diff_commits
    from talkingface_wild.dataset.commits import commit_folder

    before = commit_folder(layout, numbers[0])
    after = commit_folder(layout, numbers[1]) if len(numbers) > 1 else layout.latest()
    diff = diff_commits(before, after)
    data: dict[str, Any] = dataclasses.asdict(diff)
    data["recipe"] = [
        {"setting": name, "before": old, "after": new} for name, old, new in diff.recipe
    ]
    if not clips:
        data |= {name: len(data[name]) for name in ("won", "lost", "media_changed")}
    output.result(data, human=lambda: _diff_page(diff, clips))


def _diff_page(diff: CommitDiff, clips: bool) -> Group:
    from rich.console import Group
    from rich.table import Table
    from rich.text import Text

    table = Table(title=f"Commit {diff.before} → {diff.after}", title_justify="left")
    for name in ("language", "clips before", "clips after", "time before", "time after"):
        table.add_column(name, justify="left" if name == "language" else "right")
    for row in diff.languages:
        table.add_row(
            row.language,
            str(row.clips_before),
            str(row.clips_after),
            human_hours(row.hours_before),
            human_hours(row.hours_after),
        )
    lines = [
        f"won {len(diff.won)}, lost {len(diff.lost)}, "
        f"kept with other media {len(diff.media_changed)}"
    ]
    if clips:
        lists = (("+", diff.won), ("-", diff.lost), ("~", diff.media_changed))
        lines += [f"{sign} {clip}" for sign, ids in lists for clip in ids]
    lines += [f"{name}: {_shown(old)} → {_shown(new)}" for name, old, new in diff.recipe]
    if diff.measured_anew:
        lines.append(f"measured otherwise: {', '.join(diff.measured_anew)}")
    if not diff.recipe and not diff.measured_anew:
        lines.append("the same recipe and measures")
    return Group(table, *(Text(line) for line in lines))


def _shown(value: object) -> str:
    return "not set" if value is None else str(value)


def _restore(output: Output, layout: Layout, out: Path, number: int) -> None:
    from talkingface_wild.dataset.commits import restore
    from talkingface_wild.engine.lock import folder_lock

    with folder_lock(layout.out):
        linked = restore(layout, number)
    data = {
        "commit": number,
        "linked": linked.linked,
        "removed": linked.removed,
        "missing": linked.missing,
        "foreign": linked.foreign,
    }
    words = (
        f"{out / 'dataset'} is commit {number} again, media/ and recipe.yaml with it "
        f"({linked.linked} links made, {linked.removed} removed).\n"
        f"`tfw curate --out {out}` and `tfw recut {out}` go on from here."
    )
    output.result(data, human=words)


def _prune(
    output: Output, layout: Layout, out: Path, numbers: list[int], keep: int | None, dry_run: bool
) -> None:
    import contextlib

    from talkingface_wild.dataset.commits import prune, to_prune
    from talkingface_wild.engine.lock import folder_lock

    with contextlib.nullcontext() if dry_run else folder_lock(layout.out):
        going = to_prune(layout, numbers, keep)
        if not dry_run:
            prune(layout, going)
        kept = [number for number in layout.numbers() if number not in going]
    data = {"removed": going, "kept": kept, "dry_run": dry_run}
    listed = ", ".join(map(str, going)) or "none"
    words = f"{'Would remove' if dry_run else 'Removed'} commits: {listed}; left: " + ", ".join(
        map(str, kept)
    )
    if going and not dry_run:
        words += f"\nFree the media that only they kept with: tfw purge {out}"
    output.result(data, human=words)
