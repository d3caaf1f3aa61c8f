"""``tfw bench``: score a method on a list, or finished videos against real ones."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from talkingface_wild.cli import bench_checks, bench_grid, bench_list, bench_study, bench_table
from talkingface_wild.cli.board import Board
from talkingface_wild.cli.output import JsonOption, Output, examples
from talkingface_wild.cli.typed_command import going_on_by
from talkingface_wild.core.errors import CheckFailed, UsageError
from talkingface_wild.core.stopping import break_off_on_signals

if TYPE_CHECKING:
    from talkingface_wild.benchmark.request import BenchRequest
    from talkingface_wild.benchmark.suite import BenchOutcome
    from talkingface_wild.jobs.bench.ablations import Ablations

app = typer.Typer(add_completion=False)
app.command("table", epilog=bench_table.EPILOG)(bench_table.table)
app.add_typer(bench_list.app, name="list")
app.command("verify", epilog=bench_checks.VERIFY_EPILOG)(bench_checks.verify)
app.command("selfcheck", epilog=bench_checks.SELFCHECK_EPILOG)(bench_checks.selfcheck)
app.command("grid", epilog=bench_grid.EPILOG)(bench_grid.grid)
app.add_typer(bench_study.app, name="study")


@app.callback(
    invoke_without_command=True,
    epilog=examples(
        "tfw bench --model groundtruth --dataset demo_out --split all --metrics ssim,psnr "
        "--out bench/real",
        "tfw bench --model static --dataset demo_out --split all --metrics ssim,psnr "
        "--out bench/still",
        "tfw bench table bench/real bench/still --reported",
        "tfw bench --model mcdm --checkpoint runs/tiny --dataset demo_out --skip-missing",
        "tfw bench selfcheck",
    ),
)
def bench(
    ctx: typer.Context,
    model: Annotated[
        str,
        typer.Option(
            help="groundtruth, static, shifted, crf28, halves; mcdm; or an adapter's name or YAML "
            "file."
        ),
    ] = "",
    dataset: Annotated[
        str,
        typer.Option(
            help="A curated data set's folder, a list's CSV, or hdtf, celebvhq, talkingface-wild, "
            "open-set and the other lists of 'tfw bench list'."
        ),
    ] = "",
    outputs: Annotated[
        Path | None, typer.Option(help="Folder of a method's finished videos.")
    ] = None,
    reference: Annotated[
        Path | None, typer.Option(help="Folder of the real videos of the same names.")
    ] = None,
    pairs: Annotated[
        Path | None,
        typer.Option(
            help="CSV with columns generated, reference and, if wanted, clip, sound, identity, "
            "language."
        ),
    ] = None,
    videos: Annotated[
        Path | None, typer.Option(help="Where a list's videos lie, if it does not say.")
    ] = None,
    name: Annotated[str, typer.Option(help="What tables call the method.")] = "",
    checkpoint: Annotated[
        Path | None, typer.Option(help="The generator's checkpoint, or the --out of 'tfw train'.")
    ] = None,
    steps: Annotated[
        int | None, typer.Option(min=1, help="Sampling steps. Default: the checkpoint's.")
    ] = None,
    cfg: Annotated[
        float | None, typer.Option(help="Guidance; 1 is off. Default: the checkpoint's.")
    ] = None,
    seeds: Annotated[
        int | None,
        typer.Option(min=1, help="Seeds of a stochastic method. Default: 3, as tfw-v1 asks."),
    ] = None,
    ablations: Annotated[
        bool,
        typer.Option(
            "--ablations",
            help="Score CHECKPOINT and its variants of the paper's Tables 4 and 5 and print that "
            "table.",
        ),
    ] = False,
    reported: Annotated[
        bool, typer.Option("--reported", help="With --ablations: the paper's printed rows as well.")
    ] = False,
    split: Annotated[str, typer.Option(help="train, val, test or all of a data set.")] = "test",
    protocol: Annotated[str, typer.Option(help="A protocol's name or YAML file.")] = "tfw-v1",
    metrics: Annotated[
        str | None,
        typer.Option(help="all, or such as ssim,psnr,fid. Default: the protocol's own."),
    ] = None,
    limit: Annotated[int | None, typer.Option(min=1, help="The first so many clips.")] = None,
    skip_missing: Annotated[
        bool, typer.Option("--skip-missing", help="Leave out metrics whose weights are missing.")
    ] = False,
    out: Annotated[
        Path | None,
        typer.Option(
            help="Folder of this run. Default: bench/ and the names of model or "
            "outputs, data set, and protocol where it is not tfw-v1."
        ),
    ] = None,
    features: Annotated[
        Path | None,
        typer.Option(help="Folder of stored features. Default: OUT/features; runs may share one."),
    ] = None,
    engine: Annotated[str, typer.Option(help="local or ray")] = "local",
    workers: Annotated[int | None, typer.Option(min=1, help="Workers of the ray engine.")] = None,
    device: Annotated[str, typer.Option(help="auto, cpu or cuda")] = "auto",
    run_command: Annotated[
        bool, typer.Option("--run", help="Let the adapter's command make videos that are missing.")
    ] = False,
    autocast: Annotated[
        bool,
        typer.Option("--autocast", help="Inception and I3D in bfloat16; named in the signature."),
    ] = False,
    retry_failed: Annotated[
        bool, typer.Option("--retry-failed", help="Try again what failed.")
    ] = False,
    fresh: Annotated[
        bool, typer.Option("--fresh", help="Forget results and measure anew.")
    ] = False,
    json: JsonOption = False,
) -> None:
    """Score talking-face videos: FID, FVD, Sync-C, Sync-D, SSIM, E-FID and more, one protocol.

    Either --model with --dataset, or --outputs with --reference. Goes on where it was stopped.
    """
    if ctx.invoked_subcommand is not None:
        return
    output = Output("bench", json)
    if engine not in ("ray", "local"):
        raise UsageError(f"--engine expects ray or local, found {engine!r}.")
    if split not in ("train", "val", "test", "all"):
        raise UsageError(f"--split expects train, val, test or all, found {split!r}.")
    from talkingface_wild.benchmark.request import BenchRequest

    request = BenchRequest(
        out=out or _default_out(model, checkpoint, dataset, outputs, protocol, ablations),
        model=model,
        dataset=dataset,
        outputs=outputs,
        reference=reference,
        pairs=pairs,
        videos=videos,
        name=name,
        checkpoint=checkpoint,
        steps=steps,
        cfg=cfg,
        seeds=seeds,
        split=split,
        protocol=protocol,
        metrics=metrics,
        limit=limit,
        skip_missing=skip_missing,
        engine=engine,
        workers=workers,
        device=device,
        features=features,
        run_command=run_command,
        autocast=autocast,
        retry_failed=retry_failed,
        fresh=fresh,
    )
    if reported and not ablations:
        raise UsageError(
            "Expected --reported with --ablations, found it alone; for finished runs there is "
            "`tfw bench table RUN… --reported`."
        )
    from talkingface_wild.jobs.bench.ablations import ablations as run_ablations
    from talkingface_wild.jobs.bench.run import bench as run

    with going_on_by(), break_off_on_signals(), Board(output) as board:
        if ablations:
            result = run_ablations(request, board, reported)
        else:
            outcome = run(request, board)
    if ablations:
        _ablations(output, request, result)
    else:
        data = _data(request, outcome)
        output.result(data, lambda: _page(data), exit_code=1 if outcome.failed else 0)


def _default_out(
    model: str,
    checkpoint: Path | None,
    dataset: str,
    outputs: Path | None,
    protocol: str,
    ablations: bool,
) -> Path:
    """``bench/`` and a name that another run is not likely to have."""
    chosen = "" if protocol == "tfw-v1" else protocol
    made = str(outputs or "") if not model else ""
    parts = [model, str(checkpoint or ""), made, dataset, chosen, "ablations" * ablations]
    names = [Path(part).stem for part in parts if part]
    return Path("bench") / ("-".join(name for name in names if name) or "pairs")


def _ablations(output: Output, request: BenchRequest, result: Ablations) -> None:
    from talkingface_wild.benchmark.tables.text import markdown, plain
    from talkingface_wild.jobs.bench.run import page_of, scores_of

    data = {
        "out": str(request.out),
        "variants": {
            name: {
                "name": outcome.run.name,
                "out": str(outcome.run.folder),
                "trained_on": outcome.run.facts.get("trained_on"),
                "scores": scores_of(outcome),
                "report": str(page_of(outcome)),
            }
            for name, outcome in result.outcomes.items()
        },
        "lacking": dict(result.lacking),
        "written": {"markdown": str(result.markdown), "latex": str(result.latex)},
        **plain(result.tables),
    }
    failed = any(outcome.failed for outcome in result.outcomes.values())
    exit_code = CheckFailed.exit_code if result.tables[0].unofficial else int(failed)
    text = "\n".join(markdown(table) for table in result.tables)
    output.result(data, f"{text.rstrip()}\n\ntable   {result.markdown}", exit_code)


def _data(request: BenchRequest, outcome: BenchOutcome) -> dict[str, Any]:
    """The data of ``--json``."""
    from talkingface_wild.jobs.bench.run import page_of, scores_of, unofficial_of

    run = outcome.run
    return {
        "out": str(request.out),
        "name": run.name,
        "model": run.model,
        "protocol": run.protocol,
        "list": f"{run.list_name}:{run.list_sha8}",
        "clips": run.listed,
        "scored": int(
            run.listed and len(run.clips().query("state != 'unscored'")["clip"].unique())
        ),
        "unscored": outcome.unscored,
        "failed": outcome.failed,
        "static": run.failures,
        "scores": scores_of(outcome),
        "languages": {
            language: {key: {"value": s.value, "n": s.n} for key, s in scores.items()}
            for language, scores in run.languages.items()
        },
        "left_out": outcome.left_out,
        "unofficial": unofficial_of(outcome),
        "trained_on": run.facts.get("trained_on"),
        "report": str(page_of(outcome)),
    }


def _page(data: dict[str, Any]) -> Any:
    """The scores as a person reads them."""
    from rich.console import Group
    from rich.table import Table
    from rich.text import Text

    from talkingface_wild.benchmark.metrics import METRICS
    from talkingface_wild.core.counting import counted

    arrows = {"lower": "↓", "higher": "↑", "one": "→1", "none": ""}
    table = Table(
        title=f"{data['name']} on {data['list']}, {data['protocol']}", title_justify="left"
    )
    for heading in ("metric", "value", "95 % interval", "n", "note"):
        right = heading in ("value", "n")
        table.add_column(heading, justify="right" if right else "left", overflow="fold")
    for name, score in data["scores"].items():
        metric = METRICS[name]
        value = "–" if score["value"] is None else f"{score['value']:.4f}"
        bounds = (score["low"], score["high"])
        interval = "" if None in bounds else f"{bounds[0]:.4f} – {bounds[1]:.4f}"
        note = "; ".join(
            part
            for part in (score["note"], "UNOFFICIAL WEIGHTS" * bool(score["unofficial"]))
            if part
        )
        label = f"{metric.title} {arrows[metric.better]}".strip()
        table.add_row(
            *map(
                Text,
                (
                    label,
                    value,
                    interval,
                    counted(score["n"], score["unit"].removesuffix("s")),
                    note,
                ),
            )
        )
    lines = [
        f"{data['scored']} of {data['clips']} clips scored",
        f"run     {data['out']}",
        f"page    {data['report']}",
        f"next    tfw bench table {data['out']}",
    ]
    if data["trained_on"]:
        lines.insert(1, f"trained on {data['trained_on']}")
    return Group(table, *(Text(line) for line in lines))
