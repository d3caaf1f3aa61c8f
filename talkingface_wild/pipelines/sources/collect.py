"""The sources of a folder: those it has, those named now (folders, lists, links, searches), and the
recipe's own corpus; a video named twice is one.
"""

import datetime
import itertools
import json
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from talkingface_wild.core.clip import Source, source_from_json, source_id
from talkingface_wild.core.errors import InputUnreadable, UsageError, nearest
from talkingface_wild.core.language_names import DEFAULT
from talkingface_wild.core.paths import write_text
from talkingface_wild.core.reporter import Snapshot
from talkingface_wild.dataset.layout import Layout
from talkingface_wild.pipelines.recipe import Recipe
from talkingface_wild.pipelines.sources.address import canonical, is_address, is_collection
from talkingface_wild.pipelines.sources.entry import ListedVideo, is_wanted, language_of
from talkingface_wild.pipelines.sources.keys import HashCache
from talkingface_wild.pipelines.sources.list_file import SUFFIXES
from talkingface_wild.pipelines.sources.listing import read_list
from talkingface_wild.pipelines.sources.search import Search, SearchOptions, expand
from talkingface_wild.pipelines.sources.video_folder import MEDIA, read_folder

GATHERED = ("corpus", "gathered", "sources.json")
"""What gathering makes in the data set's folder."""
CORPUS_MARKER = Path("gathered", "corpus.txt")
"""In a folder whose sources are the recipe's own corpus."""


@dataclass(frozen=True)
class Gathered:
    """The sources in order, and sentences on what was left out or noticed."""

    sources: list[Source]
    notes: list[str]
    unasked: tuple[str, ...] = ()
    """Searches and collections that were not expanded, since ``look_only`` forbade it."""


def gather(
    sources: list[str],
    languages: tuple[str, ...] | None,
    *,
    search: SearchOptions | None = None,
    cache: Path | None = None,
    limit: int | None = None,
    look_only: bool = False,
) -> Gathered:
    """The sources that ``sources`` name (folders, lists, videos, links) and that ``search`` finds.

    ``languages`` None means every language present, and the ten defaults for a search. ``cache`` is
    a folder of this output: it keeps hashes (``hashes.json``) and the recorded expansion of
    searches and playlists (``searches.json``); with it a second call gives the same list and opens
    no video. ``limit`` keeps the first sources. ``look_only`` opens no video, asks no host and
    writes nothing: files that the cache does not know get a key by their path. Raises
    InputUnreadable for a name that cannot be read, NetworkUnavailable when a search cannot be made.
    """
    notes: list[str] = []
    engine = Search(
        search or SearchOptions(),
        cache / "searches.json" if cache is not None else None,
        look_only=look_only,
    )
    streams = [_entries(text, languages, notes, engine) for text in sources]
    if search is not None:
        streams.append(_searched(languages, engine, notes, limit))
    hashes = HashCache(cache / "hashes.json" if cache is not None else None, look_only)
    try:
        distinct = _distinct(itertools.chain.from_iterable(streams), hashes, limit, notes)
    finally:
        hashes.save()
    return Gathered(distinct, notes, tuple(engine.unasked))


def _entries(
    text: str, languages: tuple[str, ...] | None, notes: list[str], engine: Search
) -> Iterator[ListedVideo]:
    """The entries of one ``--sources`` value; read when the first of them is asked for."""
    if is_address(text):
        yield from _linked(text, languages, notes, engine)
        return
    path = Path(text)
    if path.is_dir():
        entries, more = read_folder(path, languages)
    elif not path.exists():
        raise InputUnreadable(
            f"Expected a folder, a list or an address, found nothing at {text!r}; check the name."
        )
    elif path.suffix.lower() in MEDIA:
        entries, more = [_single(path, languages)], []
    elif path.suffix.lower() in SUFFIXES:
        entries, more = read_list(path, languages)
    else:
        raise InputUnreadable(
            f"Expected a folder, a list ({' '.join(SUFFIXES)}) or a video, found {text!r}; "
            "give it the suffix of what it is."
        )
    notes.extend(more)
    yield from entries


def _linked(
    text: str, languages: tuple[str, ...] | None, notes: list[str], engine: Search
) -> Iterator[ListedVideo]:
    """One video by its link, or the videos of a playlist or channel."""
    try:
        key, url = canonical(text)
    except ValueError as error:
        raise InputUnreadable(f"Expected the link of a video, found that {error}.") from None
    language = language_of("", languages)
    if not is_wanted(language, languages):
        notes.append(f"{url}: left out, no language is known of it; give it in a list.")
    elif is_collection(text):
        entries, more = engine.collection(url, language, _today())
        notes.extend(more)
        yield from entries
    else:
        yield ListedVideo(language, key=key, url=url)


def _single(path: Path, languages: tuple[str, ...] | None) -> ListedVideo:
    language = language_of("", languages)
    if not is_wanted(language, languages):
        raise InputUnreadable(
            f"Expected to know the language of {path}, found several asked for; "
            "name one by --langs, or give the file in a list with a column 'language'."
        )
    return ListedVideo(language, path=path.name, root=str(path.parent.absolute()))


def _searched(
    languages: tuple[str, ...] | None, engine: Search, notes: list[str], limit: int | None
) -> Iterator[ListedVideo]:
    entries, more = expand(languages or DEFAULT, engine, _today(), limit=limit)
    notes.extend(more)
    yield from entries


def _distinct(
    entries: Iterable[ListedVideo], hashes: HashCache, limit: int | None, notes: list[str]
) -> list[Source]:
    """One Source for each (video, span, crop), in order; later mentions are counted, not kept."""
    distinct: dict[str, Source] = {}
    again: Counter[str] = Counter()
    for entry in entries:
        if limit is not None and len(distinct) >= limit:
            break
        source = _source(entry, hashes)
        if source.id in distinct:
            again[source.id] += 1
        else:
            distinct[source.id] = source
    if again:
        total = sum(again.values())
        notes.append(f"{total} further mentions of {len(again)} sources: the first of each counts.")
    return list(distinct.values())


def _source(entry: ListedVideo, hashes: HashCache) -> Source:
    key = entry.key or hashes.media_key(entry.file or Path())
    facts = {name: value for name, value in vars(entry).items() if name != "key"}
    return Source(
        id=source_id(key, entry.start_seconds, entry.end_seconds, entry.crop),
        media_key=key,
        **facts,
    )


def _today() -> str:
    """The date that is recorded with a search, in UTC."""
    return datetime.datetime.now(datetime.UTC).date().isoformat()


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
    earlier = load_sources(layout)
    named = list(choice.named)
    from_corpus = looks_in_corpus(choice, recipe, layout, earlier)
    if not named and not from_corpus:
        if not earlier:
            raise UsageError(
                f"Recipe {recipe.name} works on local video: expected --sources with a folder, "
                "a list or a link, found none; for example --sources my_videos/"
            )
        return earlier, []
    languages, search = choice.languages, None
    if from_corpus:
        languages = corpus_languages(choice, recipe)
        if recipe.corpus == "demo":
            from talkingface_wild.pipelines.demo import corpus

            named = [str(corpus.make(layout.out / "corpus", languages, report))]
        else:
            search = recipe.search
    listed = gather(
        named, languages, search=search, cache=layout.out / "gathered", limit=choice.limit
    )
    if not listed.sources and not earlier:
        raise UsageError(
            "Expected at least one source in the languages asked for, found none; "
            "check --langs and --sources. " + " ".join(listed.notes[:3])
        )
    if from_corpus:
        write_text(layout.out / CORPUS_MARKER, str(recipe.corpus))
    merged = {source.id: source for source in earlier} | {s.id: s for s in listed.sources}
    notes = list(listed.notes)
    others = len(merged) - len({source.id for source in listed.sources})
    if others:
        notes.append(f"{others} sources that this folder knew already stay in it.")
    save_sources(layout, list(merged.values()))
    return list(merged.values()), notes


def looks_in_corpus(
    choice: SourceChoice, recipe: Recipe, layout: Layout, earlier: Sequence[Source]
) -> bool:
    """Whether a run looks for sources in the recipe's own corpus: its searches, or the demo's."""
    if choice.named or recipe.corpus is None:
        return False
    return not earlier or (layout.out / CORPUS_MARKER).is_file()


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
