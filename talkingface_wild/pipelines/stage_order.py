"""Where a recipe's stages stand: a new one behind what it needs, nothing measured behind encode."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from talkingface_wild.core.config import Document
from talkingface_wild.core.errors import RecipeError, nearest
from talkingface_wild.engine.plan import needs_of
from talkingface_wild.pipelines.stages import stage_class

Settings = dict[str, Any]


def merged(
    base: Mapping[str, Settings], own: Mapping[str, Settings], document: Document
) -> dict[str, Settings]:
    """The stages of ``base`` with those of a recipe that extends it.

    A new stage comes right behind the last one that gives what it needs (a measure of clips: behind
    the last split, at least), or behind the one that its setting ``after`` names.
    """
    stages = {name: dict(settings) for name, settings in base.items()}
    for name, settings in own.items():
        settings = dict(settings)
        after = settings.pop("after", None)
        is_new = name not in stages
        stages[name] = {**stages.get(name, {}), **settings}
        if after is not None:
            _move(stages, name, _named(after, name, stages, document))
        elif is_new and base:
            _move(stages, name, _last_needed(name, [other for other in stages if other != name]))
    return stages


def check_order(names: Sequence[str], document: Document) -> None:
    """Raise RecipeError where a stage that measures stands behind one that makes files of what is
    kept: it would decode all again, and what it rejects would have been encoded.
    """
    maker = None
    for name in names:
        stage = stage_class(name)
        if stage.kind != "whole" and maker is not None:
            raise RecipeError(
                f"{document.where(line_of(document, name))}: expected every stage that measures "
                f"before {maker}, found {name} behind it; put it earlier, or leave its place to "
                "the recipe that it extends."
            )
        if stage.kind != "whole" and not stage.scored:
            maker = name


def line_of(document: Document, name: str) -> tuple[str, ...]:
    """The path of keys at which a document sets a stage."""
    for path in document.lines:
        if len(path) == 3 and path[0] == "stages" and path[2] == name:
            return path
    return ("stages",)


def _named(after: Any, name: str, stages: Iterable[str], document: Document) -> str:
    others = [other for other in stages if other != name]
    if after not in others:
        raise RecipeError(
            f"{document.where((*line_of(document, name), 'after'))}: {name}.after expects another "
            f"stage of the recipe, found {after!r}{nearest(str(after), others)}."
        )
    return str(after)


def _last_needed(name: str, others: Sequence[str]) -> str | None:
    """The last of the other stages that has to come before a new one; None: it may come first."""
    stage = stage_class(name)
    needs = set(needs_of(stage))
    last = None
    for other in others:
        giver = stage_class(other)
        gives = {column.name for column in giver.columns}
        makes_clips = giver.kind == "split" and stage.level == "clip"
        if gives & needs or makes_clips:
            last = other
    return last


def _move(stages: dict[str, Settings], name: str, behind: str | None) -> None:
    """Put a stage right behind another, or first."""
    settings = stages.pop(name)
    rest = dict(stages)
    stages.clear()
    if behind is None:
        stages[name] = settings
    for other, others_settings in rest.items():
        stages[other] = others_settings
        if other == behind:
            stages[name] = settings
