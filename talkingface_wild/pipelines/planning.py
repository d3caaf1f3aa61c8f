"""From a resolved recipe to a plan: the weights and extras that are there, and what is missing."""

import dataclasses
import importlib.util
import json
from collections.abc import Sequence
from typing import Any

from talkingface_wild import weights
from talkingface_wild.core.errors import ExtraMissing, RecipeError, UsageError, WeightMissing
from talkingface_wild.engine.plan import Plan, make_plan
from talkingface_wild.engine.stage import Resources
from talkingface_wild.pipelines.recipe import Recipe, StageChoice
from talkingface_wild.pipelines.stages import stage_class

_EXTRAS = {"dlib": "identity", "faster_whisper": "language"}
"""The extra that brings a package, where it has another name."""


def missing_weights(choice: StageChoice) -> list[str]:
    """Names of the weights that a stage's settings ask for and this machine lacks."""
    return [
        name
        for name in stage_class(choice.name).weights(choice.config)
        if weights.find(name) is None
    ]


def missing_extras(choice: StageChoice) -> list[str]:
    """Import names of optional packages that a stage's settings ask for and that are missing."""
    packages = stage_class(choice.name).requires(choice.config)
    return [name for name in packages if importlib.util.find_spec(name) is None]


def install_line(package: str) -> str:
    """The command that installs an optional package."""
    return f"pip install 'talkingface-wild[{_EXTRAS.get(package, package)}]'"


def why_unmeasured(choice: StageChoice) -> str | None:
    """The reason why a stage will not run here, or None when it can."""
    lacking = [f"weight {name} is missing" for name in missing_weights(choice)]
    lacking += [
        f"package {name} is not installed ({install_line(name)})" for name in missing_extras(choice)
    ]
    return "; ".join(lacking) or None


def check_weights(recipe: Recipe) -> None:
    """Raise WeightMissing or ExtraMissing for all that required stages lack, in one sentence."""
    lacking: list[str] = []
    for choice in recipe.stages:
        if choice.weights != "required":
            continue
        lacking += missing_weights(choice)
        for name in missing_extras(choice):
            raise ExtraMissing(
                f"Stage {choice.name} of recipe {recipe.name} needs the package {name}, "
                f"which is not installed; install it with: {install_line(name)}"
            )
    if lacking:
        names = list(dict.fromkeys(lacking))
        of_hub = all(isinstance(weights.entry(name), weights.HubWeight) for name in names)
        place = "the hub's cache" if of_hub else weights.default_store().folder
        imports = (
            ", or `tfw weights import DIR` from files you have, or set TFW_WEIGHTS to their folder"
        )
        raise WeightMissing(
            f"Recipe {recipe.name} needs the weights {', '.join(names)}, "
            f"found none of them in {place}; "
            f"get them with `tfw weights fetch {' '.join(names)}`{'' if of_hub else imports} "
            "(`--recipe embedded` needs none)."
        )


def plan_of(recipe: Recipe, score_all: bool = False) -> Plan:
    """The plan of a recipe on this machine; call ``check_weights`` first for a clear refusal."""
    stages = [(stage_class(c.name), c.config, why_unmeasured(c)) for c in recipe.stages]
    try:
        return make_plan(stages, recipe.gates, weights.sha256, score_all)
    except KeyError as error:
        raise RecipeError(
            f"Recipe {recipe.name}: expected an earlier stage to give the column "
            f"{error.args[0]!r}, found none; add the stage that gives it (`tfw schema` names it), "
            "or put the stages in the order of `tfw recipes show`."
        ) from None


def with_required(plan: Plan, recipe: Recipe) -> Plan:
    """The plan of a machine that has all that required stages need: no run begins without it."""
    required = {choice.name for choice in recipe.stages if choice.weights == "required"}
    stages = tuple(
        dataclasses.replace(planned, unmeasured=None) if planned.name in required else planned
        for planned in plan.stages
    )
    return dataclasses.replace(plan, stages=stages)


def without_network(plan: Plan) -> Plan:
    """The plan for local sources alone: finding a file needs no pool of its own."""
    stages = tuple(
        dataclasses.replace(planned, pool=Resources()) if planned.pool.network else planned
        for planned in plan.stages
    )
    return dataclasses.replace(plan, stages=stages)


def check_commercial(recipe: Recipe) -> None:
    """Nothing, or UsageError: the recipe would use a weight whose licence forbids what is sold."""
    refusals = []
    for choice in recipe.stages:
        for name in stage_class(choice.name).weights(choice.config):
            weight = weights.entry(name)
            used = choice.weights == "required" or weights.find(name) is not None
            if used and not weight.commercial:
                refusals.append(f"{name} of the stage {choice.name} ({weight.licence})")
    if refusals:
        raise UsageError(
            f"Expected weights that may be used commercially alone, found {'; '.join(refusals)}; "
            "choose other networks with --set or another recipe ('tfw weights list' says which "
            "are free), or leave out --commercial-only."
        )


def plan_summary(recipe: Recipe) -> list[dict[str, Any]]:
    """One row per stage for ``--plan``: weights present and missing, gates."""
    rows: list[dict[str, Any]] = []
    for choice in recipe.stages:
        cls = stage_class(choice.name)
        names: Sequence[str] = cls.weights(choice.config)
        gates = [g for g in recipe.gates if g.column in {c.name for c in cls.columns}]
        rows.append(
            {
                "stage": choice.name,
                "weights_present": [name for name in names if weights.find(name) is not None],
                "weights_missing": missing_weights(choice),
                "policy": choice.weights,
                "runs": why_unmeasured(choice) is None,
                "gates": [f"{g.name}: {g.column} {g.comparison} {_shown(g.bound)}" for g in gates],
            }
        )
    return rows


def _shown(bound: Any) -> str:
    """A gate's bound; text in quotes, so that an empty one is seen."""
    return json.dumps(bound, ensure_ascii=False) if isinstance(bound, str) else str(bound)
