"""The query packs: what is searched for in each language, in its own script."""

from importlib import resources
from pathlib import Path

from talkingface_wild.core.config import Document, read_yaml, read_yaml_file
from talkingface_wild.core.errors import RecipeError, UsageError


def load_queries(languages: tuple[str, ...], pack: str = "") -> dict[str, list[str]]:
    """The queries of each language, in the pack's order; ``pack`` is a file in place of ours.

    Raises UsageError when a language has none, RecipeError when the file is no mapping of languages
    to lists of different texts.
    """
    document = read_yaml_file(Path(pack)) if pack else _ours()
    by_language: dict[str, list[str]] = {}
    for tag in languages:
        queries = document.data.get(tag, document.data.get(tag.split("-")[0]))
        if queries is None:
            raise UsageError(
                f"Expected search queries for {tag!r} in {document.name}, found them for "
                f"{', '.join(map(str, document.data))}; add a list for it and name the file by "
                "--set search.pack=FILE, or give --sources."
            )
        by_language[tag] = _checked(queries, tag, document)
    return by_language


def available() -> tuple[str, ...]:
    """The languages that have a pack in the package."""
    return tuple(map(str, _ours().data))


def _ours() -> Document:
    file = resources.files("talkingface_wild.pipelines.sources").joinpath("queries.yaml")
    return read_yaml(file.read_text(encoding="utf-8"), "queries.yaml")


def _checked(queries: object, tag: str, document: Document) -> list[str]:
    where = document.where((tag,))
    if not isinstance(queries, list) or not all(isinstance(words, str) for words in queries):
        raise RecipeError(
            f"Expected a list of texts for {tag!r}, found none in {where}; quote them."
        )
    trimmed = [" ".join(words.split()) for words in queries]
    if not trimmed or "" in trimmed or len(set(trimmed)) < len(trimmed):
        raise RecipeError(
            f"Expected different queries for {tag!r}, found an empty or a repeated one in {where}; "
            "remove it."
        )
    return trimmed
