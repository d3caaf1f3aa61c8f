"""Options that come from a request: names, bounds, help, and what the verb is handed."""

from pathlib import Path

import pytest
import typer
from pydantic import Field
from typer.testing import CliRunner

from talkingface_wild.cli.options import options_of
from talkingface_wild.core.errors import UsageError
from talkingface_wild.core.request import ARGUMENT, OPTION, Request


class Errand(Request):
    """What a test asks for."""

    who: str
    """Who goes."""
    target: Path | None = None
    """Where it
    goes."""
    pace: float | None = Field(None, ge=0.5, le=2)
    """How fast."""
    careful: bool | None = None
    """Look twice."""
    quiet: bool = Field(False, json_schema_extra={OPTION: "--hush"})
    """Say nothing."""
    names: tuple[str, ...] = ()
    """Whom to ask; repeatable."""
    out: Path = Field(default_factory=lambda values: Path("out") / str(values["target"]))
    """Default: by the target."""


@pytest.fixture
def run():
    """``run(*words)`` gives the exit code, what was printed, and the requests."""
    app, requests = typer.Typer(), []

    @app.command()
    @options_of(Errand)
    def errand(request, json):
        """Go."""
        requests.append((request, json))

    def invoke(*words):
        result = CliRunner().invoke(app, words, env={"COLUMNS": "200"})
        return result.exit_code, result.output, requests

    return invoke


def test_the_request_has_what_was_typed_and_its_own_defaults(run):
    words = [
        "--who",
        "me",
        "--target",
        "x",
        "--no-careful",
        "--hush",
        "--names",
        "a",
        "--names",
        "b",
        "--json",
    ]
    assert run(*words)[0] == 0
    assert run("--who", "me")[0] == 0
    (typed, json), (bare, no_json) = run()[2][:2]
    assert (typed.target, typed.careful, typed.quiet, json) == (Path("x"), False, True, True)
    assert typed.names == ("a", "b") and typed.out == Path("out/x")
    assert (bare.pace, bare.careful, bare.names, no_json) == (None, None, (), False)


def test_help_is_the_fields_docstrings_and_bounds_hold(run):
    shown = run("--help")[1]
    for words in ("Where it goes.", "How fast.", "--careful", "--no-careful", "--hush"):
        assert words in shown
    assert run("--who", "me", "--pace", "3")[0] == 2
    code, text, _ = run()
    assert code == 2 and "Missing option '--who'" in text


def test_a_request_in_python_is_held_to_the_same():
    with pytest.raises(UsageError, match="pace expects less than or equal to 2, found 9"):
        Errand(who="me", pace=9)
    with pytest.raises(UsageError, match="did you mean 'target'"):
        Errand(who="me", traget="x")


class Parcel(Request):
    """What a test sends."""

    to: Path = Field(json_schema_extra={ARGUMENT: "PLACE"})
    """Where it goes."""
    stops: tuple[int, ...] = Field((), json_schema_extra={ARGUMENT: ""})
    """On the way."""
    weight: int = Field(5, ge=1)
    """In kilograms."""
    insured: bool = True
    """For its value."""
    every: bool = Field(False, json_schema_extra={OPTION: "--all -a"})
    """All of them."""


def test_arguments_flags_and_the_output_of_the_command_as_typed():
    app, sent = typer.Typer(), []

    @app.callback()
    def post():
        """Send things."""

    @app.command()
    @options_of(Parcel)
    def send(request, output):
        """Send it."""
        sent.append((request, output.command, output.json))

    def invoke(*words):
        return CliRunner().invoke(app, ["send", *words], prog_name="tfw", env={"COLUMNS": "200"})

    shown = invoke("--help").output
    for words in ("PLACE", "stops", "--insured", "--no-insured", "--all", "-a", "x>=1"):
        assert words in shown
    assert invoke("here", "1", "2", "-a", "--no-insured", "--json").exit_code == 0
    assert invoke("there").exit_code == 0 and invoke("there", "x").exit_code == 2
    assert invoke().exit_code == 2
    (parcel, command, json), (bare, _, no_json) = sent
    assert (parcel.to, parcel.stops, parcel.every) == (Path("here"), (1, 2), True)
    assert (parcel.insured, command, json, no_json) == (False, "send", True, False)
    assert bare == Parcel(to="there")
