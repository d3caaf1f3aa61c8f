"""What may be written where: a run's folder holds one method on one list under one protocol."""

from collections.abc import Sequence
from pathlib import Path

from talkingface_wild.benchmark import metric_weights
from talkingface_wild.benchmark.clips import ClipSet
from talkingface_wild.benchmark.protocol import Protocol
from talkingface_wild.benchmark.request import BenchRequest
from talkingface_wild.benchmark.rows import ClipCandidate
from talkingface_wild.benchmark.runs import read_run
from talkingface_wild.core.errors import InputUnreadable, UsageError
from talkingface_wild.dataset.layout import Layout


def identity_of_run(request: BenchRequest, chosen: Protocol, clips: ClipSet) -> dict[str, str]:
    """What makes a run another one: the method, its videos, the list and the protocol."""
    asked = {
        "model": request.model or request.name or "pairs",
        "outputs": str(request.outputs.absolute()) if request.outputs else "",
        "list": clips.name,
        "protocol": chosen.name,
    }
    if request.checkpoint:
        asked["checkpoint"] = str(request.checkpoint.absolute())
    return asked | ({"sampling": request.sampling} if request.sampling else {})


def check_folder(
    out: Path, request: BenchRequest, chosen: Protocol, clips: ClipSet, names: Sequence[str]
) -> list[str]:
    """The metrics to measure: those asked for, and those that the run in ``out`` has already.

    Raises UsageError when ``out`` is a data set's folder or holds another run.
    """
    if Layout(out).has_commit():
        raise UsageError(
            f"Expected a folder for a run, found the data set in {out}; choose another --out."
        )
    if not (out / "run.json").is_file() or request.fresh:
        return list(names)
    held = read_run(out)
    there, here = held.facts.get("request"), identity_of_run(request, chosen, clips)
    if there != here:
        before = dict(there or {})
        differing = [
            f"{key} {before.get(key, '')!r} instead of {here.get(key, '')!r}"
            for key in dict.fromkeys([*before, *here])
            if before and before.get(key) != here.get(key)
        ]
        raise UsageError(
            f"Expected the same run in {out}, found another ({', '.join(differing) or 'older'}); "
            "choose another --out, or --fresh to replace it."
        )
    earlier = [
        name for name in held.facts["metrics"] if name not in metric_weights.missing(chosen, [name])
    ]
    return list(dict.fromkeys([*earlier, *names]))


def check_delivered(request: BenchRequest, asked: Sequence[ClipCandidate]) -> None:
    """Raise InputUnreadable when not one of a method's videos is where it should be."""
    paths = [entry.candidate.path for entry in asked if entry.candidate.kind == "file"]
    if paths and not any(Path(path).is_file() for path in paths):
        mend = "check --outputs and how the files are called"
        if request.outputs is None and (request.run_command or request.checkpoint):
            mend = "each of them failed: see what was said of the first"
        raise InputUnreadable(
            f"Expected finished videos of {request.name or request.model or 'the method'} such as "
            f"{paths[0]}, found none of {len(paths)}; {mend}."
        )
