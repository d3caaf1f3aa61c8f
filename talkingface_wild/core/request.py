"""What a job is asked for: a typed, validated model; its attribute docstrings are its help."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from talkingface_wild.core.errors import UsageError, nearest

OPTION = "option"
"""Key of a field's ``json_schema_extra`` under which the command line's own spellings of it
stand, such as ``--all -a``."""
ARGUMENT = "argument"
"""Key of the same for a field that is typed without a name; its value is the name that the help
shows, or an empty text for the field's own."""
SHOWN_DEFAULT = "shown_default"
"""Key of the same for a field that is typed as one text: the default that the help shows."""

CHOICES = "choices"
"""Key of the same for a field of a few words that the help lists."""


class WrongField(UsageError):
    """A value that a field does not take; the sentence begins with the field's name."""

    def __init__(self, field: str, expected: str) -> None:
        super().__init__(f"{field} expects {expected}")
        self.field, self.expected = field, expected


class Request(BaseModel):
    """Base of all requests. Raises UsageError for an unknown field or a value of another kind."""

    EXAMPLES: ClassVar[tuple[str, ...]] = ()
    """Commands that work as they stand, for the end of a verb's help."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", use_attribute_docstrings=True, protected_namespaces=()
    )

    def __init__(self, **values: Any) -> None:
        try:
            super().__init__(**values)
        except ValidationError as error:
            raise _usage_error(type(self), error) from None


class DatasetRequest(Request):
    """Base of the requests on a data set that is there."""

    out: Path = Field(json_schema_extra={ARGUMENT: ""})
    """The data set's folder."""


def _usage_error(cls: type[Request], error: ValidationError) -> UsageError:
    """The first thing that is wrong, as a sentence of this project."""
    first = error.errors()[0]
    field = str(first["loc"][0]) if first["loc"] else cls.__name__
    context: Mapping[str, Any] = first.get("ctx", {})
    cause = context.get("error")
    if isinstance(cause, UsageError):
        return cause
    if first["type"] == "extra_forbidden":
        fields = ", ".join(cls.model_fields)
        hint = nearest(field, cls.model_fields)
        return UsageError(f"Expected one of {fields}, found {field!r}{hint}.")
    if first["type"] == "missing":
        return UsageError(f"Expected {field}, found none; give it.")
    expected = str(context.get("expected", "")).replace("'", "")
    expected = expected or first["msg"].removeprefix("Input should be ")
    return WrongField(field, f"{expected}, found {first['input']!r}.")
