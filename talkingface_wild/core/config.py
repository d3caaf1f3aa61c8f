"""The one config loader: YAML with line numbers into frozen dataclasses.

Unknown keys are answered with the nearest name.
"""

import dataclasses
import types
import typing
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar, Union, get_args, get_origin

import yaml
from pydantic import Field, TypeAdapter, ValidationError

from talkingface_wild.core.errors import RecipeError, nearest

Path_ = tuple[str, ...]
_MOST_LEVELS = 20
_MOST_ENTRIES = 20_000
_BOUNDS = {
    "ge": "at least {:g}",
    "gt": "above {:g}",
    "le": "at most {:g}",
    "lt": "below {:g}",
    "min_length": "at least {} long",
}
Config = TypeVar("Config")
Count = Annotated[int, Field(ge=1)]
"""A whole number of 1 or more."""


@dataclass(frozen=True)
class Document:
    """Parsed YAML: plain data, and the line of every key (1-based) by its path of keys."""

    name: str
    data: dict[str, Any]
    lines: Mapping[Path_, int] = field(default_factory=dict)

    def where(self, path: Path_) -> str:
        """``name, line n`` of the nearest known path."""
        while path and path not in self.lines:
            path = path[:-1]
        line = self.lines.get(path)
        return f"{self.name}, line {line}" if line else self.name


def read_yaml(text: str, name: str) -> Document:
    """Parse one YAML mapping safely. RecipeError gives the line of bad syntax or a repeated key."""
    try:
        loader = yaml.SafeLoader(text)
        node = loader.get_single_node()
        if not isinstance(node, yaml.MappingNode):
            raise RecipeError(
                f"Expected a mapping of settings in {name}, found none; "
                "see `tfw recipes show embedded`."
            )
        lines: dict[Path_, int] = {}
        _collect_lines(node, (), lines, name, depth=0)
        return Document(name, loader.construct_document(node), lines)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        at = f", line {mark.line + 1}" if mark else ""
        problem = getattr(error, "problem", None) or str(error)
        raise RecipeError(
            f"Expected YAML in {name}{at}, found: {problem}; mend that line."
        ) from error
    except ValueError as error:
        raise RecipeError(
            f"Expected YAML in {name}, found a value that is none: {error}; mend it."
        ) from error
    except RecursionError as error:
        raise RecipeError(_too_deep(name)) from error


def _too_deep(name: str) -> str:
    return f"Expected at most {_MOST_LEVELS} levels in {name}, found more; flatten it."


def read_yaml_file(path: Path) -> Document:
    """Parse the YAML file at ``path``; RecipeError when it cannot be read."""
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise RecipeError(
            f"Expected a recipe in {path}, found none that can be read ({error}); check the path."
        ) from error
    return read_yaml(text, str(path))


def _collect_lines(
    node: yaml.Node, path: Path_, lines: dict[Path_, int], name: str, depth: int
) -> None:
    """Note the line of every key; aliases are followed, so what they multiply to is bounded."""
    if depth > _MOST_LEVELS:
        raise RecipeError(_too_deep(name))
    if len(lines) > _MOST_ENTRIES:
        raise RecipeError(
            f"Expected at most {_MOST_ENTRIES} entries in {name}, found more; "
            "write a shorter recipe, without aliases that multiply."
        )
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            here = (*path, str(key.value))
            line = key.start_mark.line + 1
            if here in lines:
                raise RecipeError(
                    f"Expected {key.value!r} once in {name}, found it again on line {line}; "
                    "remove one of them."
                )
            lines[here] = line
            _collect_lines(value, here, lines, name, depth + 1)
    elif isinstance(node, yaml.SequenceNode):
        for index, value in enumerate(node.value):
            here = (*path, str(index))
            lines[here] = value.start_mark.line + 1
            _collect_lines(value, here, lines, name, depth + 1)


def build(
    cls: type[Config], data: Mapping[str, Any], document: Document, path: Path_ = ()
) -> Config:
    """An instance of the dataclass ``cls``, and of those that its fields hold, from ``data``.

    Types and bounds (pydantic's ``Field`` in ``Annotated``) are checked. Raises RecipeError, with
    the line, for an unknown key (with the nearest name), a missing one, or a wrong value.
    """
    hints = typing.get_type_hints(cls, include_extras=True)
    fields = {f.name: f for f in dataclasses.fields(cls)}  # type: ignore[arg-type]
    values: dict[str, Any] = {}
    for key, value in data.items():
        where = (*path, str(key))
        if key not in fields:
            raise RecipeError(
                f"{document.where(where)}: {'.'.join(where)!r} is no known setting"
                f"{nearest(str(key), fields)}."
            )
        section = _section(hints[key], value)
        try:
            if section and isinstance(value, Mapping):
                values[key] = build(section, value, document, where)
            elif section:
                raise ValueError(f"expects a mapping of settings, found {value!r}")
            else:
                values[key] = coerce(value, hints[key])
        except ValueError as error:
            raise RecipeError(f"{document.where(where)}: {'.'.join(where)} {error}.") from None
    for name, field_ in fields.items():
        if name not in values and dataclasses.MISSING is field_.default is field_.default_factory:
            raise RecipeError(
                f"{document.where(path)}: expected {'.'.join((*path, name))!r}, found none; "
                f"the fields are {', '.join(fields)}."
            )
    try:
        return cls(**values)
    except (TypeError, ValueError) as error:
        raise RecipeError(
            f"{document.where(path)}: {'.'.join(path) or 'the recipe'}: {error}."
        ) from None


def _section(hint: Any, value: Any) -> type | None:
    """The dataclass that ``hint`` wants to be built from ``value``, if it wants one."""
    options = (hint, *get_args(hint))
    if value is None and type(None) in options:
        return None
    return next((o for o in options if isinstance(o, type) and dataclasses.is_dataclass(o)), None)


def coerce(value: Any, hint: Any) -> Any:
    """``value`` as the type ``hint`` asks for; ValueError says what was expected.

    Strings parse as YAML scalars would.
    """
    origin, options = get_origin(hint), get_args(hint)
    if origin is Annotated:
        return _bounded(coerce(value, options[0]), hint)
    if origin in (Union, types.UnionType):
        if value is None and type(None) in options:
            return None
        return coerce(value, next(option for option in options if option is not type(None)))
    if origin is Literal:
        if value in options:
            return value
        raise ValueError(
            f"expects one of {', '.join(map(str, options))}, found {value!r}"
            f"{nearest(str(value), map(str, options))}"
        )
    if origin is tuple:
        items = value if isinstance(value, list | tuple) else str(value).split(",")
        return tuple(coerce(item, options[0]) for item in items)
    if origin in (dict, Mapping) or hint is Mapping or getattr(origin, "__name__", "") == "Mapping":
        if not isinstance(value, Mapping):
            raise ValueError(f"expects a mapping, found {value!r}")
        return {str(key): coerce(item, options[1]) for key, item in value.items()}
    if hint is bool:
        if isinstance(value, bool):
            return value
        if str(value).lower() in ("true", "false"):
            return str(value).lower() == "true"
        raise ValueError(f"expects true or false, found {value!r}")
    if hint in (int, float):
        try:
            number = hint(value) if not isinstance(value, bool) else None
        except (TypeError, ValueError, OverflowError):
            number = None
        if (
            number is None
            or number != number
            or (hint is int and str(value).strip() != str(number))
        ):
            raise ValueError(
                f"expects {'a whole number' if hint is int else 'a number'}, found {value!r}"
            )
        return number
    if hint is str:
        if isinstance(value, str | int | float) and not isinstance(value, bool):
            return str(value)
        raise ValueError(f"expects text, found {value!r}")
    return value


def _bounded(value: Any, hint: Any) -> Any:
    """``value`` if pydantic finds it within the bounds of the annotated type ``hint``."""
    try:
        return TypeAdapter(hint).validate_python(value)
    except ValidationError as error:
        problem = error.errors()[0]
        limits = problem.get("ctx", {})
        expected = problem["msg"].replace("Input should", "must", 1)
        for name in _BOUNDS.keys() & limits:
            expected = f"must be {_BOUNDS[name]}".format(limits[name])
        raise ValueError(f"{expected}, found {value!r}") from None


def scalar(text: str) -> Any:
    """A command line's value read as a YAML scalar or flow list; plain text when it is none."""
    try:
        return yaml.safe_load(text)
    except (yaml.YAMLError, ValueError, RecursionError):
        return text
