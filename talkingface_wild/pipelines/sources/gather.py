"""All sources of a run in one list: folders, lists, links, searches; a video found twice is one."""

import datetime
import itertools
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from talkingface_wild.core.clip import Source, source_id
from talkingface_wild.core.errors import InputUnreadable
from talkingface_wild.core.language_names import DEFAULT
from talkingface_wild.pipelines.sources.address import canonical, is_address, is_collection
from talkingface_wild.pipelines.sources.entry import Entry, is_wanted, language_of
from talkingface_wild.pipelines.sources.keys import HashCache, KnownHashes
from talkingface_wild.pipelines.sources.list_file import SUFFIXES
from talkingface_wild.pipelines.sources.listing import read_list
from talkingface_wild.pipelines.sources.search import Search, SearchOptions, expand
from talkingface_wild.pipelines.sources.video_folder import MEDIA, read_folder


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
    kind = KnownHashes if look_only else HashCache
    hashes = kind(cache / "hashes.json" if cache is not None else None)
    try:
        found = _distinct(itertools.chain.from_iterable(streams), hashes, limit, notes)
    finally:
        hashes.save()
    return Gathered(found, notes, tuple(engine.unasked))


def _entries(
    text: str, languages: tuple[str, ...] | None, notes: list[str], engine: Search
) -> Iterator[Entry]:
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
) -> Iterator[Entry]:
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
        yield Entry(language, key=key, url=url)


def _single(path: Path, languages: tuple[str, ...] | None) -> Entry:
    language = language_of("", languages)
    if not is_wanted(language, languages):
        raise InputUnreadable(
            f"Expected to know the language of {path}, found several asked for; "
            "name one by --langs, or give the file in a list with a column 'language'."
        )
    return Entry(language, path=path.name, root=str(path.parent.absolute()))


def _searched(
    languages: tuple[str, ...] | None, engine: Search, notes: list[str], limit: int | None
) -> Iterator[Entry]:
    entries, more = expand(languages or DEFAULT, engine, _today(), limit=limit)
    notes.extend(more)
    yield from entries


def _distinct(
    entries: Iterable[Entry], hashes: HashCache, limit: int | None, notes: list[str]
) -> list[Source]:
    """One Source for each (video, span, crop), in order; later mentions are counted, not kept."""
    kept: dict[str, Source] = {}
    again: Counter[str] = Counter()
    for entry in entries:
        if limit is not None and len(kept) >= limit:
            break
        source = _source(entry, hashes)
        if source.id in kept:
            again[source.id] += 1
        else:
            kept[source.id] = source
    if again:
        total = sum(again.values())
        notes.append(f"{total} further mentions of {len(again)} sources: the first of each counts.")
    return list(kept.values())


def _source(entry: Entry, hashes: HashCache) -> Source:
    key = entry.key or hashes.media_key(entry.file or Path())
    return Source(
        id=source_id(key, entry.start_seconds, entry.end_seconds, entry.crop),
        media_key=key,
        language=entry.language,
        path=entry.path,
        root=entry.root,
        url=entry.url,
        start_seconds=entry.start_seconds,
        end_seconds=entry.end_seconds,
        crop=entry.crop,
        channel=entry.channel,
        licence=entry.licence,
        consent=entry.consent,
        given=dict(entry.given),
        found=dict(entry.found),
    )


def _today() -> str:
    """The date that is recorded with a search, in UTC."""
    return datetime.datetime.now(datetime.UTC).date().isoformat()
