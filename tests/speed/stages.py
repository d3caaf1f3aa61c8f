"""Stages that do nothing, or only burn time: what is left is the engine's own work."""

import time
from collections.abc import Sequence
from dataclasses import dataclass

from talkingface_wild.core.columns import Column
from talkingface_wild.core.outcome import Done, Outcome
from talkingface_wild.engine.plan import Plan, make_plan
from talkingface_wild.engine.stage import Item, Stage


@dataclass(frozen=True)
class Nothing:
    """Nothing to set."""


class Empty(Stage):
    """One value per item, at once."""

    Config = Nothing
    batch_size = 64

    def process(self, items: Sequence[Item]) -> list[Outcome]:
        return [Done({self.columns[0].name: 1.0}) for _ in items]


class One(Empty):
    name = "one"
    columns = (Column("a", "float", "one"),)


class Two(Empty):
    name = "two"
    columns = (Column("b", "float", "one"),)


class Three(Empty):
    name = "three"
    columns = (Column("c", "float", "one"),)


class Four(Empty):
    name = "four"
    columns = (Column("d", "float", "one"),)


class Five(Empty):
    name = "five"
    columns = (Column("e", "float", "one"),)


class Six(Empty):
    name = "six"
    columns = (Column("f", "float", "one"),)


class Burn(Stage):
    """Keeps one processor busy for 20 ms per item."""

    name = "burn"
    Config = Nothing
    columns = (Column("burnt", "float", "seconds", "s"),)

    def process(self, items: Sequence[Item]) -> list[Outcome]:
        for _ in items:
            end = time.process_time() + 0.02
            while time.process_time() < end:
                pass
        return [Done({"burnt": 0.02}) for _ in items]


def empty_plan() -> Plan:
    """Six empty stages."""
    stages = [(stage, Nothing(), None) for stage in (One, Two, Three, Four, Five, Six)]
    return make_plan(stages, [], lambda name: None)


def burning_plan() -> Plan:
    """One busy stage."""
    return make_plan([(Burn, Nothing(), None)], [], lambda name: None)


def items(count: int) -> list[Item]:
    """Clips without a source."""
    return [Item(f"i{index:06d}", "clip", "en") for index in range(count)]
