"""``tfw calibrate sync``: a data set learns lip sync from its own clips, and is judged by it."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any, ClassVar

from pydantic import Field

from talkingface_wild.core.errors import InputUnreadable, UsageError
from talkingface_wild.core.reporter import Reporter
from talkingface_wild.core.request import DatasetRequest

if TYPE_CHECKING:
    from talkingface_wild.dataset.layout import Layout
    from talkingface_wild.pipelines.lips_calibration import SpeechClip

LEAST_SPEECH = 0.2
"""Clips of a smaller share of speech teach nothing and are not judged."""


class CalibrateRequest(DatasetRequest):
    """How a data set trains its own lip sync."""

    EXAMPLES: ClassVar = (
        "tfw calibrate sync my_set  # needs your own files",
        "tfw calibrate sync my_set --by-language --folds 10  # needs your own files",
    )

    by_language: bool = False
    """Networks of its own for each language."""
    folds: int = Field(5, ge=2)
    """So many networks, each judging the sources that it did not see."""
    seed: int = 0
    """Of what is drawn."""
    false_accepts: float = Field(0.05, gt=0, lt=1)
    """Share of wrong sounds that the thresholds let pass."""


def calibrate_sync(request: CalibrateRequest, reporter: Reporter) -> dict[str, Any]:
    """Train, judge, and commit the columns lips_*: thresholds by language, and the commit.

    Raises InputUnreadable where there is too little to judge by, UsageError for a set whose recipe
    has no stage lips, or no mesh. Nothing is written before all is trained.
    """
    from talkingface_wild.dataset.layout import Layout
    from talkingface_wild.dataset.load import load
    from talkingface_wild.engine.lock import folder_lock
    from talkingface_wild.jobs.recut import recommit
    from talkingface_wild.pipelines.lips_agreement import sync_agreement
    from talkingface_wild.pipelines.lips_calibration import calibrate
    from talkingface_wild.pipelines.lips_scores import write_calibration

    layout = Layout(request.out.absolute())
    clips, tracks = _speech_clips(layout)
    groups = {"": clips}
    if request.by_language:
        groups = {language: [] for language in sorted({clip.language for clip in clips})}
        for clip in clips:
            groups[clip.language].append(clip)
    answers = []
    for language, own in groups.items():
        where = f"{language}: " if language else ""
        try:
            answers.append(
                calibrate(
                    own,
                    request.folds,
                    request.seed,
                    request.false_accepts,
                    listen=lambda done, of, where=where: reporter.say(  # type: ignore[misc]
                        f"{where}network {done} of {of} is trained"
                    ),
                )
            )
        except InputUnreadable as error:
            if not language:
                raise
            reporter.warn(f"{language} cannot be judged: {error}")
    if not answers:
        raise InputUnreadable(
            f"Expected a language of {request.out} with enough speech, found none; leave out "
            "--by-language, or add videos."
        )
    with folder_lock(layout.out):
        write_calibration(layout.out, answers, tracks)
    commit = recommit(request.out)
    scores = [score for answer in answers for score in answer.scores.values()]
    thresholds = [
        threshold
        for answer in answers
        for threshold in answer.thresholds
        if not request.by_language or threshold.language != "all"
    ]
    bounds = {row.language: row.threshold for row in thresholds if row.threshold is not None}
    agreement = sync_agreement(load(layout.out, "clips"), bounds)
    return {
        "out": request.out,
        "commit": commit.number,
        "clips": len(clips),
        "judged": sum(score.match is not None for score in scores),
        "thresholds": [dataclasses.asdict(threshold) for threshold in thresholds],
        "left_out": sorted(name for answer in answers for name in answer.left_out),
        "beside_syncnet": None if agreement is None else dataclasses.asdict(agreement),
    }


def _speech_clips(layout: Layout) -> tuple[list[SpeechClip], dict[str, str]]:
    """The kept clips in which somebody speaks, and the mesh track of each."""
    from talkingface_wild.dataset.load import load
    from talkingface_wild.pipelines.lips_calibration import SpeechClip
    from talkingface_wild.pipelines.lips_scores import read_windows
    from talkingface_wild.pipelines.recipe import load_recipe

    table = load(layout.out, "clips")
    recipe = load_recipe(str(layout.latest() / "recipe.yaml"))
    if "lips" not in {choice.name for choice in recipe.stages}:
        raise UsageError(
            f"Expected the stages mesh and lips in the recipe of {layout.out}, found none; run "
            f"`tfw curate --out {layout.out} --recipe NAME` with one that has both (embedded)."
        )
    columns = ["clip_id", "source_id", "language", "mesh_track", "speech_ratio"]
    rows = table.reindex(columns=columns).dropna(subset=["mesh_track"])
    if not len(rows):
        raise InputUnreadable(
            f"Expected clips of {layout.out} with a mesh, found none of {len(table)}; get the open "
            f"weights by `tfw weights fetch --open`, then run `tfw curate --out {layout.out}`."
        )
    spoken = rows[rows["speech_ratio"].fillna(1.0).astype(float) >= LEAST_SPEECH]
    clips, tracks = [], {}
    for clip_id, source, language, track in spoken[columns[:4]].itertuples(index=False):
        windows = read_windows(layout.out / str(track))
        if windows is not None:
            clips.append(SpeechClip(str(clip_id), str(source), str(language), windows))
            tracks[str(clip_id)] = str(track)
    return clips, tracks
