"""Trained weights: listed, fetched, imported and verified; thin over the store."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from pydantic import Field

from talkingface_wild.core.counting import human_bytes
from talkingface_wild.core.errors import UsageError
from talkingface_wild.core.reporter import Reporter
from talkingface_wild.core.request import ARGUMENT, OPTION, Request
from talkingface_wild.weights.store import TRUSTED

if TYPE_CHECKING:
    from talkingface_wild.weights.importing import Imported
    from talkingface_wild.weights.manifest import Weight
    from talkingface_wild.weights.store import StoredWeight

Moved = Callable[[int, int | None], None]
"""Hears how many bytes of a file are here, and of how many."""


def list_weights() -> Iterator[dict[str, Any]]:
    """Every weight of the manifest as plain data: whether it is here, its size, licence, users."""
    from talkingface_wild.weights import default_store, hub
    from talkingface_wild.weights.manifest import hub_entries

    store = default_store()
    for name, weight in store.manifest.items():
        here = store.look(name)
        yield {
            "name": name,
            "state": here.state,
            "path": here.path,
            "file": weight.file,
            "size": weight.size,
            "sha256": weight.sha256,
            "sha256_source": weight.sha256_source,
            "unlocks": weight.unlocks,
            "licence": weight.licence,
            "code_licence": weight.code_licence,
            "commercial": weight.commercial,
            "used_by": weight.used_by,
            "sources": [
                *(f"{part.member} of {part.package} {part.version}" for part in weight.packages),
                *(origin.url for origin in weight.sources),
            ],
            "get": _way(weight),
            "note": weight.note,
        }
    for name, network in hub_entries().items():
        here = hub.look(network)
        yield {
            "name": name,
            "state": here.state,
            "path": here.path,
            "file": None,
            "size": here.path.stat().st_size if here.path else None,
            "sha256": here.sha256,
            "sha256_source": "the hub's own" if here.sha256 else "",
            "unlocks": network.unlocks,
            "licence": network.licence,
            "code_licence": "",
            "commercial": network.commercial,
            "used_by": network.used_by,
            "sources": [f"https://huggingface.co/{network.hub}"],
            "get": f"tfw weights fetch {name}",
            "note": f"{network.what[0].upper()}{network.what[1:]}. {network.note}".strip(),
        }


def _way(weight: Weight) -> str:
    """How a person gets it: a command, or what its note says."""
    if weight.is_open:
        return "tfw weights fetch --open"
    return f"tfw weights fetch {weight.name}" if weight.sources else weight.note


class WhereRequest(Request):
    """A weight, or none for the folder of all."""

    EXAMPLES: ClassVar = ("tfw weights where", "tfw weights where --json")

    name: str | None = Field(default=None, json_schema_extra={ARGUMENT: ""})
    """A weight; without it, the folder."""


def where(request: WhereRequest) -> Path:
    """The folder of the weights, or the verified file of one. Raises WeightMissing."""
    from talkingface_wild.weights import default_store, hub
    from talkingface_wild.weights.manifest import hub_entries

    store = default_store()
    if (network := hub_entries().get(request.name or "")) is not None:
        return hub.cached(network)
    return store.folder if request.name is None else store.path(request.name)


class FetchRequest(Request):
    """Which weights are fetched."""

    EXAMPLES: ClassVar = (
        "tfw weights fetch --open  # needs the network",
        "tfw weights fetch syncnet_v2  # needs the network",
        "tfw weights fetch --all  # needs the network",
    )

    names: tuple[str, ...] = Field((), json_schema_extra={ARGUMENT: ""})
    """Names of weights."""
    free: bool = Field(False, json_schema_extra={OPTION: "--open"})
    """All that lie in ordinary packages under free licences: some 105 MB."""
    every: bool = Field(False, json_schema_extra={OPTION: "--all"})
    """All that measures use and that has an address; what generators need comes by name."""
    index: str = ""
    """Package index, or a folder of wheels. Default: PIP_INDEX_URL, or pypi.org."""


def fetch(
    request: FetchRequest,
    reporter: Reporter,
    bar: Callable[[str], AbstractContextManager[Moved | None]],
) -> dict[str, Path]:
    """The files by name; ``bar`` shows one that comes in. Raises UsageError, WeightMissing."""
    from talkingface_wild.weights import default_store, hub
    from talkingface_wild.weights.fetch import fetch as fetch_weight
    from talkingface_wild.weights.manifest import hub_entries
    from talkingface_wild.weights.wheels import Wheels

    store = default_store()
    ways = (bool(request.names), request.free, request.every)
    if sum(ways) != 1:
        raise UsageError(
            "Expected names of weights or one of --open and --all, found "
            f"{'several of these' if any(ways) else 'none'}; 'tfw weights list' shows the names."
        )
    names = list(dict.fromkeys(request.names))
    if request.every:
        names = [name for name, w in store.manifest.items() if w.sources or w.packages]
    if request.free:
        names = [name for name, weight in store.manifest.items() if weight.is_open]
    networks = [hub_entries()[name] for name in names if name in hub_entries()]
    files, wheels = {}, Wheels(store.folder / ".partial", request.index or None)
    for weight in [store.entry(name) for name in names if name not in hub_entries()]:
        if store.find(weight.name) is None:
            reporter.say(f"{weight.name}: {human_bytes(weight.size)}, licence: {weight.licence}")
        with bar(weight.name) as moved:
            files[weight.name] = fetch_weight(store, weight.name, moved, wheels=wheels)
    wheels.clear()
    for network in networks:
        reporter.say(f"{network.name}: {network.hub}, licence: {network.licence}")
        files[network.name] = hub.fetch(network)
    return files


class ImportRequest(Request):
    """What is taken into the store."""

    EXAMPLES: ClassVar = (
        "tfw weights import .  # needs your own files",
        "tfw weights import ~/Downloads --trust  # needs your own files",
    )

    source: Path = Field(json_schema_extra={ARGUMENT: ""})
    """A folder, a file, or a zip or tar archive."""
    trust: bool = False
    """Take files of the right layout but unknown hash, too."""


def import_files(request: ImportRequest, reporter: Reporter) -> list[Imported]:
    """Copy weights into the store; what is refused is warned of. Raises InputUnreadable."""
    from talkingface_wild.weights import default_store
    from talkingface_wild.weights.importing import import_weights

    results = import_weights(default_store(), request.source.expanduser(), request.trust)
    for one in results:
        if one.result == "refused":
            reporter.warn(f"{one.source} was refused: {one.reason}")
    return results


class VerifyWeightsRequest(Request):
    """Which weights are hashed again."""

    EXAMPLES: ClassVar = ("tfw weights verify", "tfw weights verify --json")

    names: tuple[str, ...] = Field((), json_schema_extra={ARGUMENT: ""})
    """Names of weights; without them, all that are here."""


def verify(request: VerifyWeightsRequest, reporter: Reporter) -> dict[str, StoredWeight]:
    """What each weight's file turns out to be, hashed anew. Raises UsageError."""
    from talkingface_wild.weights import default_store, hub
    from talkingface_wild.weights.manifest import hub_entries

    store = default_store()
    networks = hub_entries()
    names = request.names or (*store.manifest, *networks)
    files = {
        name: hub.look(networks[name], fresh=True)
        if name in networks
        else store.look(name, fresh=True)
        for name in names
    }
    if not request.names:
        files = {name: file for name, file in files.items() if file.state != "missing"}
    for name, file in files.items():
        if file.state == "trusted":
            reporter.warn(f"{name}: {TRUSTED}.")
    return files
