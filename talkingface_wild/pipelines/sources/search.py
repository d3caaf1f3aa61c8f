"""Keyword searches, playlists and channels through yt-dlp, expanded once, with date and rank."""

import json
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from talkingface_wild.core.errors import InputUnreadable, NetworkUnavailable
from talkingface_wild.core.outcome import ItemFailed
from talkingface_wild.core.paths import write_text
from talkingface_wild.pipelines.download import taxonomy
from talkingface_wild.pipelines.download.politeness import Politeness
from talkingface_wild.pipelines.download.session import Listener, open_session
from talkingface_wild.pipelines.download.ytdlp_options import Access
from talkingface_wild.pipelines.sources.address import canonical, host_of, offline_forbids
from talkingface_wild.pipelines.sources.entry import ListedVideo
from talkingface_wild.pipelines.sources.queries import load_queries

Found = dict[str, Any]
"""What is recorded of one hit: url, seconds, channel, live."""

Lookup = Callable[[str, int], list[Found]]
"""From a yt-dlp address (``ytsearch20:…``, a playlist's link) and a count to its hits in order."""

HOST = "https://www.youtube.com/"
"""Where keyword searches go."""

_LIVE = ("is_live", "is_upcoming", "post_live")


@dataclass(frozen=True)
class SearchOptions:
    """Settings of the searches."""

    results: int = 200
    """Hits asked for per query (and per playlist or channel)."""
    least_minutes: float = 0.5
    """Shortest video that is taken from the hits, where its length is told."""
    most_minutes: float = 90.0
    """Longest video that is taken from the hits."""
    queries_per_language: int = 0
    """How many queries of each language's pack are used; 0 uses all."""
    pack: str = ""
    """A YAML file of queries by language, in place of the packs that come with the package."""


class Search:
    """Expands queries and collections; answers are kept in ``record``, so that a rerun agrees."""

    def __init__(
        self,
        options: SearchOptions,
        record: Path | None,
        lookup: Lookup | None = None,
        look_only: bool = False,
    ) -> None:
        """``look_only`` asks nobody and records nothing; ``unasked`` lists what it would ask."""
        self.options = options
        self.unasked: list[str] = []
        self._look_only = look_only
        self._record = record
        self._lookup = lookup or look_up
        self._known: dict[str, Any] = {}
        if record is not None and record.exists():
            try:
                self._known = dict(json.loads(record.read_text(encoding="utf-8")))
            except (OSError, ValueError, TypeError) as error:
                raise InputUnreadable(
                    f"Expected the recorded searches in {record}, found no JSON ({error}); "
                    "remove that file to search again."
                ) from error

    def query(self, language: str, words: str, date: str) -> tuple[list[ListedVideo], Counter[str]]:
        """The entries of one query, by rank, and why how many hits were left out."""
        address = f"ytsearch{self.options.results}:{words}"
        return self._entries(self._hits(address, date), language, words)

    def collection(self, url: str, language: str, date: str) -> tuple[list[ListedVideo], list[str]]:
        """The entries of a playlist or channel in its own order, and notes."""
        entries, left = self._entries(self._hits(url, date), language, url)
        return entries, _notes(url, len(entries), left)

    def _hits(self, address: str, date: str) -> dict[str, Any]:
        """The recorded answer, or a new one, recorded at once."""
        held = self._known.get(address)
        if held is not None and len(held["hits"]) <= self.options.results:
            return dict(held)
        if self._look_only:
            self.unasked.append(address)
            return dict(held or {"date": date, "hits": []})
        answer = {"date": date, "hits": self._lookup(address, self.options.results)}
        self._known[address] = answer
        if self._record is not None:
            text = json.dumps(self._known, ensure_ascii=True, indent=1)
            write_text(self._record, text)
        return answer

    def _entries(
        self, answer: Mapping[str, Any], language: str, query: str
    ) -> tuple[list[ListedVideo], Counter[str]]:
        entries: list[ListedVideo] = []
        left: Counter[str] = Counter()
        for rank, hit in enumerate(answer["hits"], start=1):
            reason = self._refusal(hit)
            if reason:
                left[reason] += 1
                continue
            try:
                key, url = canonical(str(hit["url"]))
            except ValueError:
                left["no usable address"] += 1
                continue
            origin = {"query": query, "date": str(answer["date"]), "rank": str(rank)}
            entries.append(
                ListedVideo(language, key=key, url=url, channel=hit["channel"], found=origin)
            )
        return entries, left

    def _refusal(self, hit: Mapping[str, Any]) -> str | None:
        """Why a hit is not taken, from what the search itself tells of it."""
        if hit.get("live"):
            return "live"
        seconds = hit.get("seconds")
        if seconds is None:
            return None
        if seconds < self.options.least_minutes * 60:
            return f"shorter than {self.options.least_minutes:g} min"
        if seconds > self.options.most_minutes * 60:
            return f"longer than {self.options.most_minutes:g} min"
        return None


def expand(
    languages: tuple[str, ...], search: Search, date: str, limit: int | None = None
) -> tuple[list[ListedVideo], list[str]]:
    """The entries of all queries of ``languages``, and one note per language on what was left out.

    Queries go round the languages (the first of each, then the second, …), so that a limit does not
    favour one. With ``limit`` no further query is asked once so many different videos are known.
    Raises UsageError for a language without queries, NetworkUnavailable when nothing answers.
    """
    pack = load_queries(languages, search.options.pack)
    most = search.options.queries_per_language or max(map(len, pack.values()))
    entries: list[ListedVideo] = []
    keys: set[str | None] = set()
    taken: Counter[str] = Counter()
    left: dict[str, Counter[str]] = {tag: Counter() for tag in languages}
    for index in range(most):
        for tag in languages:
            if index >= len(pack[tag]) or (limit is not None and len(keys) >= limit):
                continue
            hits, refused = search.query(tag, pack[tag][index], date)
            entries += hits
            keys |= {entry.key for entry in hits}
            taken[tag] += len(hits)
            left[tag] += refused
    notes = [line for tag in languages for line in _notes(f"search {tag}", taken[tag], left[tag])]
    return entries, notes


def look_up(address: str, count: int, politeness: Politeness | None = None) -> list[Found]:
    """The hits of a search or collection as yt-dlp lists them, without opening one of them.

    Raises NetworkUnavailable, in one sentence, when the host cannot be asked.
    """
    page = HOST if address.startswith("ytsearch") else address
    access, politeness = Access.from_environment(), politeness or Politeness()
    advice = "try again later, or give --sources."
    if offline_forbids(page):
        raise NetworkUnavailable(
            f"Expected a network to look up {address!r}, found TFW_OFFLINE=1; "
            "unset it, or give --sources DIR|FILE."
        )
    listener = Listener(access)
    parameters = {"extract_flat": True, "playlistend": count, "socket_timeout": 30, "retries": 3}
    try:
        politeness.wait(host_of(page), most_seconds=900)
        with open_session(host_of(page), access, listener, parameters) as session:
            info = session.extract_info(address, download=False)
            return [_found(entry) for entry in (info or {}).get("entries") or () if entry][:count]
    except ItemFailed as error:
        raise NetworkUnavailable(
            f"Expected an answer to {address!r}, found that {error.outcome.detail}; {advice}"
        ) from None
    except (KeyboardInterrupt, NetworkUnavailable):
        raise
    except Exception as error:
        ruling = taxonomy.rule(error)
        if ruling.reason == "bot_check":
            politeness.stop(host_of(page), "bot check during a search")
        detail = " ".join(access.clean(str(error)).removeprefix("ERROR: ").split())[:240]
        raise NetworkUnavailable(
            f"Expected an answer to {address!r}, found {ruling.reason} ({detail}); {advice}"
        ) from None


def _found(entry: Mapping[str, Any]) -> Found:
    """What is recorded of one of yt-dlp's flat entries."""
    seconds = entry.get("duration")
    channel = entry.get("channel_id") or entry.get("channel") or entry.get("uploader")
    return {
        "url": str(entry.get("url") or entry.get("webpage_url") or ""),
        "seconds": float(seconds) if isinstance(seconds, int | float) else None,
        "channel": str(channel) if channel else None,
        "live": bool(entry.get("is_live")) or entry.get("live_status") in _LIVE,
    }


def _notes(what: str, taken: int, left: Counter[str]) -> list[str]:
    if not left:
        return []
    listed = ", ".join(f"{number} {reason}" for reason, number in sorted(left.items()))
    return [f"{what}: {taken} hits taken, left out {listed}."]
