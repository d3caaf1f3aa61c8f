"""From a request to clips and candidates: data sets, lists, pairs; baselines, methods."""

import dataclasses
import functools
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from talkingface_wild.benchmark.candidates import (
    BASELINES,
    Candidate,
    ClipCandidate,
    file_candidate,
    stamp,
)
from talkingface_wild.benchmark.clips import (
    BenchClip,
    ClipSet,
    from_dataset,
    from_folders,
    from_pairs,
)
from talkingface_wild.benchmark.external.adapter import Adapter, adapter_names, load_adapter
from talkingface_wild.benchmark.external.program import check_adapter
from talkingface_wild.benchmark.lists.clip_list import BenchList, ListRow, read_list
from talkingface_wild.benchmark.lists.plans import PLANS
from talkingface_wild.benchmark.lists.videos import locate
from talkingface_wild.benchmark.outputs import (
    ClipInputs,
    Tell,
    Watch,
    adapter_outputs,
    generated_outputs,
    run_command,
)
from talkingface_wild.benchmark.protocol import Protocol
from talkingface_wild.benchmark.request import BenchRequest
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
    """A request's clips, before ``--limit``. Raises UsageError, InputUnreadable, CheckFailed."""
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
    options = "only one of --outputs and --reference" if request.outputs else "nothing"
    if request.model:
        options = f"--model {request.model} without --dataset"
    raise UsageError(
        f"Expected what to score, found {options}; give --model NAME --dataset DIR, "
        "or --outputs DIR --reference DIR, or --pairs FILE."
    )


def _refuse_idle(request: BenchRequest) -> None:
    """Raise UsageError for options that a baseline has no use for."""
    options = {
        "--outputs": request.outputs and request.dataset,
        "--checkpoint": request.checkpoint,
        "--run": request.run_command,
    }
    if idle := [name for name, value in options.items() if value]:
        raise UsageError(
            f"Expected {request.model} to be made from the real videos alone, found "
            f"{', '.join(idle)}; leave it out, or name the method by --model."
        )


def _listed(request: BenchRequest) -> ClipSet:
    path = Path(request.dataset)
    if path.is_dir():
        return from_dataset(path, request.split)
    if path.suffix != ".csv":
        path = _named_list(request.dataset)
    clips = read_list(path)
    return from_list(clips if request.videos is None else locate(clips, request.videos))


def _named_list(dataset: str) -> Path:
    """The CSV of a list that is known by name, here or in ``lists/``."""
    name = SHORT_NAMES.get(dataset, dataset)
    names = [*SHORT_NAMES, *PLANS]
    if name not in PLANS:
        raise InputUnreadable(
            f"Expected a data set's folder, a list's CSV or a list of {', '.join(names)}, found "
            f"{dataset!r}{nearest(dataset, names)}; check the path."
        )
    for path in (Path(f"{name}.csv"), Path("lists") / f"{name}.csv"):
        if path.is_file():
            return path
    raise InputUnreadable(
        f"Expected the list {name} as {name}.csv here or in lists/, found none: its videos are not "
        f"ours to ship; make it from your copy with `tfw bench list make {name} --help`."
    )


def from_list(clip_list: BenchList) -> ClipSet:
    """The clips of a list whose videos are at hand; the others are noted and left out."""
    rows = [row for row in clip_list.rows if row.path or row.portrait]
    if not rows:
        raise InputUnreadable(
            f"Expected videos of the list {clip_list.name} at hand, found none of "
            f"{len(clip_list.rows)}; give --videos DIR with the folder that holds them."
        )
    clips = tuple(_list_clip(clip_list.folder, row) for row in rows)
    listed = len(clip_list.rows)
    absent = f"{listed - len(rows)} of {listed} clips of {clip_list.name} have no video here."
    notes = (absent,) if len(rows) < listed else ()
    return ClipSet(clip_list.name, clip_list.sha8, clips, notes, listed)


def _list_clip(folder: Path, row: ListRow) -> BenchClip:
    reference, sound, portrait = (
        str((folder / name).absolute()) if name else ""
        for name in (row.path, row.sound, row.portrait)
    )
    crop = (row.crop_left, row.crop_top, row.crop_side)
    return BenchClip(
        row.clip,
        reference=reference,
        sound=sound,
        portrait=portrait,
        group=row.identity or row.source or row.clip,
        language=row.language,
        start_seconds=row.start_seconds,
        frames=row.frames,
        crop=None if None in crop else crop,  # type: ignore[arg-type]
        source=row.source,
    )


def candidates_of(
    request: BenchRequest,
    clips: ClipSet,
    protocol: Protocol,
    generators: Generators,
    tell: Tell,
    watch: Watch | None = None,
) -> list[ClipCandidate]:
    """Each clip with its candidate; videos that have to be drawn first are drawn here.

    ``watch`` hears how far a generator is with them.
    Raises UsageError for an unknown model, with the nearest name.
    """
    model = request.model
    if not model:
        return [ClipCandidate(clip, file_candidate(clip.generated)) for clip in clips.clips]
    if model in BASELINES:
        return [ClipCandidate(clip, Candidate(model)) for clip in clips.clips]
    features = (request.features or request.out / "features").absolute()
    inputs = ClipInputs(protocol, request.out.absolute(), features)
    if model in generators:
        generator, reframes = generators[model](request.checkpoint), False
        seeds = _seeds(request, generator.stochastic)
        videos = generated_outputs(
            generator, request.options, clips.clips, seeds, inputs, tell, watch
        )
    else:
        adapter = _adapter(model, generators)
        videos, reframes = _external(adapter, request, clips, inputs, tell), adapter.reframes
    return [
        ClipCandidate(clip, file_candidate(str(path), seed, reframes))
        for clip, seed, path in videos
    ]


def _seeds(request: BenchRequest, stochastic: bool) -> range:
    return range((request.seeds or SEEDS) if stochastic else 1)


def _outputs_folder(request: BenchRequest, adapter: Adapter, inputs: ClipInputs) -> Path:
    """Where a command's videos lie: another command, checkpoint or protocol has another folder."""
    checkpoint, protocol = request.checkpoint, inputs.protocol
    weights = None
    if checkpoint:
        files = sorted(checkpoint.rglob("*")) if checkpoint.is_dir() else [checkpoint]
        weights = [str(checkpoint), [stamp(str(file)) for file in files]]
    run = dataclasses.asdict(adapter.run) if adapter.run else None
    shape = [protocol.canvas, protocol.fps, protocol.frames, request.dataset]
    key = digest([adapter.name, run, weights, shape], 8)
    return inputs.run / "outputs" / f"{adapter.name}-{key}"


def _external(
    adapter: Adapter, request: BenchRequest, clips: ClipSet, inputs: ClipInputs, tell: Tell
) -> Iterator[tuple[BenchClip, int, Path]]:
    """Where each clip's video lies, those that are missing made by the adapter's command."""
    outputs = request.outputs or _outputs_folder(request, adapter, inputs)
    make = None
    if request.run_command:
        check_adapter(adapter, request.checkpoint)
        make = functools.partial(run_command, adapter, inputs, request.checkpoint)
    elif request.outputs is None:
        raise UsageError(
            f"Expected the finished videos of {adapter.name}, found no --outputs; give their "
            f"folder (they are called {adapter.outputs}), or add --run: its command makes them."
        )
    seeds = _seeds(request, adapter.stochastic and "{seed}" in adapter.outputs)
    return adapter_outputs(adapter, clips.clips, seeds, outputs.absolute(), make, tell)


def row_name(request: BenchRequest, generators: Generators) -> str:
    """What tables call the method: --name, else the adapter's title, else the model."""
    if request.name or not request.model:
        return request.name
    if request.model in BASELINES or request.model in generators:
        return request.model
    return _adapter(request.model, generators).row


def _adapter(model: str, generators: Generators) -> Adapter:
    """The adapter called ``model``; UsageError with the nearest name of all that would do."""
    names = [*BASELINES, *generators, *adapter_names()]
    if model not in names and not model.endswith((".yaml", ".yml")):
        raise UsageError(
            f"Expected a model of {', '.join(names)}, or an adapter's YAML file, found "
            f"{model!r}{nearest(model, names)}."
        )
    return load_adapter(model)
