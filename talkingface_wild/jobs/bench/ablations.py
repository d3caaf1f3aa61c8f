"""``tfw bench --ablations``: a trained model and its variants, as the rows of Tables 4 and 5."""

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from talkingface_wild.benchmark.request import BenchRequest
from talkingface_wild.benchmark.scoring import rescore
from talkingface_wild.benchmark.suite import BenchOutcome
from talkingface_wild.benchmark.tables.latex import latex
from talkingface_wild.benchmark.tables.leaderboard import build_table, reported_tables
from talkingface_wild.benchmark.tables.table import Table
from talkingface_wild.benchmark.tables.text import markdown, plain
from talkingface_wild.core.errors import CheckFailed, InputUnreadable, UsageError
from talkingface_wild.core.generator import Facts
from talkingface_wild.core.paths import write_text
from talkingface_wild.core.reporter import Reporter
from talkingface_wild.jobs.bench.run import WarningsKept, bench, page_of, scores_of
from talkingface_wild.jobs.bench.training_overlap import data_line
from talkingface_wild.models import generator_class, registered

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


@dataclass(frozen=True)
class Ablations:
    """The variants' runs by name, their table, and the commands that train what is lacking."""

    outcomes: Mapping[str, BenchOutcome]
    tables: list[Table]
    lacking: Mapping[str, str]
    markdown: Path
    latex: Path

    @property
    def exit_code(self) -> int:
        """How a command line ends: unofficial weights, a failed clip, or neither."""
        if self.tables[0].unofficial:
            return CheckFailed.exit_code
        return int(any(outcome.failed for outcome in self.outcomes.values()))


def ablations(request: BenchRequest, reporter: Reporter) -> Ablations:
    """Score each variant that has a checkpoint into ``OUT/<variant>``, then write their table.

    Raises UsageError before any work for another model or a checkpoint under 256 pixels, and
    InputUnreadable where there is no variant to compare.
    """
    request.check()
    training, facts = _checkpoints(request)
    lacking = {name: _command(name, request, training) for name in ROWS if name not in facts}
    _refuse_small(training, facts)
    outcomes: dict[str, BenchOutcome] = {}
    reporter = WarningsKept(reporter)
    for name, checkpoint in facts.items():
        reporter.say(f"{ROWS[name]}: {checkpoint.folder}")
        changes = {
            "out": request.out / name,
            "features": request.features or request.out / "features",
            "checkpoint": checkpoint.folder,
            "name": ROWS[name],
        }
        outcomes[name] = bench(request.model_copy(update=changes), reporter)
    remarks = [
        f"{ROWS[name]} is not in the table, it has no checkpoint; train one with `{command}`."
        for name, command in lacking.items()
    ]
    remarks += _unlike(request.model, facts)
    for remark in remarks:
        reporter.warn(remark)
    tables = _tables([outcome.run for outcome in outcomes.values()], remarks, request.reported)
    result = Ablations(
        outcomes, tables, lacking, request.out / "ablations.md", request.out / "ablations.tex"
    )
    write_text(result.markdown, "\n".join(markdown(table) for table in tables))
    write_text(result.latex, latex(tables))
    return result


def _checkpoints(request: BenchRequest) -> tuple[Path, dict[str, Facts]]:
    """The training folder; the model and its variants with a checkpoint, in the rows' order."""
    if request.model not in registered():
        raise UsageError(
            f"Expected --ablations with --model {' or '.join(registered())}, found "
            f"{request.model or 'no model'}; name it, with --checkpoint and --dataset."
        )
    kind = generator_class(request.model)
    ours = kind.read_facts(request.checkpoint, request.model)
    training, folders = kind.variants(Path(str(request.checkpoint)))
    facts = {
        name: ours if name == "ours" else kind.read_facts(folders[name], request.model)
        for name in ROWS
        if name == "ours" or name in folders
    }
    if len(facts) == 1:
        raise InputUnreadable(
            f"Expected the checkpoint of a variant in {training}, found none; train one "
            f"with `{_command('no_archive', request, training)}`; the others are "
            f"{', '.join(name for name in ROWS if name not in ('ours', 'no_archive'))}."
        )
    return training, facts


def _command(name: str, request: BenchRequest, training: Path) -> str:
    """The command that trains a variant."""
    return (
        f"tfw train --model {request.model} --variant {name} --data {request.dataset or 'DATASET'} "
        f"--out {training}"
    )


def _refuse_small(training: Path, facts: Mapping[str, Facts]) -> None:
    for checkpoint in facts.values():
        side = checkpoint.side
        if side < LEAST_SIDE:
            raise UsageError(
                f"Expected models of at least {LEAST_SIDE} x {LEAST_SIDE} pixels for the paper's "
                f"Tables 4 and 5, found {side} x {side} in {checkpoint.folder}: at that "
                "size differences say nothing of the paper's; score each model by itself, with "
                f"--checkpoint {training} and --checkpoint {training}/variants/NAME, and compare "
                "them by `tfw bench table`."
            )


def _unlike(model: str, facts: Mapping[str, Facts]) -> list[str]:
    """What else than its own settings sets a variant apart from the model."""
    ours = facts["ours"]
    lines = []
    for name, checkpoint in facts.items():
        if name == "ours":
            continue
        expected = generator_class(model).variant_config(ours.config, name)
        apart = _differing(expected, checkpoint.config)
        if data_line(checkpoint) != data_line(ours):
            apart.append("what it was trained on")
        if apart:
            lines.append(
                f"{ROWS[name]} differs from Ours in more than its own settings: "
                f"{', '.join(apart[:6])}; its row is no ablation of one thing."
            )
    return lines


def _differing(expected: Mapping[str, Any], config: Mapping[str, Any]) -> list[str]:
    """``section.field`` of two configurations that differ, sampling and names left out."""
    return [
        f"{section}.{name}"
        for section, values in expected.items()
        if isinstance(values, Mapping) and section != "sampling"
        for name, value in values.items()
        if _plain(value) != _plain(dict(config.get(section, {})).get(name))
    ]


def _plain(value: Any) -> Any:
    return list(value) if isinstance(value, tuple) else value


def _tables(runs: list[Any], remarks: list[str], reported: bool) -> list[Table]:
    built = build_table(runs, rescore=rescore)
    tables = [
        dataclasses.replace(
            built, title=f"Ablations: {built.title}", footer=(*remarks, *built.footer)
        )
    ]
    if reported:
        tables += reported_tables([run.list_name for run in runs], REPORTED)
    return tables


def data_of(request: BenchRequest, compared: Ablations) -> dict[str, Any]:
    """The runs and their tables as plain data."""
    variants = {
        name: {
            "name": outcome.run.name,
            "out": str(outcome.run.folder),
            "trained_on": outcome.run.facts.get("trained_on"),
            "scores": scores_of(outcome),
            "report": str(page_of(outcome)),
        }
        for name, outcome in compared.outcomes.items()
    }
    return {
        "out": str(request.out),
        "variants": variants,
        "lacking": dict(compared.lacking),
        "written": {"markdown": str(compared.markdown), "latex": str(compared.latex)},
        **plain(compared.tables),
    }


def text_of(compared: Ablations) -> str:
    """The tables as Markdown, and where they are."""
    text = "\n".join(markdown(table) for table in compared.tables)
    return f"{text.rstrip()}\n\ntable   {compared.markdown}"
