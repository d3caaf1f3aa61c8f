"""A verb made for a test: registered like the real ones, imported only when it is typed."""

import sys
import types

import pytest
import typer

from talkingface_wild.cli import main


@pytest.fixture
def verb(monkeypatch):
    """``verb(function)`` registers ``tfw probe``, which runs ``function(output)``."""

    def register(function):
        from talkingface_wild.cli.output import JsonOption, Output

        module = types.ModuleType("tests_cli_probe")
        module.app = typer.Typer(add_completion=False)

        @module.app.command()
        def probe(json: JsonOption = False) -> None:
            """A verb for a test."""
            function(Output("probe", json))

        monkeypatch.setitem(sys.modules, "tests_cli_probe", module)
        monkeypatch.setitem(main.VERBS, "probe", ("tests_cli_probe", "A verb for a test."))

    return register
