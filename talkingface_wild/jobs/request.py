"""What every job's request is: typed, checked, described by its fields' docstrings, which are the
one source of a verb's options and help, of the Python call and of the JSON schema.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

from pydantic import BaseModel, ConfigDict, ValidationError

from talkingface_wild.core.errors import UsageError, nearest


@dataclass(frozen=True)
class Typed:
    """How a command line spells a field, in its ``Annotated`` metadata, where that is not the
    field's name and type: ``--set`` of type ``list[str]``.
    """

    name: str | None = None
    type: Any = None
    default: Any = None
    """What the help shows for a field that is None or empty by default."""
    argument: bool = False


class Request(BaseModel):
    """A job's request. Fields are set by name; unknown names are refused with the nearest one."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    @classmethod
    def of(cls, values: Mapping[str, Any], spelled: Mapping[str, str] | None = None) -> Self:
        """The request of these values. ``spelled`` is what a user calls each field.

        Raises UsageError, with what was expected, for the first value that is wrong.
        """
        try:
            return cls.model_validate(dict(values))
        except ValidationError as error:
            raise UsageError(_sentence(cls, error, spelled or {})) from None


def _sentence(cls: type[Request], error: ValidationError, spelled: Mapping[str, str]) -> str:
    """The first error in the manner of the project's sentences."""
    first = error.errors()[0]
    field = str(first["loc"][0]) if first["loc"] else ""
    name = spelled.get(field, field)
    context: Mapping[str, Any] = first.get("ctx", {})
    if isinstance(context.get("error"), Exception):
        return str(context["error"])
    if first["type"] == "extra_forbidden":
        return f"Expected {', '.join(cls.model_fields)}, found {field!r}" + (
            f"{nearest(field, cls.model_fields)}."
        )
    if first["type"] == "missing":
        return f"Expected {name}, found none; give it."
    expected = str(context.get("expected", "")).replace("'", "") or _words(first["msg"])
    return f"{name} expects {expected}, found {first['input']!r}."


def _words(message: str) -> str:
    """``Input should be a valid integer`` → ``a valid integer``."""
    return message.removeprefix("Input should be ").split(",")[0]
