"""Where things lie in an output folder. One place that knows the names."""

from dataclasses import dataclass
from pathlib import Path

from talkingface_wild.core.errors import InputUnreadable
from talkingface_wild.core.paths import write_text


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
        """The kept clips of the latest commit, ``<language>/<clip_id>.{mp4,wav}``: links."""
        return self.out / "media"

    @property
    def store(self) -> Path:
        """The files of finished clips that any commit names; they never change."""
        return self.out / "store"

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

    def numbers(self) -> list[int]:
        """The numbers of all finished commits, in order."""
        return [n for n in self._taken() if (self.commit(n) / "manifest.json").is_file()]

    def _taken(self) -> list[int]:
        """Numbers that a folder has, whole or not."""
        if not self.commits.is_dir():
            return []
        return sorted(int(path.name) for path in self.commits.iterdir() if path.name.isdigit())

    def commit(self, number: int) -> Path:
        """The folder of a commit by its number, whether it is there or not."""
        return self.commits / f"{number:06d}"

    def next_number(self) -> int:
        """The number of the next commit: no number is used twice, those of pruned ones included."""
        record = self.commits / ".last-pruned"
        pruned = int(record.read_text()) if record.is_file() else 0
        return max([pruned, *self._taken()]) + 1

    def note_pruned(self, number: int) -> None:
        """Keep the number of a commit that is about to be removed from being used again."""
        if number >= self.next_number() - 1:
            write_text(self.commits / ".last-pruned", f"{number}\n")

    def half_written(self) -> list[Path]:
        """Folders of commits that a killed run left before they had a number, or half removed."""
        return sorted(self.commits.glob(".building-*"))

    def check_linked(self) -> None:
        """Raise InputUnreadable where ``dataset`` is a folder of its own, as in some copies.

        Such a set can be read, but a new commit could not take its place.
        """
        if self.dataset.is_dir() and not self.dataset.is_symlink():
            raise InputUnreadable(
                f"Expected {self.dataset} to be a link to the latest commit, found a folder (a "
                "copy that followed links); move it away, and put a link in its place: "
                f"`ln -s commits/NUMBER {self.dataset}`."
            )

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
