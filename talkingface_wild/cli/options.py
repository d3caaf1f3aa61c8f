"""A verb's options and their help, derived from the request of its job."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from typing import Annotated, Any, get_origin

import typer
from annotated_types import Ge, Le
from pydantic.fields import FieldInfo

from talkingface_wild.cli.output import JsonOption
from talkingface_wild.core.request import OPTION, Request


def options_of(request: type[Request]) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Decorates ``verb(request, json)``, or ``verb(ctx, request, json)``, as a Typer command.

    Each field becomes an option: its name, type, bounds and default are the field's, its help is
    the field's docstring.
    """

    def decorate(verb: Callable[..., None]) -> Callable[..., None]:
        takes_context = "ctx" in inspect.signature(verb).parameters

        @functools.wraps(verb)
        def call(**values: Any) -> None:
            context = [values.pop("ctx")] if takes_context else []
            json = values.pop("json")
            typed = {name: value for name, value in values.items() if value is not None}
            verb(*context, request(**typed), json)

        parameters = [_parameter("ctx", typer.Context)] * takes_context
        parameters += [_option(name, field) for name, field in request.model_fields.items()]
        parameters.append(_parameter("json", JsonOption, default=False))
        call.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
        call.__annotations__ = {}
        return call

    return decorate


def _option(name: str, field: FieldInfo) -> inspect.Parameter:
    kind: Any = field.annotation
    default = None if field.default_factory is not None else field.default
    if field.is_required():
        default = inspect.Parameter.empty
    extra = field.json_schema_extra
    flag = str(extra[OPTION]) if isinstance(extra, dict) else f"--{name.replace('_', '-')}"
    words: tuple[str, ...] = (flag,)
    if kind == bool | None:
        words = (f"{flag}/--no-{flag.removeprefix('--')}",)
    if get_origin(kind) is tuple:
        kind, default = list[str] | None, None
    elif field.default_factory is not None:
        kind = kind | None
    bounds: dict[str, Any] = {}
    for rule in field.metadata:
        if isinstance(rule, Ge):
            bounds["min"] = rule.ge
        if isinstance(rule, Le):
            bounds["max"] = rule.le
    option = typer.Option(*words, help=" ".join((field.description or "").split()), **bounds)
    return _parameter(name, Annotated[kind, option], default)


def _parameter(
    name: str, annotation: Any, default: Any = inspect.Parameter.empty
) -> inspect.Parameter:
    keyword = inspect.Parameter.KEYWORD_ONLY
    return inspect.Parameter(name, keyword, default=default, annotation=annotation)
