"""The program ``tfw``: a verb is a line of ``VERBS`` and a module ``cli/<verb>.py``, imported only
when typed, that exposes ``app = typer.Typer(add_completion=False)``: one ``@command(app, …)``
makes a plain verb, an ``@app.callback()`` and several commands a group. A verb raises
``TfwError`` and writes through ``output.Output`` alone.
"""

import importlib
import os
import sys
import tempfile
import traceback
from collections.abc import Sequence
from typing import Annotated, Any

import typer
from typer.core import TyperCommand, TyperGroup

from talkingface_wild.cli.output import Output, fresh_output, latest_output
from talkingface_wild.cli.typed_command import remembered, typed_command
from talkingface_wild.core.errors import Interrupted, TfwError
from talkingface_wild.core.log import redact, talk_to_stderr
from talkingface_wild.core.terminal import empty_input
from talkingface_wild.core.version import __version__
from talkingface_wild.pages.terminal.front_page import front_page

_SUMMARIES = {
    "curate": "Make a data set from searches, lists or folders.",
    "recut": "Apply other thresholds without opening a video.",
    "commits": "List, compare, restore and prune a data set's commits.",
    "purge": "Remove finished clips that no commit keeps.",
    "ls": "List clips, kept or rejected, with any measure.",
    "why": "Tell one clip's whole path and where it ended.",
    "status": "Say how far a run is, and what is left.",
    "report": "Write one HTML page on a data set.",
    "export": "Write a data set as a trainer's loader reads it.",
    "calibrate": "Learn lip sync from a data set's own clips.",
    "review": "Give a sample to reviewers and take their words.",
    "bench": "Score talking-face videos; tables; lists; studies.",
    "train": "Train a generator in stages on a data set.",
    "generate": "Make a talking-face video from a portrait and a sound.",
    "cite": "Print BibTeX for what a benchmark run used.",
    "model": "Look into a trained generator.",
    "weights": "List, fetch, import and verify trained weights.",
    "recipes": "List recipes, or show one.",
    "schema": "Print the columns of the data set's tables.",
    "reasons": "Say why items are rejected or fail, and the remedy.",
    "doctor": "Check this machine, and say how to mend it.",
    "help": "Exit codes, environment variables, any verb's help.",
}
VERBS = {name: (f"talkingface_wild.cli.{name}", line) for name, line in _SUMMARIES.items()}
"""Each verb's module and its line in ``tfw --help``, which ``front_page.GROUPS`` orders."""

# Typer brings its own copy of click's errors or click's; its public error leads to either.
_UsageError: Any = typer.BadParameter.__base__
_ShownError: Any = _UsageError.__base__


class LazyVerbs(TyperGroup):
    """Lists the verbs from ``VERBS`` and imports a verb's module only when it is resolved."""

    def __init__(self, **attributes: Any) -> None:
        super().__init__(**attributes)
        for name, (_, summary) in VERBS.items():
            self.commands[name] = TyperCommand(name, help=summary, add_help_option=False)

    def format_help(self, ctx: Any, formatter: Any) -> None:
        """Where to begin and the verbs in groups, in place of Typer's page."""
        records = [parameter.get_help_record(ctx) for parameter in self.get_params(ctx)]
        formatter.write(front_page(self.help or "", _SUMMARIES, [row for row in records if row]))

    def resolve_command(self, ctx: Any, args: list[str]) -> tuple[Any, Any, list[str]]:
        """The real command of a verb in place of the line that the help shows."""
        name, command, rest = super().resolve_command(ctx, args)
        if name in VERBS:
            command = typer.main.get_command(importlib.import_module(VERBS[name][0]).app)
            command.name = name
        return name, command, rest


app = typer.Typer(
    cls=LazyVerbs,
    name="tfw",
    help="Curate, generate, score and compare talking-face video.",
    add_completion=True,
    no_args_is_help=True,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _print_version(is_asked: bool) -> None:
    if is_asked:
        print(f"tfw {__version__}")
        raise typer.Exit


@app.callback()
def _tfw(
    version: Annotated[
        bool,
        typer.Option(
            "--version", callback=_print_version, is_eager=True, help="Print the version and exit."
        ),
    ] = False,
) -> None:
    """Curate, score and compare talking-face video."""


def main() -> None:
    """The console script: run the command line and exit with the documented code.

    No verb reads standard input, so nothing that one starts may either. What was interrupted ends
    without what libraries do at exit, which may wait, and tell of their own troubles.
    """
    empty_input()
    code = run(sys.argv[1:])
    if code == Interrupted.exit_code:
        sys.stderr.flush()
        os._exit(code)
    sys.exit(code)


def run(arguments: Sequence[str]) -> int:
    """Run one command line and give its exit code; no exception leaves, no traceback is shown."""
    options = list(arguments[: arguments.index("--")] if "--" in arguments else arguments)
    as_json = "--json" in options and not {"-h", "--help"} & set(options)
    talk_to_stderr()
    try:
        with fresh_output(only_results_on_stdout=as_json), remembered(arguments):
            code, sentence = _outcome(list(arguments))
            if sentence:
                print(sentence, file=sys.stderr)
            output = latest_output() or Output(_typed_verb(options), as_json)
            if as_json and code and not output.done:
                output.write_object(False, {"error": sentence, "exit_code": code})
        sys.stdout.flush()
    except BrokenPipeError:
        # Whoever read stdout has gone; what is left to write goes nowhere, without a word.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    return code


def _outcome(arguments: list[str]) -> tuple[int, str]:
    """The exit code, and the sentence to show for what went wrong."""
    try:
        command = typer.main.get_command(app)
        code = command.main(arguments, prog_name="tfw", standalone_mode=False)
    except TfwError as error:
        return error.exit_code, redact(str(error))
    except _ShownError as error:
        if error.__class__.__name__ == "NoArgsIsHelpError":
            error.show()
            return 2, ""
        hint = f" Try '{error.ctx.command_path} --help'." if getattr(error, "ctx", None) else ""
        sentence = error.format_message().strip()
        stop = "" if sentence.endswith((".", "?", "!")) else "."
        return error.exit_code, f"{sentence}{stop}{hint}"
    except (KeyboardInterrupt, typer.Abort):
        return 130, _interrupted()
    except BrokenPipeError:
        raise
    except SystemExit as error:
        # Typer and rich answer a broken pipe by leaving with 1; here it is no failure.
        if isinstance(error.__context__, BrokenPipeError):
            raise error.__context__ from error
        return error.code if isinstance(error.code, int) else int(error.code is not None), ""
    except Exception as error:
        if os.environ.get("TFW_DEBUG") == "1":
            traceback.print_exc()
        return 1, _unexpected(error)
    output = latest_output()
    if code == 130 and not (output is not None and output.done):
        return 130, _interrupted()
    return code if isinstance(code, int) else 0, ""


def _interrupted() -> str:
    return f"Interrupted; what was done is kept, go on with: {typed_command(without=['--fresh'])}"


def _unexpected(error: Exception) -> str:
    """One sentence for what nobody foresaw, and the file that holds the traceback."""
    sentence = redact(f"{type(error).__name__}: {error}".strip().splitlines()[0][:300])
    try:
        handle, name = tempfile.mkstemp(prefix="tfw-traceback-", suffix=".txt")
        with os.fdopen(handle, "w", encoding="utf-8") as stream:
            stream.write(redact("".join(traceback.format_exception(error))))
    except OSError:
        return f"Unexpected error: {sentence}; run again with TFW_DEBUG=1 to see where."
    return f"Unexpected error: {sentence}; the traceback is in {name}, please report it."


def _typed_verb(options: list[str]) -> str:
    """The verb as far as it can be told from the words typed: ``weights list``, ``curate``."""
    words = [word for word in options if not word.startswith("-")]
    groups = {"weights", "recipes", "review", "bench", "model"}
    return " ".join(words[: 2 if words and words[0] in groups else 1]) or "tfw"


if __name__ == "__main__":
    main()
