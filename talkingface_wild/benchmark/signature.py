"""What makes a number: the protocol, list, frames and networks behind it, as one line of text.

In the manner of sacreBLEU: two numbers may stand in one column only when their signatures agree.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

INFORMATIVE = ("clips", "in", "seeds", "tfw")
"""Parts that are said and never compared: how many clips, how they were delivered, by whom."""

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
        for part in self.parts:
            key, equals, text = part.partition("=")
            if equals and key == name:
                return text
        return None

    @property
    def compared(self) -> tuple[str, ...]:
        """The parts on which two numbers have to agree; counts of frames and windows are not."""
        kept = (part for part in self.parts if part.partition("=")[0] not in INFORMATIVE)
        return tuple(_COUNT.sub(r"\1:n\2", part) for part in kept)


def differences(first: Signature, second: Signature) -> list[str]:
    """The parts on which two signatures differ, as ``a ≠ b``; empty when they may be compared."""
    mine, others = first.compared, second.compared
    found = []
    for position in range(max(len(mine), len(others))):
        one = mine[position] if position < len(mine) else "nothing"
        other = others[position] if position < len(others) else "nothing"
        if one != other:
            found.append(f"{one} ≠ {other}")
    return found


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
