"""The sources that a run would have, found without a trace: of files the header alone is read."""

from dataclasses import dataclass, field

from talkingface_wild.core.clip import Source, source_id
from talkingface_wild.dataset.layout import Layout
from talkingface_wild.pipelines.lengths import Lengths, source_lengths
from talkingface_wild.pipelines.recipe import Recipe
from talkingface_wild.pipelines.sources.collect import (
    SourceChoice,
    corpus_languages,
    gather,
    load_sources,
    looks_in_corpus,
)


@dataclass
class Prospects:
    """Known and new sources in order, their lengths, and what cannot be told before the run."""

    sources: list[Source]
    lengths: Lengths
    new: int
    """Sources that the folder does not know yet."""
    to_make: int = 0
    """Videos of the demo corpus that the run makes first."""
    unasked: tuple[str, ...] = ()
    """Searches and playlists that the run would expand."""
    notes: list[str] = field(default_factory=list)


def prospects(choice: SourceChoice, recipe: Recipe, layout: Layout) -> Prospects:
    """What a run would take up. Raises InputUnreadable for a name of --sources that is nothing."""
    stored, named = load_sources(layout), list(choice.named)
    gathered = layout.out / "gathered"
    from_corpus = looks_in_corpus(choice, recipe, layout, stored)
    languages, search = choice.languages, None
    corpus_sources: list[Source] = []
    demo_seconds: dict[str, float] = {}
    if from_corpus:
        languages = corpus_languages(choice, recipe)
        if recipe.corpus == "demo":
            named, corpus_sources, demo_seconds = _demo(layout, languages, choice.limit)
        else:
            search = recipe.search
    gathering = gather(
        named, languages, search=search, cache=gathered, limit=choice.limit, look_only=True
    )
    merged = {source.id: source for source in [*stored, *gathering.sources, *corpus_sources]}
    files = [source for source in merged.values() if source.id not in demo_seconds]
    lengths = source_lengths(files, gathered)
    lengths.seconds |= demo_seconds
    return Prospects(
        list(merged.values()),
        lengths,
        new=len(merged) - len(stored),
        to_make=len(corpus_sources),
        unasked=gathering.unasked,
        notes=gathering.notes,
    )


def _demo(
    layout: Layout, languages: tuple[str, ...], limit: int | None
) -> tuple[list[str], list[Source], dict[str, float]]:
    """The demo corpus: its list where it is there, else the videos that would be made."""
    from talkingface_wild.pipelines.demo import corpus
    from talkingface_wild.pipelines.demo.takes import takes

    folder = layout.out / "corpus"
    if corpus.is_there(folder, languages):
        return [str(folder / corpus.LIST)], [], {}
    sources, seconds = [], {}
    for take in takes(languages)[:limit]:
        key = f"path:{folder / take.path}"
        source = Source(source_id(key, None, None, None), key, take.language, take.path)
        sources.append(source)
        seconds[source.id] = take.seconds
    return [], sources, seconds
