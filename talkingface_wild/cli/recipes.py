"""``tfw recipes``: the recipes that come with the package, and one of them with every setting."""

from typing import Annotated

import typer

from talkingface_wild.cli.output import JsonOption, Output, examples

app = typer.Typer(add_completion=False, no_args_is_help=True)


@app.callback()
def recipes() -> None:
    """List recipes, or show one."""


@app.command("list", epilog=examples("tfw recipes list"))
def list_recipes(json: JsonOption = False) -> None:
    """The recipes that come with the package."""
    output = Output("recipes list", json)
    from talkingface_wild.pipelines.recipe import load_recipe, recipe_names

    rows = [{"name": name, "summary": load_recipe(name).summary} for name in recipe_names()]
    output.result(rows, human="\n".join(f"{row['name']:18} {row['summary']}" for row in rows))


@app.command(
    epilog=examples(
        "tfw recipes show embedded",
        "tfw recipes show talkingface_wild --set gates.sync=3.5 > mine.yaml",
        "tfw recipes show talkingface_wild --table",
    )
)
def show(
    name: Annotated[str, typer.Argument(help="A recipe's name, or a YAML file.")],
    settings: Annotated[
        list[str] | None, typer.Option("--set", help="stage.field=value or gates.NAME=bound")
    ] = None,
    table: Annotated[
        bool, typer.Option("--table", help="Its stages and gates as a Markdown table instead.")
    ] = False,
    json: JsonOption = False,
) -> None:
    """A recipe with every setting resolved, as YAML that --recipe takes."""
    output = Output("recipes show", json)
    import yaml

    from talkingface_wild.pipelines.recipe import load_recipe

    recipe = load_recipe(name, settings or [])
    text = recipe.dump().rstrip("\n")
    if table:
        from talkingface_wild.pipelines.stage_table import stage_table

        text = stage_table(recipe)
    output.result(yaml.safe_load(recipe.dump()), human=text)
