"""``tfw why``: one clip's whole path and where it ended."""

from __future__ import annotations

import dataclasses
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from talkingface_wild.cli.output import JsonOption, Output, examples, printable

if TYPE_CHECKING:
    from rich.text import Text

    from talkingface_wild.dataset.why import Judgement, Passage, Story

app = typer.Typer(add_completion=False)

_LONGEST_VALUE = 100
_NOT_MEASURED = "not measured"


@app.command(
    epilog=examples(
        "tfw why demo_out en_two_faces",
        "tfw why demo_out demo_out/corpus/de/de_talk.mp4",
        "tfw why demo_out ru/ru_no_audio.mp4 --json",
    )
)
def why(
    out: Annotated[Path, typer.Argument(help="The data set's folder.")],
    clip: Annotated[
        str,
        typer.Argument(
            help="What `tfw ls` has first: an id or its beginning; or a source's name, file or "
            "address, or a finished clip's file."
        ),
    ],
    json: JsonOption = False,
) -> None:
    """Tell one clip's whole path: stages, measures, gates, cost, verdict, reviewers' words.

    A source is told too, with the clips that were cut from it.
    """
    output = Output("why", json)
    from talkingface_wild.dataset.naming import find_item
    from talkingface_wild.dataset.snapshot import read_recorded
    from talkingface_wild.dataset.why import story

    recorded = read_recorded(out)
    told = story(recorded, find_item(recorded, clip))
    output.result(dataclasses.asdict(told), human=lambda: _shown(_text(told)))


def _shown(text: str) -> str | Text:
    """On a terminal what was not measured is grey."""
    if not sys.stdout.isatty():
        return text
    from rich.text import Text

    shown = Text(text)
    shown.highlight_regex(rf"(?m)^.*{_NOT_MEASURED}.*$", "bright_black")
    return shown


def _text(told: Story) -> str:
    """The story as lines; text from outside is shown without control characters."""
    lines = [
        f"{told.level} {told.item}, {told.language}{_span(told.start_seconds, told.end_seconds)}",
        f"source {told.source} ({told.source_id})",
        "",
    ]
    for passage in told.passages:
        lines += _passage(passage, told.item)
    lines += ["", _verdict(told)]
    if told.media_path:
        lines.append(f"media: {told.media_path}")
    if told.review is not None:
        answer = "accepted" if told.review.accepted else f"rejected as {told.review.reason}"
        by = f" by {told.review.reviewer}" if told.review.reviewer else ""
        words = f": {told.review.words}" if told.review.words else ""
        lines.append(f"review: {answer}{by}{words}")
    if told.parts:
        lines.append("clips:")
        lines += [
            f"  {part.clip}{_span(part.start_seconds, part.end_seconds)}: {part.verdict}"
            for part in told.parts
        ]
    return "\n".join(printable(line) for line in lines)


def _passage(passage: Passage, item: str) -> list[str]:
    where = "" if passage.item == item else f" (on {passage.item})"
    words = {"unmeasured": _NOT_MEASURED, "split": "cut into clips"}
    facts = [words.get(passage.state, passage.state)]
    if passage.reason:
        facts[0] += f", {passage.reason}"
    if passage.detail:
        facts.append(passage.detail)
    if passage.attempts is not None and passage.attempts > 1:
        facts.append(f"{passage.attempts} attempts")
    if passage.seconds is not None:
        facts.append(f"{passage.seconds:.3f} s, {passage.cpu_seconds or 0:.3f} CPU s")
    lines = [f"{passage.stage}{where}: {'; '.join(facts)}"]
    lines += [f"    {name} = {_short(value)}" for name, value in passage.measures.items()]
    lines += [f"    {_gate(gate)}" for gate in passage.gates]
    return lines


def _gate(gate: Judgement) -> str:
    value = "no value" if gate.value is None else _short(gate.value)
    sign = {"passed": "✓", "not judged": "·", _NOT_MEASURED: "–"}.get(gate.outcome, "✗")
    outcome = gate.outcome
    if gate.outcome == _NOT_MEASURED:
        outcome += ", let through"
    if gate.outcome == "not judged" and gate.would_pass is not None:
        outcome += f", would {'pass' if gate.would_pass else 'fail'}"
    if gate.outcome.startswith("failed"):
        outcome += f": {gate.reason}" if gate.outcome == "failed" else ": unmeasured"
    return f"{sign} gate {gate.gate}: {value} {gate.comparison} {gate.bound}, {outcome}"


def _verdict(told: Story) -> str:
    words = [f"verdict: {'cut into clips' if told.state == 'split' else told.state}"]
    if told.reason:
        words.append(f"as {told.reason}")
    if told.gate:
        words.append(
            f"at gate {told.gate} of stage {told.stage} ({told.value} against {told.bound})"
        )
    elif told.stage and told.state not in ("kept", "split"):
        words.append(f"at stage {told.stage}")
    if told.detail:
        words.append(f"({told.detail})")
    return " ".join(words)


def _span(start: float | None, end: float | None) -> str:
    return "" if start is None or end is None else f", {start:.3f}–{end:.3f} s"


def _short(value: object) -> str:
    text = str(value)
    return (
        text
        if len(text) <= _LONGEST_VALUE
        else f"{text[:_LONGEST_VALUE]}… ({len(text)} characters)"
    )
