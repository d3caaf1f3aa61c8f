"""What a job is asked for: a typed, validated model; its attribute docstrings are its help."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, ConfigDict, ValidationError

from talkingface_wild.core.errors import UsageError, nearest

OPTION = "option"
"""Key of a field's ``json_schema_extra`` under which the command line's own name for it stands."""


class Request(BaseModel):
    """Base of all requests. Raises UsageError for an unknown field or a value of another kind."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", use_attribute_docstrings=True, protected_namespaces=()
    )

    def __init__(self, **values: Any) -> None:
        try:
            super().__init__(**values)
        except ValidationError as error:
            first = error.errors()[0]
            name = ".".join(map(str, first["loc"]))
            hint = (
                nearest(name, type(self).model_fields) if first["type"] == "extra_forbidden" else ""
            )
            raise UsageError(
                f"Expected another {name or type(self).__name__}, found {first['input']!r}: "
                f"{first['msg']}{hint}."
            ) from error
