"""``tfw bench study``: make a blind page for raters, and score what they send back."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from talkingface_wild.cli.output import JsonOption, Output, examples

if TYPE_CHECKING:
    from rich.table import Table

    from talkingface_wild.benchmark.study.scores import StudyScores

app = typer.Typer(add_completion=False, no_args_is_help=True)


@app.callback()
def _study() -> None:
    """Make a blind study of finished runs for people to judge, and score their answers."""


@app.command(
    epilog=examples(
        "tfw bench study make bench/real bench/still --out study --cases 3",
        "tfw bench study make bench/* --cases 3 --seconds 2 --out study_short --json",
    )
)
def make(
    runs: Annotated[
        list[Path], typer.Argument(help="Folders that `tfw bench` made, one a method.")
    ],
    out: Annotated[Path, typer.Option("--out", help="A new folder for the page and its key.")],
    cases: Annotated[int, typer.Option("--cases", min=1, max=200, help="Clips to judge.")] = 10,
    seconds: Annotated[
        float, typer.Option("--seconds", min=1.0, max=60.0, help="Most of each clip is shown.")
    ] = 10.0,
    seed: Annotated[int, typer.Option("--seed", help="Draws clips and letters.")] = 0,
    json: JsonOption = False,
) -> None:
    """Write OUT/page (give it to raters, whole) and OUT/key.json (keep it).

    The page works from a disk or any web server, asks three questions a case, and lets each rater
    save a CSV file; it reaches no network and holds no names. Its videos show people; share it as
    you would share the clips.
    """
    output = Output("bench study make", json)
    from talkingface_wild.benchmark.runs import read_run
    from talkingface_wild.pages.study_page import make_study

    def progress(done: int, total: int) -> None:
        output.say(f"case {done} of {total}")

    read = [read_run(run) for run in runs]
    made = make_study(read, out, cases, seed, seconds, progress)
    for note in made.notes:
        output.warn(note)
    data = {
        "page": made.page,
        "key": made.folder / "key.json",
        "study": made.key.study,
        "methods": made.key.methods,
        "cases": len(made.key.cases),
        "ranks": made.key.ranks,
    }
    words = f"{len(made.key.cases)} cases of {len(made.key.methods)} methods"
    output.result(data, f"{made.page}: {words}; the key is in {made.folder / 'key.json'}")


@app.command(
    epilog=examples(
        "tfw bench study score study answers/*.csv  # needs raters' answers",
        "tfw bench study score study a.csv --json  # needs raters' answers",
    )
)
def score(
    study: Annotated[Path, typer.Argument(help="The folder that `study make` wrote.")],
    answers: Annotated[list[Path], typer.Argument(help="CSV files that raters saved.")],
    json: JsonOption = False,
) -> None:
    """Score the answers: STUDY/scores.json and STUDY/scores.svg (bars with intervals)."""
    output = Output("bench study score", json)
    import json as json_module

    from talkingface_wild.benchmark.study.key import read_key
    from talkingface_wild.benchmark.study.ratings import read_ratings
    from talkingface_wild.benchmark.study.scores import score_study
    from talkingface_wild.core.paths import write_text
    from talkingface_wild.pages.study_picture import study_picture

    key = read_key(study)
    scores = score_study(read_ratings(answers, key), key)
    for warning in scores.warnings:
        output.warn(warning)
    data = scores.to_json()
    text = json_module.dumps(data, indent=1, ensure_ascii=False, allow_nan=False)
    write_text(study / "scores.json", text + "\n")
    write_text(study / "scores.svg", study_picture(scores))
    files = {"scores": study / "scores.json", "picture": study / "scores.svg"}
    output.result(data | {"files": files}, lambda: _table(scores))


def _table(scores: StudyScores) -> Table:
    from rich.table import Table

    words = f"raters: {scores.raters}, cases: {scores.cases}, answers: {scores.answers}"
    drawn = Table(title=words, title_justify="left", caption=scores.rule, caption_justify="left")
    for heading in ("question", "method", "preference", "95 %", "first"):
        right = heading in ("preference", "95 %", "first")
        drawn.add_column(heading, justify="right" if right else "left")
    for one in scores.preferences:
        interval = "—" if one.low is None else f"{one.low:.1f}–{one.high:.1f}"
        drawn.add_row(
            one.question, one.method, f"{one.share:.1f} %", interval, f"{one.first:.1f} %"
        )
    return drawn
