"""A verb's options made of its request: names, types, defaults, bounds and help, told once."""

from __future__ import annotations

import functools
import inspect
import types
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, Literal, Union, get_args, get_origin

import typer
from pydantic.fields import FieldInfo

from talkingface_wild.jobs.request import Request, Typed

Verb = Callable[..., None]


def takes(
    request_class: type[Request], after: Mapping[str, Sequence[str]] | None = None
) -> Callable[[Verb], Verb]:
    """The verb's first parameter ``request`` becomes an option for each field of the class.

    ``after`` says which of the verb's own options follow which field in the help; the others come
    last. What is typed is checked by the class: UsageError in the words of the options.
    """
    spelled = {name: _spelling(name, field) for name, field in request_class.model_fields.items()}

    def wrap(verb: Verb) -> Verb:
        signature = inspect.signature(verb, eval_str=True)
        own = {name: p for name, p in signature.parameters.items() if name != "request"}
        placed = {name for names in (after or {}).values() for name in names}
        parameters: list[inspect.Parameter] = []
        for name, field in request_class.model_fields.items():
            parameters.append(_parameter(name, field))
            parameters += [own[each] for each in (after or {}).get(name, ())]
        parameters += [parameter for name, parameter in own.items() if name not in placed]
        parameters = [p.replace(kind=inspect.Parameter.KEYWORD_ONLY) for p in parameters]

        @functools.wraps(verb)
        def command(**typed: Any) -> None:
            values = {n: typed.pop(n) for n in spelled}
            request = request_class.of(
                {name: value for name, value in values.items() if value is not None}, spelled
            )
            verb(request=request, **typed)

        del command.__wrapped__  # type: ignore[attr-defined]
        command.__signature__ = signature.replace(parameters=parameters)  # type: ignore[attr-defined]
        command.__annotations__ = {p.name: p.annotation for p in parameters}
        return command

    return wrap


def _typed(field: FieldInfo) -> Typed:
    return next((each for each in field.metadata if isinstance(each, Typed)), Typed())


def _spelling(name: str, field: FieldInfo) -> str:
    typed = _typed(field)
    return name.upper() if typed.argument else typed.name or f"--{name.replace('_', '-')}"


def _parameter(name: str, field: FieldInfo) -> inspect.Parameter:
    """What Typer reads: ``Annotated[type, Option(…)]`` and a default, None for what may be left."""
    typed = _typed(field)
    kind = typed.type or _plain(field.annotation)
    required = field.is_required()
    words: dict[str, Any] = {"help": field.description}
    minimum, maximum = _bounds(field)
    if minimum is not None:
        words["min"] = minimum
    if maximum is not None:
        words["max"] = maximum
    spelling = _spelling(name, field)
    default = typed.default if typed.default is not None else field.default
    if default == () or default is None:
        kind, default = kind | None, None
    if typed.argument:
        option: Any = typer.Argument(**words)
    elif field.annotation == bool | None:
        option = typer.Option(f"{spelling}/--no-{spelling.removeprefix('--')}", **words)
    else:
        option = typer.Option(spelling, **words)
    return inspect.Parameter(
        name,
        inspect.Parameter.KEYWORD_ONLY,
        default=inspect.Parameter.empty if required else default,
        annotation=Annotated[kind, option],
    )


def _plain(annotation: Any) -> Any:
    """The type that is typed for a field's: a list for a tuple, without None and bounds."""
    if get_origin(annotation) is Annotated:
        return _plain(get_args(annotation)[0])
    if get_origin(annotation) in (Union, types.UnionType):
        return _plain(next(each for each in get_args(annotation) if each is not type(None)))
    if get_origin(annotation) is tuple:
        return list[get_args(annotation)[0]]  # type: ignore[misc]
    if get_origin(annotation) is Literal:
        return str
    return annotation if annotation in (int, float, bool, Path) else str


def _bounds(field: FieldInfo) -> tuple[Any, Any]:
    """Least and greatest value of a number, where the type tells."""
    annotated = [field, *(each for each in _parts(field.annotation))]
    least = most = None
    for part in annotated:
        for each in getattr(part, "metadata", ()) or ():
            least = getattr(each, "ge", least)
            most = getattr(each, "le", most)
            for inner in getattr(each, "metadata", ()):
                least, most = getattr(inner, "ge", least), getattr(inner, "le", most)
    return least, most


def _parts(annotation: Any) -> list[Any]:
    if get_origin(annotation) is Annotated:
        return [FieldInfo.from_annotation(annotation)]
    if get_origin(annotation) in (Union, types.UnionType):
        return [part for each in get_args(annotation) for part in _parts(each)]
    return []
