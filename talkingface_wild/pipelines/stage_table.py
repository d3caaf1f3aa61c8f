"""A recipe's stages and gates as a Markdown table: for a paper, and for this project's README."""

import importlib

from talkingface_wild.core.gate import Gate
from talkingface_wild.pipelines.recipe import Recipe
from talkingface_wild.pipelines.schema import giving_stages
from talkingface_wild.pipelines.stages import stage_class

_SIGNS = {">=": "≥", "<=": "≤", "==": "=", "!=": "≠", ">": ">", "<": "<"}


def stage_table(recipe: Recipe) -> str:
    """Stages in order, each with what it finds and the gates that judge it, as Markdown.

    A gate stands at the last stage that gives its column, where the column is final.
    """
    classes = {choice.name: stage_class(choice.name) for choice in recipe.stages}
    columns = giving_stages(recipe)
    lines = ["| stage | what | gates |", "|---|---|---|"]
    for name, stage in classes.items():
        final = {c.name: c for c, stages in columns.values() if stages[-1] == name}
        gates = [_words(g, final[g.column].unit) for g in recipe.gates if g.column in final]
        lines.append(f"| {name} | {_purpose(stage)} | {', '.join(gates) or '–'} |")
    return "\n".join(lines)


def _purpose(stage: type) -> str:
    """The first sentence of the module that holds the stage."""
    words = (importlib.import_module(stage.__module__).__doc__ or "").strip().split("\n")[0]
    sentence, stop, _ = words.partition(". ")
    return sentence.rstrip(".") if stop else words.rstrip(".")


def _words(gate: Gate, unit: str) -> str:
    bound = str(gate.bound).lower() if isinstance(gate.bound, bool) else gate.bound
    shown = f"{bound:g}" if isinstance(bound, float | int) else bound or '""'
    words = f"`{gate.column}` {_SIGNS[gate.comparison]} {shown}"
    if unit and unit != "frames":
        words += f" {unit}"
    for language, other in gate.per_group.items():
        words += f", {language} {other}"
    return words
