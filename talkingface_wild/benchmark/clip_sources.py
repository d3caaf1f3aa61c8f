"""From what was asked for to clips and candidates: data sets, lists, pairs; floors, methods."""

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from talkingface_wild.benchmark.candidates import BASELINES, candidate_for, file_candidate, stamp
from talkingface_wild.benchmark.clips import (
    BenchClip,
    ClipSet,
    from_dataset,
    from_folders,
    from_pairs,
)
from talkingface_wild.benchmark.external.adapter import Adapter, adapter_names, load_adapter
from talkingface_wild.benchmark.external.program import check_adapter
from talkingface_wild.benchmark.lists.clip_list import BenchList, read_list
from talkingface_wild.benchmark.lists.plans import PLANS
from talkingface_wild.benchmark.lists.videos import locate
from talkingface_wild.benchmark.outputs import Making, adapter_outputs, generated_outputs, maker
from talkingface_wild.benchmark.protocol import Protocol
from talkingface_wild.benchmark.request import BenchRequest
from talkingface_wild.benchmark.rows import ClipCandidate
from talkingface_wild.core.errors import InputUnreadable, UsageError, nearest
from talkingface_wild.core.fingerprint import digest
from talkingface_wild.core.generator import Generator

Generators = Mapping[str, Callable[[Path | None], Generator]]
"""By name, what opens a generator from its checkpoint; the caller hands them in."""
SHORT_NAMES = {
    "hdtf": "hdtf-100",
    "celebvhq": "celebv-200",
    "talkingface-wild": "tfw-400",
    "open-set": "open-400",
}
SEEDS = 3
"""Seeds of a stochastic method."""


def clips_of(request: BenchRequest) -> ClipSet:
    """The clips asked for, before ``--limit``. Raises UsageError, InputUnreadable, CheckFailed."""
    if request.model in BASELINES:
        _refuse_idle(request)
    if request.dataset:
        if request.pairs or request.reference:
            raise UsageError(
                "Expected --dataset, or --pairs, or --outputs with --reference; not two."
            )
        if not request.model:
            raise UsageError(
                f"Expected a model for the data set {request.dataset}, found none; give --model "
                "NAME, or score finished videos by --outputs DIR --reference DIR."
            )
        return _listed(request)
    if request.pairs:
        return from_pairs(request.pairs)
    if request.model in BASELINES and request.reference:
        return from_folders(request.reference, request.reference)
    if request.outputs and request.reference:
        return from_folders(request.outputs, request.reference)
    if request.model:
        found = f"--model {request.model} without --dataset"
    else:
        found = "only one of --outputs and --reference" if request.outputs else "nothing"
    raise UsageError(
        f"Expected what to score, found {found}"
        + "; give --model NAME --dataset DIR, or --outputs DIR --reference DIR, or --pairs FILE."
    )


def _refuse_idle(request: BenchRequest) -> None:
    """Raise UsageError for options that a floor has no use for."""
    given = {
        "--outputs": request.outputs and request.dataset,
        "--checkpoint": request.checkpoint,
        "--run": request.run_command,
    }
    if idle := [name for name, value in given.items() if value]:
        raise UsageError(
            f"Expected {request.model} to be made from the real videos alone, found "
            f"{', '.join(idle)}; leave it out, or name the method by --model."
        )


def _listed(request: BenchRequest) -> ClipSet:
    given = Path(request.dataset)
    if given.is_dir():
        return from_dataset(given, request.split)
    if given.suffix == ".csv":
        return from_list(_read(given, request))
    name = SHORT_NAMES.get(request.dataset, request.dataset)
    known = [*SHORT_NAMES, *PLANS]
    if name not in PLANS:
        raise InputUnreadable(
            f"Expected a data set's folder, a list's CSV or a list of {', '.join(known)}, found "
            f"{request.dataset!r}{nearest(request.dataset, known)}; check the path."
        )
    for folder in (Path(), Path("lists")):
        path = folder / f"{name}.csv"
        if path.is_file():
            return from_list(_read(path, request))
    raise InputUnreadable(
        f"Expected the list {name} as {name}.csv here or in lists/, found none: its videos are not "
        f"ours to ship; make it from your copy with `tfw bench list make {name} --help`."
    )


def _read(path: Path, request: BenchRequest) -> BenchList:
    """A list, its videos looked for in ``--videos`` where it does not name them."""
    found = read_list(path)
    return found if request.videos is None else locate(found, request.videos)


def from_list(found: BenchList) -> ClipSet:
    """The clips of a list whose videos are at hand; the others are noted and left out."""
    clips, absent = [], 0
    for row in found.rows:
        if not row.path and not row.portrait:
            absent += 1
            continue
        crop = (row.crop_left, row.crop_top, row.crop_side)

        def at(name: str) -> str:
            return str((found.folder / name).absolute()) if name else ""

        clips.append(
            BenchClip(
                row.clip,
                reference=at(row.path),
                sound=at(row.sound),
                portrait=at(row.portrait),
                group=row.identity or row.source or row.clip,
                language=row.language,
                start_seconds=row.start_seconds,
                frames=row.frames,
                crop=None if None in crop else crop,  # type: ignore[arg-type]
                source=row.source,
            )
        )
    if not clips:
        raise InputUnreadable(
            f"Expected videos of the list {found.name} at hand, found none of {len(found.rows)}; "
            "give --videos DIR with the folder that holds them."
        )
    notes = [f"{absent} of {len(found.rows)} clips of {found.name} have no video here."] * bool(
        absent
    )
    return ClipSet(found.name, found.sha8, tuple(clips), tuple(notes), len(found.rows))


def candidates_of(
    request: BenchRequest,
    clips: ClipSet,
    chosen: Protocol,
    generators: Generators,
    tell: Callable[[str], None],
    watch: Callable[[Making], None] | None = None,
) -> list[ClipCandidate]:
    """Each clip with its candidate; videos that have to be made first are made here.

    ``watch`` hears how far a generator is with them.
    Raises UsageError for an unknown model, with the nearest name.
    """
    if not request.model:
        return [ClipCandidate(clip, file_candidate(clip.generated)) for clip in clips.clips]
    if request.model in BASELINES:
        return [ClipCandidate(clip, candidate_for(clip, request.model)) for clip in clips.clips]
    features = (request.features or request.out / "features").absolute()
    run = request.out.absolute()
    if request.model in generators:
        generator = generators[request.model](request.checkpoint)
        seeds = range((request.seeds or SEEDS) if generator.stochastic else 1)
        made = generated_outputs(
            generator, request.options, clips.clips, seeds, chosen, run, features, tell, watch
        )
        return [ClipCandidate(clip, file_candidate(str(path), seed)) for clip, seed, path in made]
    adapter = _adapter(request.model, generators)
    return _external(adapter, request, clips.clips, chosen, features, tell)


def _made_in(request: BenchRequest, adapter: Adapter, chosen: Protocol) -> Path:
    """Where a command's videos lie: another command, checkpoint or protocol has another folder."""
    checkpoint = request.checkpoint
    weights = [str(checkpoint), _latest_change(checkpoint)] if checkpoint else None
    run = dataclasses.asdict(adapter.run) if adapter.run else None
    shape = [chosen.canvas, chosen.fps, chosen.frames, request.dataset]
    made = digest([adapter.name, run, weights, shape], 8)
    return request.out.absolute() / "outputs" / f"{adapter.name}-{made}"


def _latest_change(path: Path) -> list[str]:
    """Size and time of change of a file, or of every file of a folder."""
    files = sorted(path.rglob("*")) if path.is_dir() else [path]
    return [stamp(str(file)) for file in files]


def _external(
    adapter: Adapter,
    request: BenchRequest,
    clips: Sequence[BenchClip],
    chosen: Protocol,
    features: Path,
    tell: Callable[[str], None],
) -> list[ClipCandidate]:
    outputs = request.outputs or _made_in(request, adapter, chosen)
    make = None
    if request.run_command:
        check_adapter(adapter, request.checkpoint)
        make = maker(adapter, chosen, request.out.absolute(), features, request.checkpoint)
    elif request.outputs is None:
        raise UsageError(
            f"Expected the finished videos of {adapter.name}, found no --outputs; give their "
            f"folder (they are called {adapter.outputs}), or add --run: its command makes them."
        )
    stochastic = adapter.stochastic and "{seed}" in adapter.outputs
    seeds = range((request.seeds or SEEDS) if stochastic else 1)
    found = adapter_outputs(adapter, clips, seeds, outputs.absolute(), make, tell)
    return [
        ClipCandidate(clip, file_candidate(str(path), seed, adapter.reframes))
        for clip, seed, path in found
    ]


def row_name(request: BenchRequest, generators: Generators) -> str:
    """What tables call the method: the name given, else the adapter's title, else the model."""
    if request.name or not request.model:
        return request.name
    if request.model in BASELINES or request.model in generators:
        return request.model
    return _adapter(request.model, generators).row


def _adapter(model: str, generators: Generators) -> Adapter:
    """The adapter called ``model``; UsageError with the nearest name of all that would do."""
    known = [*BASELINES, *generators, *adapter_names()]
    if model not in known and not model.endswith((".yaml", ".yml")):
        raise UsageError(
            f"Expected a model of {', '.join(known)}, or an adapter's YAML file, found "
            f"{model!r}{nearest(model, known)}."
        )
    return load_adapter(model)
