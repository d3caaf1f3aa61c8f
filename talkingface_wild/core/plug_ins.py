"""What other installed packages add: entry points of a group, by name, loaded when used."""

import importlib
from collections.abc import Container
from importlib.metadata import entry_points
from typing import Any

from talkingface_wild.core.errors import UsageError
from talkingface_wild.core.log import LOGGER


def plug_ins(group: str, taken: Container[str]) -> dict[str, str]:
    """``module:Class`` by name. A name of our own is passed over, with a warning."""
    others: dict[str, str] = {}
    for point in entry_points(group=group):
        if point.name in taken:
            package = point.dist.name if point.dist else point.module
            LOGGER.warning(
                "The package %s names %r in %s, which is a name of our own; it is passed over.",
                package,
                point.name,
                group,
            )
        else:
            others[point.name] = point.value
    return others


def load(what: str, where: str) -> Any:
    """The class at ``module:Class``. UsageError where its package cannot be imported."""
    module, _, name = where.partition(":")
    try:
        return getattr(importlib.import_module(module), name)
    except (ImportError, AttributeError, SyntaxError) as error:
        if module.partition(".")[0] == __package__.partition(".")[0]:
            raise
        raise UsageError(
            f"Expected {what} in {where}, found that it cannot be loaded ({error}); mend its "
            f"package, or take it away with `pip uninstall {module.partition('.')[0]}`."
        ) from error
