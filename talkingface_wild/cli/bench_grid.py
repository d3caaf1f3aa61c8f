"""``tfw bench grid``: methods × frames of one clip as one picture."""

from pathlib import Path
from typing import Annotated

import typer

from talkingface_wild.cli.output import JsonOption, Output, examples

EPILOG = examples(
    "tfw bench grid bench/real bench/still",
    "tfw bench grid bench/real bench/still --frames 0,30,60 --output grid.png",
)


def grid(
    runs: Annotated[list[Path], typer.Argument(help="Folders that `tfw bench` made, one a row.")],
    clip: Annotated[
        str | None, typer.Option("--clip", help="The clip; else the first that all runs have.")
    ] = None,
    frames: Annotated[
        str | None,
        typer.Option("--frames", help="Frames at 25 a second, such as 0,30,120; six without it."),
    ] = None,
    side: Annotated[int, typer.Option("--side", min=16, max=1024, help="Pixels of a cell.")] = 192,
    output_file: Annotated[
        Path, typer.Option("--output", help="The picture (PNG or JPEG by its name).")
    ] = Path("grid.png"),
    json: JsonOption = False,
) -> None:
    """Draw methods × frames of one clip, the real video at the top.

    The picture shows people; share it as you would share the clips.
    """
    output = Output("bench grid", json)
    from talkingface_wild.benchmark.runs import read_run
    from talkingface_wild.core.errors import UsageError
    from talkingface_wild.core.paths import atomic_path
    from talkingface_wild.pages.frame_grid import make_grid

    if output_file.suffix.lower() not in (".png", ".jpg", ".jpeg"):
        raise UsageError(
            f"Expected --output with a name ending in .png or .jpg, found {str(output_file)!r}."
        )
    made = make_grid([read_run(run) for run in runs], clip, _frames(frames), side)
    with atomic_path(output_file) as temporary:
        made.picture.save(temporary)
    data = {"output": output_file, "clip": made.clip, "rows": made.rows, "frames": made.frames}
    words = f"{len(made.rows)} rows × {len(made.frames)} frames of {made.clip}"
    output.result(data, f"{output_file}: {words}")


def _frames(text: str | None) -> list[int] | None:
    from talkingface_wild.core.errors import UsageError

    if text is None:
        return None
    parts = [part.strip() for part in text.split(",")]
    if not all(part.isascii() and part.isdigit() and len(part) < 10 for part in parts):
        raise UsageError(
            f"Expected --frames as whole numbers with commas, such as 0,30,120, found {text!r}."
        )
    return [int(part) for part in parts]
