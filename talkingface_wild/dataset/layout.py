"""Where things lie in an output folder. One place that knows the names."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from talkingface_wild.core.errors import InputUnreadable


@dataclass(frozen=True)
class Layout:
    """The output folder of one data set."""

    out: Path

    @property
    def dataset(self) -> Path:
        """A link to the latest commit."""
        return self.out / "dataset"

    @property
    def commits(self) -> Path:
        """Every commit, numbered."""
        return self.out / "commits"

    @property
    def media(self) -> Path:
        """Finished clips, ``<language>/<clip_id>.{mp4,wav}``."""
        return self.out / "media"

    @property
    def review(self) -> Path:
        """Manifests, contact sheets and imported decisions."""
        return self.out / "review"

    @property
    def figures(self) -> Path:
        """Pictures that verbs draw of the data set."""
        return self.out / "figures"

    @property
    def sources(self) -> Path:
        """The sources of the data set, as gathered."""
        return self.out / "sources.json"

    def has_commit(self) -> bool:
        """Whether a finished commit is there."""
        return (self.dataset / "manifest.json").is_file()

    def latest(self) -> Path:
        """The folder of the latest commit. Raises InputUnreadable when there is none."""
        if not self.has_commit():
            raise InputUnreadable(
                f"Expected a data set in {self.out}, found no finished commit there; "
                f"make one with `tfw curate --out {self.out}`."
            )
        return self.dataset.resolve()
