"""Recipes: what there are, and one with every setting."""

from typing import Any, ClassVar

import yaml
from pydantic import Field

from talkingface_wild.core.request import ARGUMENT, OPTION, Request


class RecipeRequest(Request):
    """A recipe, and what is changed in it."""

    EXAMPLES: ClassVar = (
        "tfw recipes show embedded",
        "tfw recipes show talkingface_wild --set gates.sync=3.5 > mine.yaml",
        "tfw recipes show talkingface_wild --table",
    )

    name: str = Field(json_schema_extra={ARGUMENT: ""})
    """A recipe's name, or a YAML file."""
    settings: tuple[str, ...] = Field((), json_schema_extra={OPTION: "--set"})
    """stage.field=value or gates.NAME=bound"""
    table: bool = False
    """Its stages and gates as a Markdown table instead."""


def summaries() -> dict[str, str]:
    """What each recipe of the package is for, by name."""
    from talkingface_wild.pipelines.recipe import load_recipe, recipe_names

    return {name: load_recipe(name).summary for name in recipe_names()}


def recipe_text(request: RecipeRequest) -> tuple[Any, str]:
    """The recipe as plain data, and as YAML or as a Markdown table. Raises RecipeError."""
    from talkingface_wild.pipelines.recipe import load_recipe
    from talkingface_wild.pipelines.stage_table import stage_table

    recipe = load_recipe(request.name, request.settings)
    text = recipe.dump()
    return yaml.safe_load(text), stage_table(recipe) if request.table else text.rstrip("\n")
