"""``tfw bench study``: make a blind page for raters, and score what they send back."""

import typer

from talkingface_wild.cli.options import command
from talkingface_wild.cli.output import Output
from talkingface_wild.jobs.bench import study
from talkingface_wild.jobs.bench.study import MakeStudyRequest, ScoreStudyRequest
from talkingface_wild.pages.terminal.rich_table import table

app = typer.Typer(add_completion=False, no_args_is_help=True)


@app.callback()
def _study() -> None:
    """Make a blind study of finished runs for people to judge, and score their answers."""


@command(app, MakeStudyRequest)
def make(request: MakeStudyRequest, output: Output) -> None:
    """Write OUT/page (give it to raters, whole) and OUT/key.json (keep it).

    The page works from a disk or any web server, asks three questions a case, and lets each rater
    save a CSV file; it reaches no network and holds no names. Its videos show people; share it as
    you would share the clips.
    """
    written = study.make(request, output)
    path, key = written.folder / "key.json", written.key
    data = {
        "page": written.page,
        "key": path,
        "study": key.study,
        "methods": key.methods,
        "cases": len(key.cases),
        "ranks": key.ranks,
    }
    words = f"{len(key.cases)} cases of {len(key.methods)} methods"
    output.result(data, f"{written.page}: {words}; the key is in {path}")


@command(app, ScoreStudyRequest)
def score(request: ScoreStudyRequest, output: Output) -> None:
    """Score the answers: STUDY/scores.json and STUDY/scores.svg (bars with intervals)."""
    scores = study.score(request, output)
    cells = [
        (
            one.question,
            one.method,
            f"{one.share:.1f} %",
            "—" if one.low is None else f"{one.low:.1f}–{one.high:.1f}",
            f"{one.first:.1f} %",
        )
        for one in scores.preferences
    ]
    title = f"raters: {scores.raters}, cases: {scores.cases}, answers: {scores.answers}"
    right = ("preference", "95 %", "first")
    page = table(title, ("question", "method", *right), cells, right=right, caption=scores.rule)
    output.result(scores.to_json() | {"files": request.files}, page)
