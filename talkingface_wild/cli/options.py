"""A verb's arguments and options with their help, derived from the request of its job."""

import functools
import inspect
import types
from collections.abc import Callable, Mapping, Sequence
from typing import Annotated, Any, Literal, Union, get_args, get_origin

import typer
from annotated_types import Ge, Le
from pydantic.fields import FieldInfo

from talkingface_wild.cli.output import JsonOption, Output, examples
from talkingface_wild.core.errors import UsageError
from talkingface_wild.core.request import (
    ARGUMENT,
    CHOICES,
    OPTION,
    SHOWN_DEFAULT,
    Request,
    WrongField,
)


def options_of(
    request: type[Request], after: Mapping[str, Sequence[str]] | None = None
) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Decorates ``verb(request, output)`` as a Typer command; it may take ``ctx`` and options too.

    Each field becomes an option, or an argument where it is marked so: its name, type, bounds and
    default are the field's, its help is the field's docstring. The verb's own options come last,
    but for those that ``after`` names by the field that they follow. ``output`` is the ``Output``
    of the command as typed; a verb that takes ``json`` makes its own.
    """
    spelled = {name: _spellings(name, field)[0] for name, field in request.model_fields.items()}
    provided = ("ctx", "request", "output", "json")

    def decorate(verb: Callable[..., None]) -> Callable[..., None]:
        signature = inspect.signature(verb, eval_str=True).parameters
        own = {name: p for name, p in signature.items() if name not in provided}

        @functools.wraps(verb)
        def call(**values: Any) -> None:
            if "output" in signature:
                command = values["ctx"].command_path.removeprefix("tfw ")
                values["output"] = Output(command, values.pop("json"))
            if "ctx" not in signature:
                del values["ctx"]
            typed = {name: values.pop(name) for name in spelled}
            fields = {name: value for name, value in typed.items() if value is not None}
            try:
                values["request"] = request(**fields)
            except WrongField as error:
                raise UsageError(f"{spelled[error.field]} expects {error.expected}") from None
            verb(**values)

        parameters = [_parameter("ctx", typer.Context)]
        placed = [name for names in (after or {}).values() for name in names]
        for name, field in request.model_fields.items():
            parameters.append(_parameter(name, *_annotation(name, field)))
            parameters += [own[each] for each in (after or {}).get(name, ())]
        parameters += [parameter for name, parameter in own.items() if name not in placed]
        parameters.append(_parameter("json", JsonOption, False))
        keyword = inspect.Parameter.KEYWORD_ONLY
        parameters = [parameter.replace(kind=keyword) for parameter in parameters]
        call.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
        call.__annotations__ = {}
        return call

    return decorate


def command(
    app: typer.Typer,
    request: type[Request],
    name: str | None = None,
    after: Mapping[str, Sequence[str]] | None = None,
) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Decorates a verb as ``options_of`` does, and adds it to ``app`` with its examples."""

    def decorate(verb: Callable[..., None]) -> Callable[..., None]:
        register = app.command(name, epilog=examples(*request.EXAMPLES))
        return register(options_of(request, after)(verb))

    return decorate


def _extra(field: FieldInfo) -> dict[str, Any]:
    extra = field.json_schema_extra
    return dict(extra) if isinstance(extra, dict) else {}


def _spellings(name: str, field: FieldInfo) -> list[str]:
    """What the command line calls a field: ``--all -a``, or an argument's name."""
    extra = _extra(field)
    if ARGUMENT in extra:
        return [str(extra[ARGUMENT] or name.upper())]
    return str(extra.get(OPTION, f"--{name.replace('_', '-')}")).split()


def _annotation(name: str, field: FieldInfo) -> tuple[Any, Any]:
    """What Typer needs of a field: its annotated type and its default."""
    extra, words = _extra(field), _spellings(name, field)
    kind: Any = field.annotation
    default = None if field.default_factory is not None else field.default
    if field.is_required():
        default = inspect.Parameter.empty
    if kind == bool | None or (kind is bool and default):
        words[0] += f"/--no-{words[0].removeprefix('--')}"
    if SHOWN_DEFAULT in extra:
        kind, default = str, extra[SHOWN_DEFAULT]
    elif get_origin(kind) is tuple:
        kind = list[get_args(kind)[0]]  # type: ignore[misc]
        if not field.is_required():
            kind, default = kind | None, None
    elif CHOICES not in extra and Literal in (get_origin(kind), *map(get_origin, get_args(kind))):
        kind = str | None if default is None else str
    elif field.default_factory is not None:
        kind = kind | None
    settings: dict[str, Any] = {"help": " ".join((field.description or "").split())}
    for rule in [*field.metadata, *_inner(field.annotation)]:
        if isinstance(rule, Ge):
            settings["min"] = rule.ge
        if isinstance(rule, Le):
            settings["max"] = rule.le
    if ARGUMENT in extra:
        return Annotated[kind, typer.Argument(metavar=extra[ARGUMENT] or None, **settings)], default
    return Annotated[kind, typer.Option(*words, **settings)], default


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
