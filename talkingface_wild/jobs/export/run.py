"""``tfw export``: the kept clips of a data set in a trainer's own layout; goes on after a stop."""

import shutil
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from talkingface_wild.core.errors import InputUnreadable, UsageError
from talkingface_wild.core.fingerprint import file_sha256
from talkingface_wild.core.parts import Part, PartsProgress
from talkingface_wild.core.reporter import Reporter
from talkingface_wild.core.version import __version__
from talkingface_wild.dataset.layout import Layout
from talkingface_wild.engine.lock import folder_lock
from talkingface_wild.jobs.export.export_clip import ExportClip, export_clips
from talkingface_wild.jobs.export.export_folder import MANIFEST, ExportFolder
from talkingface_wild.jobs.export.request import ExportRequest
from talkingface_wild.jobs.export.trainer_layout import NO_MESH, TrainerLayout, Unit, check_room
from talkingface_wild.jobs.export.trainer_layouts import LAYOUTS

_CLIPS = "clips"


def export(request: ExportRequest, reporter: Reporter) -> dict[str, Any]:
    """Write the layout, or what is left of it, and say what stands there.

    Raises InputUnreadable for a set without clips, or without a mesh where the layout needs one;
    UsageError for a folder that the layout cannot take; DiskFull; FolderLocked.
    """
    layout = LAYOUTS[request.layout](request.size)
    target = request.target
    _check_target(request, layout)
    key = _key(request)
    clips = export_clips(request)
    folder = ExportFolder(target, key)
    folder.check()
    if (manifest := folder.manifest()) is not None:
        folder.clear()
        return _result(request, layout, manifest, written=0)
    fit, left_out = _sorted_out(request, layout, clips)
    units = layout.units(fit)
    with folder_lock(target):
        missing = [unit for unit in units if folder.record(unit.name) is None]
        needed = sum(layout.bytes_of(clip) for unit in missing for clip in unit.clips)
        check_room(needed, shutil.disk_usage(target).free, target)
        folder.begin()
        _write(layout, folder, units, missing, reporter)
        records = {unit.name: folder.record(unit.name) or {} for unit in units}
        manifest = _manifest(key, units, records, layout, left_out)
        folder.finish(layout.lists(units, target), manifest)
    return _result(request, layout, manifest, written=sum(len(unit.clips) for unit in missing))


def _check_target(request: ExportRequest, layout: TrainerLayout) -> None:
    """Raise UsageError for a folder in the set, around it, or that the trainer would misread."""
    source, target = request.set_folder.resolve(), request.target.resolve()
    if target == source or source in target.parents or target in source.parents:
        raise UsageError(
            f"--out expects a folder outside of the data set {request.set_folder}, found "
            f"{request.target}; name one beside it."
        )
    path = str(request.target)
    for word in layout.misread:
        if word in path:
            raise UsageError(
                f"--out expects a path without {word!r}, which the loader of {layout.name} takes "
                f"for something else wherever it stands, found {path}; name another folder."
            )
    if "\n" in path or "\r" in path:
        raise UsageError(f"--out expects a path of one line, found {path!r}; name another folder.")


def _key(request: ExportRequest) -> dict[str, Any]:
    """What tells this export from others: a part of another one is no part of it."""
    commit = Layout(request.set_folder.absolute()).latest()
    return {
        "layout": request.layout,
        "commit": int(commit.name),
        "commit_sha256": file_sha256(commit / "manifest.json"),
        "where": request.where,
        "size": request.size,
        "folder": str(request.target),
    }


def _sorted_out(
    request: ExportRequest, layout: TrainerLayout, clips: Sequence[ExportClip]
) -> tuple[list[ExportClip], dict[str, list[str]]]:
    """The clips that the layout takes, and the ids of the others by the reason."""
    fit: list[ExportClip] = []
    left_out: dict[str, list[str]] = defaultdict(list)
    for clip in clips:
        reason = layout.unfit(clip)
        if reason is None:
            fit.append(clip)
        else:
            left_out[reason].append(clip.clip_id)
    if fit:
        return fit, dict(left_out)
    if set(left_out) == {NO_MESH}:
        out = request.set_folder
        raise InputUnreadable(
            f"Expected clips with a mesh of the face for --layout {layout.name}, found none in "
            f"{out}: its recipe has no stage mesh, or its weights were absent. Put `- mesh` among "
            "the stages of a recipe that extends yours, get the open weights by `tfw weights fetch "
            f"--open`, and run `tfw curate --out {out} --recipe FILE`; videofolder and webdataset "
            "need no mesh."
        )
    counts = ", ".join(f"{reason}: {len(ids)}" for reason, ids in left_out.items())
    raise InputUnreadable(
        f"Expected clips that {layout.name} can take in {request.set_folder}, found none ({counts})"
        "; choose another --layout or others with --where."
    )


def _write(
    layout: TrainerLayout,
    folder: ExportFolder,
    units: Sequence[Unit],
    missing: Sequence[Unit],
    reporter: Reporter,
) -> None:
    """Write the units that have no record yet, one after another."""
    total = sum(len(unit.clips) for unit in units)
    done = total - sum(len(unit.clips) for unit in missing)
    progress = PartsProgress(f"export for {layout.name}", [Part(_CLIPS, total)])
    progress.begin(_CLIPS, done)
    reporter.progress(progress.snapshot)
    if done:
        reporter.say(f"{done} of {total} clips are there from an earlier run")
    for unit in missing:
        with folder.staging() as staging:
            facts = layout.write(unit, staging, folder.out)
            folder.publish(unit.name, staging, layout.moves(unit), facts)
        done += len(unit.clips)
        progress.update(_CLIPS, done)
        reporter.progress(progress.snapshot)


def _manifest(
    key: dict[str, Any],
    units: Sequence[Unit],
    records: dict[str, dict[str, Any]],
    layout: TrainerLayout,
    left_out: dict[str, list[str]],
) -> dict[str, Any]:
    """What stands in export.json: whence, by which version, each clip with its rights and files."""
    rows = [
        {**clip.facts(layout.side(clip)), "files": list(layout.moves(unit)), **records[unit.name]}
        for unit in units
        for clip in unit.clips
    ]
    return {"version": __version__, "key": key, "clips": rows, "left_out": left_out}


def _result(
    request: ExportRequest, layout: TrainerLayout, manifest: dict[str, Any], written: int
) -> dict[str, Any]:
    rows = manifest["clips"]
    target: Path = request.target
    return {
        "out": target,
        "layout": layout.name,
        "commit": manifest["key"]["commit"],
        "clips": len(rows),
        "frames": sum(row["frames"] for row in rows),
        "seconds": round(sum(row["seconds"] for row in rows), 3),
        "frames_without_face": sum(row.get("frames_without_face", 0) for row in rows),
        "written": written,
        "left_out": {reason: len(ids) for reason, ids in manifest["left_out"].items()},
        "manifest": target / MANIFEST,
        "next": list(layout.next_steps(target)),
    }
