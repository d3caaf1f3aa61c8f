"""The sources of a folder: those it knows, those named now, and the recipe's own corpus."""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from talkingface_wild.core.clip import Source, source_from_json
from talkingface_wild.core.errors import UsageError, nearest
from talkingface_wild.core.paths import write_text
from talkingface_wild.core.reporter import Snapshot
from talkingface_wild.dataset.layout import Layout
from talkingface_wild.pipelines.recipe import Recipe

GATHERED = ("corpus", "gathered", "sources.json")
"""What gathering makes in the data set's folder."""
CORPUS_MARKER = Path("gathered", "corpus.txt")
"""In a folder whose sources are the recipe's own corpus."""


@dataclass(frozen=True)
class SourceChoice:
    """Which sources a run takes up: names of folders, lists, videos and links, in these languages
    (None: all), the first ``limit`` of them.
    """

    named: tuple[str, ...] = ()
    languages: tuple[str, ...] | None = None
    limit: int | None = None


def gather_sources(
    choice: SourceChoice,
    recipe: Recipe,
    layout: Layout,
    report: Callable[[Snapshot], None] | None = None,
) -> tuple[list[Source], list[str]]:
    """All sources of the folder in order, and what was noticed; recorded for the next run.

    ``report`` is told how far a corpus is that has to be made first.

    Sources named now are added to those known; of one that is known already the new entry counts
    (its place, language, licence, consent). Without any named, a recipe with a corpus of its own
    looks there again, for the languages and the number asked for now. Raises UsageError where
    there is nothing to work on.
    """
    from talkingface_wild.pipelines.sources.gather import gather

    known = load_sources(layout)
    named = list(choice.named)
    from_corpus = looks_in_corpus(choice, recipe, layout, known)
    if not named and not from_corpus:
        if not known:
            raise UsageError(
                f"Recipe {recipe.name} works on local video: expected --sources with a folder, "
                "a list or a link, found none; for example --sources my_videos/"
            )
        return known, []
    languages, search = choice.languages, None
    if from_corpus:
        languages = corpus_languages(choice, recipe)
        if recipe.corpus == "demo":
            from talkingface_wild.pipelines.demo import corpus

            named = [str(corpus.make(layout.out / "corpus", languages, report))]
        else:
            search = recipe.search
    found = gather(
        named, languages, search=search, cache=layout.out / "gathered", limit=choice.limit
    )
    if not found.sources and not known:
        raise UsageError(
            "Expected at least one source in the languages asked for, found none; "
            "check --langs and --sources. " + " ".join(found.notes[:3])
        )
    if from_corpus:
        write_text(layout.out / CORPUS_MARKER, str(recipe.corpus))
    merged = {source.id: source for source in known} | {s.id: s for s in found.sources}
    notes = list(found.notes)
    kept = len(merged) - len({source.id for source in found.sources})
    if kept:
        notes.append(f"{kept} sources that this folder knew already stay in it.")
    save_sources(layout, list(merged.values()))
    return list(merged.values()), notes


def looks_in_corpus(
    choice: SourceChoice, recipe: Recipe, layout: Layout, known: Sequence[Source]
) -> bool:
    """Whether a run looks for sources in the recipe's own corpus: its searches, or the demo's."""
    if choice.named or recipe.corpus is None:
        return False
    return not known or (layout.out / CORPUS_MARKER).is_file()


def corpus_languages(choice: SourceChoice, recipe: Recipe) -> tuple[str, ...]:
    """The languages to look for; UsageError for one that the recipe does not have."""
    for tag in choice.languages or ():
        if tag not in recipe.languages:
            raise UsageError(
                f"Expected languages of recipe {recipe.name} ({', '.join(recipe.languages)}), "
                f"found {tag!r}{nearest(tag, recipe.languages)}; name others in a recipe's "
                "languages, or bring sources by --sources."
            )
    return choice.languages or recipe.languages


def load_sources(layout: Layout) -> list[Source]:
    """The sources that the folder has gathered so far, in order."""
    if not layout.sources.is_file():
        return []
    return [
        source_from_json(entry) for entry in json.loads(layout.sources.read_text(encoding="utf-8"))
    ]


def save_sources(layout: Layout, sources: Sequence[Source]) -> None:
    """Record the sources of the folder."""
    data = [source.to_json() for source in sources]
    write_text(layout.sources, json.dumps(data, ensure_ascii=False, indent=0))
