"""How much of a group of tensors a published checkpoint filled, told by name.

It knows neither files nor networks.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from talkingface_wild.core.errors import InputUnreadable, WeightMissing

LEAST = 0.99
"""Smallest share of a requested group's tensors that is loaded without an error."""
SHOWN = 3
"""Names that a sentence spells out."""
HEADER = ("group", "loaded", "of", "share", "missing", "shapes", "unexpected", "left out", "source")


@dataclass(frozen=True)
class Mismatch:
    """A tensor that the checkpoint has in another shape or kind than the network."""

    name: str
    expected: str
    in_checkpoint: str


@dataclass(frozen=True)
class Coverage:
    """One group: what was loaded, and what was not. Names are those of our networks' tensors,
    ``unexpected`` and ``left_out`` those of the checkpoint.
    """

    group: str
    """What is filled, such as ``unet trunk``."""
    source: str
    """Where from, as the user named it."""
    loaded: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()
    """Tensors that the checkpoint lacks: they keep their fresh values."""
    mismatched: tuple[Mismatch, ...] = ()
    unexpected: tuple[str, ...] = ()
    """Tensors of the checkpoint that nothing is known about."""
    left_out: tuple[str, ...] = ()
    """Tensors of the checkpoint that belong to other parts (a text encoder, a CTC head)."""
    idle: tuple[str, ...] = ()
    """Tensors that the checkpoint lacks and that are never read; they don't count."""
    values: int = 0
    """Numbers in the loaded tensors."""
    derived: bool = False
    """A second copy of another group's tensors, which is judged there."""
    advice: str = "take the complete checkpoint"
    """What to do when too little is there, as the end of a sentence."""

    @property
    def expected(self) -> int:
        """Tensors that should be filled."""
        return len(self.loaded) + len(self.missing) + len(self.mismatched)

    @property
    def share(self) -> float:
        """Loaded tensors of the expected ones, 0 to 1; 0 where none is expected."""
        return len(self.loaded) / self.expected if self.expected else 0.0

    def check(self, least: float = LEAST) -> None:
        """Nothing, or why this group can't be used.

        Raises:
            InputUnreadable: a tensor has another shape: the checkpoint is of another network.
            WeightMissing: fewer than ``least`` of the tensors are there.
        """
        if self.mismatched:
            first = self.mismatched[0]
            raise InputUnreadable(
                f"Expected the shapes of {self.group} in {self.source}, found {first.name} as "
                f"{first.in_checkpoint} instead of {first.expected}"
                f"{_more(len(self.mismatched) - 1)}; take a checkpoint of this size, or a preset "
                "that has the checkpoint's."
            )
        if self.share < least and not self.derived:
            examples = (
                f", which has for instance {_spelt(self.unexpected)}" if self.unexpected else ""
            )
            raise WeightMissing(
                f"Expected at least {least:.0%} of the {self.expected} tensors of {self.group} in "
                f"{self.source}, found {len(self.loaded)} ({_percent(self.share)}) without "
                f"{_spelt(self.missing)}{examples}; {self.advice}."
            )

    def row(self) -> tuple[str, ...]:
        """The cells under ``HEADER``."""
        return (
            self.group,
            str(len(self.loaded)),
            str(self.expected),
            _percent(self.share),
            str(len(self.missing)),
            str(len(self.mismatched)),
            str(len(self.unexpected)),
            str(len(self.left_out)),
            self.source,
        )

    def __str__(self) -> str:
        """One line for a log."""
        line = (
            f"{self.group}: {len(self.loaded)} of {self.expected} tensors "
            f"({_percent(self.share)}, {self.values / 1e6:.2f} M values) from {self.source}"
        )
        if self.missing:
            line += f"; missing {_spelt(self.missing)}"
        if self.unexpected:
            line += f"; unexpected {_spelt(self.unexpected)}"
        return line


def table(coverages: Iterable[Coverage]) -> list[tuple[str, ...]]:
    """Rows of plain text, the header first."""
    return [HEADER, *(coverage.row() for coverage in coverages)]


def _percent(share: float) -> str:
    """Never rounded up to 100 %."""
    return f"{int(share * 1000) / 10:.1f} %"


def _spelt(names: Sequence[str]) -> str:
    return ", ".join(names[:SHOWN]) + _more(len(names) - SHOWN)


def _more(count: int) -> str:
    return f" and {count} more" if count > 0 else ""
