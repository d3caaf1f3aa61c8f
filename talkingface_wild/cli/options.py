"""A verb's options and their help, derived from the request of its job."""

import functools
import inspect
import types
from collections.abc import Callable, Mapping, Sequence
from typing import Annotated, Any, Literal, Union, get_args, get_origin

import typer
from annotated_types import Ge, Le
from pydantic.fields import FieldInfo

from talkingface_wild.cli.output import JsonOption
from talkingface_wild.core.errors import UsageError
from talkingface_wild.core.request import OPTION, SHOWN_DEFAULT, Request, WrongField


def options_of(
    request: type[Request], after: Mapping[str, Sequence[str]] | None = None
) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Decorates ``verb(request, json)`` as a Typer command; it may take ``ctx`` and options too.

    Each field becomes an option: its name, type, bounds and default are the field's, its help is
    the field's docstring. The verb's own options come last, but for those that ``after`` names by
    the field that they follow.
    """
    spelled = {name: _flag(name, field) for name, field in request.model_fields.items()}

    def decorate(verb: Callable[..., None]) -> Callable[..., None]:
        signature = inspect.signature(verb, eval_str=True).parameters
        own = {name: p for name, p in signature.items() if name not in ("ctx", "request", "json")}

        @functools.wraps(verb)
        def call(**values: Any) -> None:
            typed = {name: values.pop(name) for name in spelled}
            given = {name: value for name, value in typed.items() if value is not None}
            try:
                values["request"] = request(**given)
            except WrongField as error:
                raise UsageError(f"{spelled[error.field]} expects {error.expected}") from None
            verb(**values)

        parameters = [_parameter("ctx", typer.Context)] * ("ctx" in signature)
        placed = [name for names in (after or {}).values() for name in names]
        for name, field in request.model_fields.items():
            parameters.append(_option(name, field, spelled[name]))
            parameters += [own[each] for each in (after or {}).get(name, ())]
        parameters += [parameter for name, parameter in own.items() if name not in placed]
        parameters.append(_parameter("json", JsonOption, default=False))
        keyword = inspect.Parameter.KEYWORD_ONLY
        parameters = [parameter.replace(kind=keyword) for parameter in parameters]
        call.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
        call.__annotations__ = {}
        return call

    return decorate


def _flag(name: str, field: FieldInfo) -> str:
    extra = field.json_schema_extra
    own = extra.get(OPTION) if isinstance(extra, dict) else None
    return str(own or f"--{name.replace('_', '-')}")


def _option(name: str, field: FieldInfo, flag: str) -> inspect.Parameter:
    kind: Any = field.annotation
    default = None if field.default_factory is not None else field.default
    if field.is_required():
        default = inspect.Parameter.empty
    words: tuple[str, ...] = (flag,)
    if kind == bool | None:
        words = (f"{flag}/--no-{flag.removeprefix('--')}",)
    extra = field.json_schema_extra
    if isinstance(extra, dict) and SHOWN_DEFAULT in extra:
        kind, default = str, extra[SHOWN_DEFAULT]
    elif get_origin(kind) is tuple:
        kind, default = list[str] | None, None
    elif get_origin(kind) is Literal:
        kind = str
    elif field.default_factory is not None:
        kind = kind | None
    bounds: dict[str, Any] = {}
    for rule in [*field.metadata, *_inner(kind)]:
        if isinstance(rule, Ge):
            bounds["min"] = rule.ge
        if isinstance(rule, Le):
            bounds["max"] = rule.le
    option = typer.Option(*words, help=" ".join((field.description or "").split()), **bounds)
    return _parameter(name, Annotated[kind, option], default)


def _inner(kind: Any) -> list[Any]:
    """Bounds that stand inside ``Annotated[…] | None``."""
    if get_origin(kind) is Annotated:
        rules = get_args(kind)[1:]
        return [each for rule in rules for each in getattr(rule, "metadata", (rule,))]
    if get_origin(kind) in (Union, types.UnionType):
        return [rule for part in get_args(kind) for rule in _inner(part)]
    return []


def _parameter(
    name: str, annotation: Any, default: Any = inspect.Parameter.empty
) -> inspect.Parameter:
    keyword = inspect.Parameter.KEYWORD_ONLY
    return inspect.Parameter(name, keyword, default=default, annotation=annotation)
