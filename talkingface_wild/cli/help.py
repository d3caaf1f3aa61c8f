"""``tfw help``: the topics that belong to no verb, and any verb's help."""

from typing import Annotated, Any

import typer

from talkingface_wild.cli.output import JsonOption, Output, examples
from talkingface_wild.core.errors import UsageError, nearest
from talkingface_wild.pages.terminal.topics import EXAMPLES, TOPICS, topics_page

app = typer.Typer(add_completion=False)


@app.command(epilog=examples(*EXAMPLES))
def help(
    ctx: typer.Context,
    words: Annotated[
        list[str] | None, typer.Argument(metavar="[TOPIC|VERB…]", help="Without it: the topics.")
    ] = None,
    markdown: Annotated[
        bool, typer.Option("--markdown", help="Print a topic as a Markdown page.")
    ] = False,
    json: JsonOption = False,
) -> None:
    """Tell of exit codes or the environment, or show a verb's help as VERB --help does."""
    output = Output("help", json)
    if not words:
        rows = [{"topic": name, "summary": topic.summary} for name, topic in TOPICS.items()]
        output.result(rows, topics_page())
    elif words[0] in TOPICS:
        if len(words) > 1:
            raise UsageError(f"A topic stands alone, found {' '.join(words[1:])!r} after it.")
        topic = TOPICS[words[0]]
        rows = [{topic.column: name, "meaning": meaning} for name, meaning in topic.rows]
        output.result(rows, topic.markdown() if markdown else topic.text())
    elif markdown:
        raise UsageError(
            f"--markdown expects one of the topics {', '.join(TOPICS)}, found "
            f"{' '.join(words)!r}{nearest(words[0], TOPICS)}."
        )
    else:
        _show_verb(output, ctx, words)


def _show_verb(output: Output, ctx: typer.Context, words: list[str]) -> None:
    """What ``tfw WORDS --help`` prints. Raises UsageError for a word that is no verb."""
    context: Any = ctx.find_root()
    for place, word in enumerate(words):
        below = getattr(context.command, "commands", {})
        if word not in below:
            names = [*below, *(TOPICS if place == 0 else ())]
            kind = "a topic or a verb" if place == 0 else f"a verb below {context.command_path!r}"
            raise UsageError(
                f"Expected {kind}, found {word!r}{nearest(word, names)}; tfw help lists the "
                "topics, tfw --help the verbs."
            )
        _, command, _ = context.command.resolve_command(context, [word])
        context = type(ctx)(command, info_name=word, parent=context)
    data = {"verb": " ".join(words), "help": _text(context)} if output.json else None
    output.result(data, lambda: context.get_help() or None)


def _text(context: Any) -> str:
    """The help as text; typer prints it to stdout instead of giving it."""
    import contextlib
    import io

    with contextlib.redirect_stdout(io.StringIO()) as page:
        text = context.get_help()
    return str(text or page.getvalue()).strip()
