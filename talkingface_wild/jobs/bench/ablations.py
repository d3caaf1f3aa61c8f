"""``tfw bench --ablations``: a trained model and its variants, as the rows of Tables 4 and 5."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from talkingface_wild.cli.bench_generators import (
    NAMES,
    CheckpointFacts,
    Sampling,
    checkpoint_facts,
)
from talkingface_wild.cli.bench_run import measured, page_of, scores_of
from talkingface_wild.cli.output import Output
from talkingface_wild.core.errors import CheckFailed, InputUnreadable, UsageError

if TYPE_CHECKING:
    from talkingface_wild.benchmark.request import BenchRequest
    from talkingface_wild.benchmark.suite import BenchOutcome
    from talkingface_wild.benchmark.tables.table import Table

ROWS = {
    "no_archive": "w/o F_a",
    "no_present": "w/o F_pc",
    "no_mta": "w/o MTA",
    "ours": "Ours",
    "qformer": "B1",
    "reference_unet": "B2",
}
"""Variants by the paper's names of their rows, in the order of its Tables 4 and 5."""
REPORTED = (4, 5)
LEAST_SIDE = 256
"""Pixels on a side under which a model is no ground for the paper's tables."""


def ablations(output: Output, request: BenchRequest, sampling: Sampling, reported: bool) -> None:
    """Score each variant that has a checkpoint into ``OUT/<variant>``, then write their table.

    Raises UsageError before any work for another model or a checkpoint under 256 pixels, and
    InputUnreadable where there is no variant to compare.
    """
    training, found = _checkpoints(request)
    lacking = {name: _command(name, request, training) for name in ROWS if name not in found}
    _refuse_small(training, found)
    outcomes: dict[str, BenchOutcome] = {}
    for name, facts in found.items():
        output.say(f"{ROWS[name]}: {facts.folder}")
        one = dataclasses.replace(
            request,
            out=request.out / name,
            features=request.features or request.out / "features",
            checkpoint=facts.folder,
            name=ROWS[name],
        )
        outcomes[name] = measured(output, one, sampling)
    remarks = [
        f"{ROWS[name]} is not in the table, it has no checkpoint; train one with `{command}`."
        for name, command in lacking.items()
    ]
    remarks += _unlike(found)
    for remark in remarks:
        output.warn(remark)
    tables = _tables([outcome.run for outcome in outcomes.values()], remarks, reported)
    _tell(output, request, outcomes, tables, lacking)


def _checkpoints(request: BenchRequest) -> tuple[Path, dict[str, CheckpointFacts]]:
    """The training folder; the model and its variants with a checkpoint, in the rows' order."""
    if request.model not in NAMES:
        raise UsageError(
            f"Expected --ablations with --model {NAMES[0]}, found {request.model or 'no model'}; "
            "name it, with --checkpoint and --dataset."
        )
    ours = checkpoint_facts(request.model, request.checkpoint)
    from talkingface_wild.models.mcdm.analyses.checkpoint import Checkpoint

    trained = Checkpoint.find(Path(str(request.checkpoint)))
    folders = {name: trained.variant_folder(name) for name in ROWS if name != "ours"}
    found = {
        name: ours if name == "ours" else checkpoint_facts(request.model, folders[name])
        for name in ROWS
        if name == "ours" or folders[name] is not None
    }
    if len(found) == 1:
        raise InputUnreadable(
            f"Expected the checkpoint of a variant in {trained.training}, found none; train one "
            f"with `{_command('no_archive', request, trained.training)}`; the others are "
            f"{', '.join(name for name in ROWS if name not in ('ours', 'no_archive'))}."
        )
    return trained.training, found


def _command(name: str, request: BenchRequest, training: Path) -> str:
    """The command that trains a variant."""
    return (
        f"tfw train --model {request.model} --variant {name} --data {request.dataset or 'DATASET'} "
        f"--out {training}"
    )


def _refuse_small(training: Path, found: Mapping[str, CheckpointFacts]) -> None:
    for facts in found.values():
        if facts.side < LEAST_SIDE:
            raise UsageError(
                f"Expected models of at least {LEAST_SIDE} x {LEAST_SIDE} pixels for the paper's "
                f"Tables 4 and 5, found {facts.side} x {facts.side} in {facts.folder}: at that "
                "size differences say nothing of the paper's; score each model by itself, with "
                f"--checkpoint {training} and --checkpoint {training}/variants/NAME, and compare "
                "them by `tfw bench table`."
            )


def _unlike(found: Mapping[str, CheckpointFacts]) -> list[str]:
    """What else than its own settings sets a variant apart from the model."""
    from talkingface_wild.models.mcdm import MCDMConfig
    from talkingface_wild.models.mcdm.variants import varied

    ours = found["ours"]
    lines = []
    for name, facts in found.items():
        if name == "ours":
            continue
        expected = varied(MCDMConfig.from_dict(ours.config), name).to_dict()
        apart = _differing(expected, facts.config)
        if facts.data != ours.data:
            apart.append("what it was trained on")
        if apart:
            lines.append(
                f"{ROWS[name]} differs from Ours in more than its own settings: "
                f"{', '.join(apart[:6])}; its row is no ablation of one thing."
            )
    return lines


def _differing(expected: Mapping[str, Any], found: Mapping[str, Any]) -> list[str]:
    """``section.field`` of two configurations that differ, sampling and names left out."""
    return [
        f"{section}.{name}"
        for section, values in expected.items()
        if isinstance(values, Mapping) and section != "sampling"
        for name, value in values.items()
        if _plain(value) != _plain(dict(found.get(section, {})).get(name))
    ]


def _plain(value: Any) -> Any:
    return list(value) if isinstance(value, tuple) else value


def _tables(runs: list[Any], remarks: list[str], reported: bool) -> list[Table]:
    from talkingface_wild.benchmark.scoring import rescore
    from talkingface_wild.benchmark.tables.leaderboard import build_table, reported_tables

    built = build_table(runs, rescore=rescore)
    tables = [
        dataclasses.replace(
            built, title=f"Ablations: {built.title}", footer=(*remarks, *built.footer)
        )
    ]
    if reported:
        tables += reported_tables([run.list_name for run in runs], REPORTED)
    return tables


def _tell(
    output: Output,
    request: BenchRequest,
    outcomes: Mapping[str, BenchOutcome],
    tables: list[Table],
    lacking: Mapping[str, str],
) -> None:
    from talkingface_wild.benchmark.tables.latex import latex
    from talkingface_wild.benchmark.tables.text import markdown, plain
    from talkingface_wild.core.paths import write_text

    text = "\n".join(markdown(table) for table in tables)
    written = {"markdown": request.out / "ablations.md", "latex": request.out / "ablations.tex"}
    write_text(written["markdown"], text)
    write_text(written["latex"], latex(tables))
    data = {
        "out": str(request.out),
        "variants": {
            name: {
                "name": ROWS[name],
                "out": str(outcome.run.folder),
                "trained_on": outcome.run.facts.get("trained_on"),
                "scores": scores_of(outcome),
                "report": str(page_of(outcome)),
            }
            for name, outcome in outcomes.items()
        },
        "lacking": dict(lacking),
        "written": {name: str(path) for name, path in written.items()},
        **plain(tables),
    }
    unofficial = tables[0].unofficial
    failed = any(outcome.failed for outcome in outcomes.values())
    exit_code = CheckFailed.exit_code if unofficial else int(failed)
    output.result(data, f"{text.rstrip()}\n\ntable   {written['markdown']}", exit_code)
