"""What stands under a table: the signature, what was left out, and every reservation."""

from collections.abc import Iterable, Mapping, Sequence

from talkingface_wild.benchmark.candidates import BASELINES
from talkingface_wild.benchmark.runs import MOST_FAILURES, BenchRun
from talkingface_wild.benchmark.signature import Signature, merged
from talkingface_wild.benchmark.tables.common_clips import TableEntry
from talkingface_wild.benchmark.tables.table import (
    FEW_WINDOWS,
    LEAST_WINDOWS,
    MIXED,
    Mixed,
    ScoreColumn,
    fails_often,
    videos_of,
    windows_of,
)

MOST_LINES = 40
"""Most warnings of scores that a footer repeats."""


def footer(
    runs: Iterable[BenchRun],
    names: Sequence[str],
    entries: Sequence[TableEntry],
    columns: Sequence[ScoreColumn],
    common: set[str] | None,
    mixed: Sequence[Mixed],
    untested: Mapping[str, str],
) -> tuple[str, ...]:
    """The lines under a table, most important first."""
    titles = {column.metric: column.title for column in columns}
    every = list(runs)
    lines = _unofficial(entries)
    lines.append(f"Signature: {_signature(entries)}")
    lines += _counts(every, common)
    if any(score.low is not None for entry in entries for score in entry.scores.values()):
        lines.append("Brackets: 95 % interval, over identities.")
    if sum(run.model not in BASELINES for run in every) > 1:
        lines.append(
            "Bold: the best, where the paired 95 % interval against every other row excludes 0 "
            "(Holm over rows). Underlined: the second."
        )
    else:
        lines.append("Nothing is ranked: that takes two methods, and floors never are.")
    lines += [f"No bold in {titles[name]}: {why}." for name, why in untested.items()]
    for name, run in zip(names, every, strict=True):
        lines += _losses(name, run)
    lines += _trained(dict(zip(names, every, strict=True)))
    lines += _floors(every)
    lines += _few_windows(entries)
    lines += [
        f"{MIXED} {one.row}, {titles.get(one.metric, one.metric)}: not comparable with its column, "
        f"not ranked: {', '.join(one.parts)}."
        for one in mixed
    ]
    lines += _remarks(entries, titles)
    return tuple(lines)


def _unofficial(entries: Sequence[TableEntry]) -> list[str]:
    names = sorted({name for e in entries for s in e.scores.values() for name in s.unofficial})
    if not names:
        return []
    return [
        f"UNOFFICIAL WEIGHTS: {', '.join(names)} are not the published files; "
        "these numbers may be compared with nothing."
    ]


def _signature(entries: Sequence[TableEntry]) -> str:
    """One line for the whole table, from the first row that has each metric."""
    first: dict[str, Signature] = {}
    for entry in entries:
        for name, score in entry.scores.items():
            if score.value is not None and score.signature:
                first.setdefault(name, Signature.parse(score.signature))
    return str(merged(first.values())) or "none"


def _counts(runs: Sequence[BenchRun], common: set[str] | None) -> list[str]:
    if common is None:
        counts = ", ".join(f"{run.name} {run.list_name}" for run in runs)
        return [f"Each row on its own list, so no clips in common: {counts}."]
    listed = max(run.listed for run in runs)
    return [f"Clips: {len(common)} of {listed} of {runs[0].list_name}, the same for every row."]


def _losses(name: str, run: BenchRun) -> list[str]:
    """Failed, unscored and flagged clips of one run, and its seeds."""
    rows, lines = run.clips(), []
    unscored = rows[rows["state"] == "unscored"].drop_duplicates("clip")
    if len(unscored):
        reasons = unscored["reason"].fillna("").replace("", "no reason given").value_counts()
        counts_text = ", ".join(f"{reason} {count}" for reason, count in reasons.items())
        lines.append(f"{name}: {len(unscored)} clips not scored ({counts_text}).")
    if run.failures:
        bold = f"; over {MOST_FAILURES:.0%}, so nothing is bold" if fails_often(run) else ""
        counts = rows.loc[rows["state"] == "static", "reason"].fillna("").value_counts()
        listed = ", ".join(f"{reason} {count}" for reason, count in counts.items() if reason)
        lines.append(
            f"{name}: {run.failures} of {videos_of(run)} videos failed and are scored with the "
            f"static frame{f' ({listed})' if listed else ''}{bold}."
        )
    if "flags" in rows.columns:
        flags = rows["flags"].fillna("").astype(str).str.split().explode().dropna().value_counts()
        counts_text = ", ".join(f"{flag} {count}" for flag, count in sorted(flags.items()) if flag)
        lines += [f"{name}: flagged videos: {counts_text}."] if counts_text else []
    if run.seeds > 1:
        lines.append(f"{name}: mean of {run.seeds} seeds; ± is the deviation between them.")
    return lines


def _trained(runs: Mapping[str, BenchRun]) -> list[str]:
    """What each method that says so was trained on, rows of one training together."""
    rows_by_data: dict[str, list[str]] = {}
    for name, run in runs.items():
        if run.facts.get("trained_on"):
            rows_by_data.setdefault(str(run.facts["trained_on"]), []).append(name)
    return [f"{', '.join(rows)}: trained on {what}." for what, rows in rows_by_data.items()]


def _floors(runs: Sequence[BenchRun]) -> list[str]:
    """Which of the rows that every table should have are missing, and what ``halves`` means."""
    shown = {run.model for run in runs}
    lines = []
    if absent := [name for name in BASELINES if name not in shown]:
        lines.append(
            f"Floors not shown: {', '.join(absent)}; what is smaller than a floor is no result."
        )
    if "halves" in shown:
        lines.append(
            "halves: each side has half of the clips, so its distances are biased further upwards "
            "than a method's."
        )
    return lines


def _few_windows(entries: Sequence[TableEntry]) -> list[str]:
    counts = {
        windows
        for entry in entries
        for score in entry.scores.values()
        if (windows := windows_of(score)) is not None and score.value is not None
    }
    few = sorted(count for count in counts if count < LEAST_WINDOWS)
    if not few:
        return []
    sizes = ", ".join(f"{count:,}" for count in few)
    return [
        f"{FEW_WINDOWS} FVD of {sizes} windows, fewer than {LEAST_WINDOWS:,}: biased upwards, "
        "to be compared at equal counts only."
    ]


def _remarks(entries: Sequence[TableEntry], titles: Mapping[str, str]) -> list[str]:
    """Notes and warnings of the scores, each once, with the rows that they are of."""
    rows_by_remark: dict[tuple[str, str], dict[str, None]] = {}
    for entry in entries:
        row = f"{entry.name} ({entry.language})" if entry.language else entry.name
        for metric, score in entry.scores.items():
            for text in (score.note, *score.warnings):
                if text:
                    place = (metric, text.removeprefix(f"{metric}: "))
                    rows_by_remark.setdefault(place, {})[row] = None
    lines = [
        f"{titles.get(metric, metric)}: {text} ({', '.join(rows)})."
        for (metric, text), rows in rows_by_remark.items()
    ]
    if len(lines) > MOST_LINES:
        lines = [*lines[:MOST_LINES], f"{len(lines) - MOST_LINES} more remarks are in scores.json."]
    return lines
