"""``tfw curate``: the command line of a run, its live board, and what it prints at the end."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from talkingface_wild.cli.output import JsonOption, Output, examples
from talkingface_wild.cli.typed_command import going_on_by, typed_command
from talkingface_wild.core.errors import UsageError
from talkingface_wild.core.languages import parse_languages

if TYPE_CHECKING:
    from talkingface_wild.pipelines.curate import Outcome
    from talkingface_wild.pipelines.request import Request

app = typer.Typer(add_completion=False)


@app.command(
    epilog=examples(
        "tfw curate --langs all --recipe demo --out demo_out",
        "tfw curate --langs all --recipe demo --out demo_out --plan",
        "tfw curate --langs de,fr --recipe demo --engine local --out demo_two",
    )
)
def curate(
    langs: Annotated[str, typer.Option(help="all, or tags such as ar,de,en")] = "all",
    recipe: Annotated[
        str | None,
        typer.Option(
            help="Name or YAML file. Default: the folder's own recipe, else talkingface_wild."
        ),
    ] = None,
    sources: Annotated[
        list[str] | None,
        typer.Option(
            help="A folder, a list (txt, csv, jsonl, parquet), a video or a link; "
            "may be given often."
        ),
    ] = None,
    out: Annotated[Path, typer.Option(help="Folder of the data set.")] = Path(
        "talkingface_wild_data"
    ),
    engine: Annotated[
        str, typer.Option(help="ray (this machine, or the cluster in RAY_ADDRESS) or local")
    ] = "ray",
    workers: Annotated[
        int | None, typer.Option(min=1, help="Workers per pool; default: one per core.")
    ] = None,
    hours_per_language: Annotated[
        float | None, typer.Option(min=0, help="Stop a language at so many hours of kept clips.")
    ] = None,
    limit: Annotated[
        int | None, typer.Option(min=1, help="Take the first so many sources.")
    ] = None,
    settings: Annotated[
        list[str] | None, typer.Option("--set", help="stage.field=value or gates.NAME=bound")
    ] = None,
    plan: Annotated[
        bool, typer.Option("--plan", help="Print what would be done, and do nothing.")
    ] = False,
    retry_failed: Annotated[
        bool, typer.Option("--retry-failed", help="Try again what failed.")
    ] = False,
    score_all: Annotated[
        bool, typer.Option("--score-all", help="Measure rejected clips too.")
    ] = False,
    fresh: Annotated[
        bool, typer.Option("--fresh", help="Forget what was measured and begin anew.")
    ] = False,
    compact: Annotated[
        bool | None,
        typer.Option(
            "--compact/--no-compact",
            help="Leave columns without any value out of clips/; kept up until the other is given.",
        ),
    ] = None,
    cookies: Annotated[
        Path | None, typer.Option(help="A cookies.txt for downloads; kept out of every output.")
    ] = None,
    cookies_from_browser: Annotated[
        str | None, typer.Option(help="Take the cookies of this browser instead.")
    ] = None,
    proxy: Annotated[str | None, typer.Option(help="A proxy's address for downloads.")] = None,
    json: JsonOption = False,
) -> None:
    """Make a data set: download, shots, faces, quality, lip-sync, Parquet. Resumes by itself."""
    output = Output("curate", json)
    if engine not in ("ray", "local"):
        raise UsageError(f"--engine expects ray or local, found {engine!r}.")
    chosen = list(settings or [])
    if hours_per_language is not None:
        chosen.append(f"targets.hours_per_language={hours_per_language}")
    _give_access(cookies, cookies_from_browser, proxy)
    from talkingface_wild.pipelines.request import Request

    request = Request(
        out=out,
        languages=parse_languages(langs),
        recipe=recipe,
        sources=tuple(sources or ()),
        engine=engine,
        workers=workers,
        limit=limit,
        settings=tuple(chosen),
        retry_failed=retry_failed,
        score_all=score_all,
        fresh=fresh,
        compact=compact,
    )
    if plan:
        _show_plan(output, request)
        return
    _run(output, request)


def _give_access(cookies: Path | None, browser: str | None, proxy: str | None) -> None:
    """Hand secrets to the workers by the environment: they enter no recipe, journal or table."""
    given = {
        "TFW_COOKIES": None if cookies is None else str(cookies.absolute()),
        "TFW_COOKIES_BROWSER": browser,
        "TFW_PROXY": proxy,
    }
    os.environ.update({name: value for name, value in given.items() if value})


def _show_plan(output: Output, request: Request) -> None:
    from talkingface_wild.cli.board import plan_table
    from talkingface_wild.pipelines.estimate import estimate

    found = estimate(request)
    output.result(found, human=lambda: plan_table(found))


def _run(output: Output, request: Request) -> None:
    from talkingface_wild.cli.board import Board
    from talkingface_wild.pipelines.curate import curate as go

    with Board(output) as board, going_on_by():
        outcome = go(
            request,
            watch=lambda progress: board.progress(progress.snapshot),
            gathering=lambda snapshot: board.progress(lambda: snapshot),
        )
    for note in outcome.notes[:20]:
        output.say(f"note: {note}")
    failed = outcome.count("failed")
    code = 130 if outcome.stopped == "interrupted" else 1 if failed or outcome.stopped else 0
    if outcome.stopped == "interrupted":
        command = typed_command(without=("--fresh",))
        output.say(f"Interrupted; the journal is intact. Go on with: {command}")
    elif failed:
        output.say(
            f"Failed: {failed} ({_reasons(outcome)}); try again with: "
            + typed_command(without=("--fresh",), also=("--retry-failed",))
        )
    data = _summary(outcome, request)
    output.result(data, human=lambda: _page(data), exit_code=code)


def _reasons(outcome: Outcome) -> str:
    """Why items failed, the commonest first, with what was said of the first."""
    verdicts = outcome.ruling.verdicts
    failed = verdicts[verdicts["state"] == "failed"]
    counts = ", ".join(f"{reason} {n}" for reason, n in failed["reason"].value_counts().items())
    return f"{counts}: {failed['detail'].iloc[0]}"


def _summary(outcome: Outcome, request: Request) -> dict[str, Any]:
    """The data of ``--json``: counts, the funnel, languages, and where things are."""
    import dataclasses

    from talkingface_wild.dataset.compact import stored_null_columns
    from talkingface_wild.dataset.funnel import by_language, funnel
    from talkingface_wild.pipelines.curate import frames_of

    clips, items, ledger = frames_of(outcome)
    roots = items[items["level"] == "source"]
    lost = items[items["verdict_state"].isin(["rejected", "failed", "pending"])]
    unmeasured = outcome.plan.unmeasured
    return {
        "out": str(request.out),
        "recipe": outcome.recipe.name,
        "commit": outcome.commit.number,
        "new_commit": outcome.commit.new,
        "sources": len(roots),
        "clips_kept": len(clips),
        "hours_kept": round(float(clips["clip_seconds"].sum()) / 3600, 4) if len(clips) else 0.0,
        "failed": outcome.count("failed"),
        "pending": outcome.count("pending"),
        "stopped": outcome.stopped,
        "notes": outcome.notes,
        "languages": by_language(items, clips),
        "funnel": [dataclasses.asdict(step) for step in funnel(ledger, unmeasured)],
        "reasons": {str(k): int(v) for k, v in lost["verdict_reason"].value_counts().items()},
        "unmeasured": unmeasured,
        "null_columns": stored_null_columns(outcome.commit.folder),
        "dataset": os.path.join(str(request.out), "dataset"),
        "media": os.path.join(str(request.out), "media"),
    }


def _page(data: dict[str, Any]) -> Any:
    from talkingface_wild.cli.result_page import result_page

    return result_page(data)
