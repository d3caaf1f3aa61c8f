"""What makes a number: the protocol, list, frames and networks behind it, as one line of text.

In the manner of sacreBLEU: two numbers may stand in one column only when their signatures agree.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterable
from dataclasses import dataclass

INFORMATIVE = ("clips", "in", "seeds", "tfw")
"""Parts that are never compared: how many clips, how they were delivered, by whom."""

_COUNT = re.compile(r"^([^:]+:[^:]+):\d+([fwc]:[^:]+)$")


@dataclass(frozen=True)
class Signature:
    """Ordered parts, each ``name=text`` or plain ``text`` (the protocol's name comes first)."""

    parts: tuple[str, ...]

    def __str__(self) -> str:
        return "|".join(self.parts)

    @classmethod
    def parse(cls, text: str) -> Signature:
        """The signature that ``str`` wrote."""
        return cls(tuple(text.split("|")))

    def part(self, name: str) -> str | None:
        """The text behind ``name=``, or None."""
        start = f"{name}="
        return next((p.removeprefix(start) for p in self.parts if p.startswith(start)), None)

    @property
    def compared(self) -> tuple[str, ...]:
        """The parts on which two numbers have to agree; counts of frames and windows are not."""
        parts = (part for part in self.parts if part.partition("=")[0] not in INFORMATIVE)
        return tuple(_COUNT.sub(r"\1:n\2", part) for part in parts)


def differences(first: Signature, second: Signature) -> list[str]:
    """The parts on which two signatures differ, as ``a ≠ b``; empty when they may be compared."""
    pairs = itertools.zip_longest(first.compared, second.compared, fillvalue="nothing")
    return [f"{one} ≠ {other}" for one, other in pairs if one != other]


def merged(signatures: Iterable[Signature]) -> Signature:
    """One line for several scores of a run: common parts once, the networks' parts side by side."""
    every = list(signatures)
    if not every:
        return Signature(())
    last = [part for part in every[0].parts if part.partition("=")[0] in ("seeds", "tfw")]
    parts: list[str] = []
    for signature in every:
        parts += [part for part in signature.parts if part not in parts and part not in last]
    return Signature((*parts, *last))
