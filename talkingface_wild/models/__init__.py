"""Generators of talking-face video, by name. They run on torch, diffusers and numpy alone.

A new one is one folder and one line here, or an entry point of the group
``talkingface_wild.generators`` in another package. Nothing is imported before it is asked for.
"""

from __future__ import annotations

import importlib
import importlib.metadata
from typing import TYPE_CHECKING

from talkingface_wild.core.errors import ExtraMissing, UsageError, nearest

if TYPE_CHECKING:
    from talkingface_wild.core.generator import Generator

REGISTRY: dict[str, str] = {"mcdm": "talkingface_wild.models.mcdm.generator:MCDMGenerator"}
GROUP = "talkingface_wild.generators"


def registered() -> dict[str, str]:
    """Where each generator's class is: ours first, then those of other packages."""
    others = {entry.name: entry.value for entry in importlib.metadata.entry_points(group=GROUP)}
    return {**REGISTRY, **{name: place for name, place in others.items() if name not in REGISTRY}}


def generator_class(name: str) -> type[Generator]:
    """The class registered under ``name``. Raises UsageError, ExtraMissing."""
    places = registered()
    if name not in places:
        raise UsageError(
            f"--model expects {', '.join(places)}, found {name!r}{nearest(name, places)}."
        )
    module, _, attribute = places[name].partition(":")
    if name in REGISTRY:
        need_packages("diffusers", "transformers")
    return getattr(importlib.import_module(module), attribute)


def need_packages(*modules: str) -> None:
    """Raise ExtraMissing where a package that our generators run on is not installed."""
    try:
        for module in modules:
            importlib.import_module(module)
    except ImportError as error:
        raise ExtraMissing(
            f"Expected the extra 'models', found {error.name} missing; run "
            "pip install -c constraints.txt 'talkingface-wild[models]'."
        ) from error
