"""A table of benchmark runs: one row per run, one column per metric, only what may be compared.

Builds plain data; ``text.py`` and ``latex.py`` write it. Knows no networks, no videos.
"""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Literal

from talkingface_wild.benchmark.base import Score
from talkingface_wild.benchmark.candidates import BASELINES
from talkingface_wild.benchmark.runs import BenchRun
from talkingface_wild.benchmark.signature import Signature, differences
from talkingface_wild.benchmark.tables.common_clips import (
    Rescore,
    TableEntry,
    alike,
    common_clips,
    languages_of,
    scored_clips,
    scores_on,
)
from talkingface_wild.benchmark.tables.notes import footer
from talkingface_wild.benchmark.tables.ranking import standing
from talkingface_wild.benchmark.tables.reported import (
    CAPTIONS,
    LIST_TITLES,
    PAPER_METRICS,
    reported_rows,
)
from talkingface_wild.benchmark.tables.score_columns import in_order, title_of
from talkingface_wild.benchmark.tables.table import (
    FEW_WINDOWS,
    LEAST_SHARE,
    LEAST_WINDOWS,
    MIXED,
    Cell,
    Mixed,
    RowBlock,
    ScoreColumn,
    ScoreRow,
    Table,
    fails_often,
    windows_of,
)
from talkingface_wild.core.errors import UsageError


def build_table(
    runs: Sequence[BenchRun],
    allow_mixed: bool = False,
    by: Literal["method", "language"] = "method",
    rescore: Rescore | None = None,
) -> Table:
    """The table of ``runs`` on the clips that they have in common.

    Signatures have to agree in each column; with ``allow_mixed`` cells that differ are marked and
    not ranked. ``rescore`` gives set distances on fewer clips than a run has. ``by`` language
    makes a block for each language. Raises UsageError for no runs, differing signatures, and runs
    without a clip in common.
    """
    if not runs:
        raise UsageError(
            "Expected at least one run, found none; name a folder that `tfw bench` made."
        )
    named = _with_names(runs)
    one_list = _check_lists(named, allow_mixed)
    frames = {name: scored_clips(run) for name, run in named.items()}
    common = common_clips(list(frames.values())) if one_list else None
    if common is not None and not common:
        raise UsageError(
            f"Expected clips that all of {', '.join(named)} have scored, found none; "
            "leave out the run that scored other clips, see each RUN/clips.parquet."
        )
    languages = languages_of(frames.values()) if by == "language" else [""]
    entries: list[TableEntry] = []
    for language in languages:
        rows: list[TableEntry] = []
        for name, run in named.items():
            frame = frames[name]
            clips = set(frame.index) if common is None else common
            if language:
                clips = clips & set(frame.index[frame["language"] == language])
            if clips:
                scores = scores_on(run, frame, clips, language, rescore)
                rows.append(TableEntry(name, run, language, scores, frame[frame.index.isin(clips)]))
        entries += alike(rows, BASELINES)
    mixed = _mixed(entries)
    if mixed and not allow_mixed:
        raise UsageError(_refusal(mixed))
    columns = _columns(entries)
    blocks, untested = _blocks(entries, columns, {(m.row, m.metric) for m in mixed})
    lines = footer(named.values(), list(named), entries, columns, common, mixed, untested)
    unofficial = sorted(
        {name for entry in entries for score in entry.scores.values() for name in score.unofficial}
    )
    return Table(_title(runs, common), columns, blocks, lines, tuple(unofficial))


def reported_tables(
    lists: Iterable[str], numbers: Collection[int] = tuple(CAPTIONS)
) -> list[Table]:
    """The paper's printed tables that concern ``lists``, or all where none does; of ``numbers``."""
    columns = tuple(
        ScoreColumn(name, title_of(name), better) for name, better in PAPER_METRICS.items()
    )
    groups: dict[tuple[int, str], list[ScoreRow]] = {}
    notes: dict[tuple[int, str], dict[str, None]] = {}
    for printed in reported_rows(list(lists)):
        if printed.table not in numbers:
            continue
        cells = {
            metric: Cell(float(figure), printed=figure)
            for metric, figure in printed.figures.items()
        }
        place = (printed.table, printed.list_name)
        groups.setdefault(place, []).append(ScoreRow(printed.method, "reported", cells))
        notes.setdefault(place, {}).update(dict.fromkeys(printed.note.split("; ")))
    return [
        Table(
            f"Reported: {CAPTIONS[number]}, {LIST_TITLES[name]}",
            columns,
            (RowBlock("As printed", tuple(rows), ranked=False),),
            (
                "As printed in the MCDM paper, other protocol: "
                "do not rank against the rows measured here.",
                *(f"{note[:1].upper()}{note[1:]}." for note in notes[number, name]),
            ),
        )
        for (number, name), rows in groups.items()
    ]


def _with_names(runs: Sequence[BenchRun]) -> dict[str, BenchRun]:
    """Runs by the name that the table prints; equal names are told apart by their folders."""
    counts = Counter(run.name for run in runs)
    named: dict[str, BenchRun] = {}
    for run in runs:
        name = run.name if counts[run.name] == 1 else f"{run.name} ({run.folder.name})"
        while name in named:
            name += " again"
        named[name] = run
    return named


def _check_lists(named: Mapping[str, BenchRun], allow_mixed: bool) -> bool:
    """Whether all runs scored one list; UsageError where they did not and mixing is not allowed."""
    labels = {
        name: (f"list={run.list_name}:{run.list_sha8}", run.protocol) for name, run in named.items()
    }
    first, *others = labels
    for name in others:
        parts = [f"{a} ≠ {b}" for a, b in zip(labels[first], labels[name], strict=True) if a != b]
        if parts and not allow_mixed:
            raise UsageError(_refusal([Mixed(name, "every column", tuple(parts))]))
    return len({where for where, _ in labels.values()}) == 1


def _mixed(entries: Sequence[TableEntry]) -> list[Mixed]:
    """Cells whose signature differs from the one that most of their column have."""
    mixed: dict[tuple[str, str], Mixed] = {}
    for language in dict.fromkeys(entry.language for entry in entries):
        for metric in {name: None for entry in entries for name in entry.scores}:
            here = {
                entry.name: Signature.parse(entry.scores[metric].signature)
                for entry in entries
                if entry.language == language
                and metric in entry.scores
                and entry.scores[metric].value is not None
            }
            counts = Counter(signature.compared for signature in here.values())
            for name, signature in here.items():
                most = Signature(counts.most_common(1)[0][0])
                parts = tuple(differences(most, signature))
                if parts:
                    mixed.setdefault((name, metric), Mixed(name, metric, parts))
    return list(mixed.values())


def _refusal(mixed: Sequence[Mixed]) -> str:
    """One sentence on which runs differ from the rest of their column, and in what."""
    metrics_by_row: dict[str, list[str]] = {}
    for one in mixed:
        metrics_by_row.setdefault(f"{one.row} in {', '.join(one.parts)}", []).append(one.metric)
    rows = "; ".join(f"{what} ({', '.join(metrics)})" for what, metrics in metrics_by_row.items())
    return (
        "Expected one signature in a column, found runs that differ from the other rows: "
        f"{rows}; score them alike, or give --allow-mixed to mark such cells."
    )


def _columns(entries: Sequence[TableEntry]) -> tuple[ScoreColumn, ...]:
    scores: dict[str, list[Score]] = {}
    for entry in entries:
        for name, score in entry.scores.items():
            scores.setdefault(name, []).append(score)
    better = {name: columns[0].better for name, columns in scores.items()}
    columns = []
    for metric in in_order(scores, [name for name, way in better.items() if way == "none"]):
        counted = {(score.n, score.unit) for score in scores[metric] if score.value is not None}
        n, unit = next(iter(counted)) if len(counted) == 1 else (None, "")
        columns.append(ScoreColumn(metric, title_of(metric), better[metric], n, unit))
    return tuple(columns)


def _blocks(
    entries: Sequence[TableEntry], columns: Sequence[ScoreColumn], mixed: set[tuple[str, str]]
) -> tuple[tuple[RowBlock, ...], dict[str, str]]:
    """Floors, then methods, for each language; and why a column's best is not proven."""
    blocks: list[RowBlock] = []
    untested: dict[str, str] = {}
    places = list(BASELINES)
    for language in dict.fromkeys(entry.language for entry in entries):
        here = [entry for entry in entries if entry.language == language]
        floors = [entry for entry in here if entry.run.model in BASELINES]
        floors.sort(key=lambda entry: places.index(entry.run.model))
        methods = [entry for entry in here if entry.run.model not in BASELINES]
        before = f"{language}: " if language else ""
        if floors:
            rows = tuple(_row(entry, columns, mixed) for entry in floors)
            blocks.append(RowBlock(f"{before}floors, not ranked", rows, ranked=False))
        if methods:
            rows_ = [_row(entry, columns, mixed) for entry in methods]
            for column in columns:
                able = [(entry.name, column.metric) not in mixed for entry in methods]
                place = standing(column.metric, column.better, methods, able)
                if place.untested:
                    untested[column.metric] = place.untested
                if place.best is None or place.second is None:
                    continue
                if place.proven and not fails_often(methods[place.best].run):
                    rows_[place.best] = _marked(rows_[place.best], column.metric, best=True)
                rows_[place.second] = _marked(rows_[place.second], column.metric, best=False)
            blocks.append(RowBlock(f"{before}methods", tuple(rows_), ranked=True))
    return tuple(blocks), untested


def _row(
    entry: TableEntry, columns: Sequence[ScoreColumn], mixed: set[tuple[str, str]]
) -> ScoreRow:
    cells = {
        column.metric: _cell(
            entry.scores[column.metric], MIXED if (entry.name, column.metric) in mixed else ""
        )
        for column in columns
        if column.metric in entry.scores
    }
    return ScoreRow(entry.name, entry.run.model, cells, entry.run.failures)


def _cell(score: Score, mark: str) -> Cell:
    windows = windows_of(score)
    few = windows is not None and windows < LEAST_WINDOWS and score.value is not None
    return Cell(
        score.value,
        score.low,
        score.high,
        score.n,
        score.unit,
        score.deviation,
        marks=(FEW_WINDOWS if few else "") + mark,
        unofficial=score.unofficial,
        signature=score.signature,
        note=score.note,
    )


def _marked(row: ScoreRow, metric: str, best: bool) -> ScoreRow:
    cell = replace(row.cells[metric], best=best, second=not best)
    return replace(row, cells={**row.cells, metric: cell})


def _title(runs: Sequence[BenchRun], common: set[str] | None) -> str:
    protocols = " and ".join(dict.fromkeys(run.protocol for run in runs))
    lists = " and ".join(dict.fromkeys(run.list_name for run in runs))
    listed = max(run.listed for run in runs)
    if common is not None and len(common) < LEAST_SHARE * listed:
        protocols = f"{protocols} ({len(common)} of {listed})"
    return f"{protocols} on {lists}"
