"""``tfw recipes``: the recipes that come with the package, and one of them with every setting."""

import typer

from talkingface_wild.cli.options import command, options_of
from talkingface_wild.cli.output import Output, examples
from talkingface_wild.core.request import Request
from talkingface_wild.jobs.recipes import RecipeRequest, recipe_text, summaries

app = typer.Typer(add_completion=False, no_args_is_help=True)


@app.callback()
def recipes() -> None:
    """List recipes, or show one."""


@app.command("list", epilog=examples("tfw recipes list"))
@options_of(Request)
def list_recipes(request: Request, output: Output) -> None:
    """The recipes that come with the package."""
    rows = [{"name": name, "summary": summary} for name, summary in summaries().items()]
    output.result(rows, "\n".join(f"{row['name']:18} {row['summary']}" for row in rows))


@command(app, RecipeRequest)
def show(request: RecipeRequest, output: Output) -> None:
    """A recipe with every setting resolved, as YAML that --recipe takes."""
    data, text = recipe_text(request)
    output.result(data, text)
