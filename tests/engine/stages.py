"""A small plan of every kind of stage, whose items say by their payload what goes wrong where.

``look`` measures sources, ``cut`` splits them, ``weigh`` measures clips, ``rank`` is a barrier over
the kept ones, ``seal`` comes after it and only for kept clips.
"""

import errno
import os
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pandas as pd

from talkingface_wild.core.columns import Column
from talkingface_wild.core.gate import Gate
from talkingface_wild.core.outcome import Child, Done, Failed, ItemRejected, Rejected
from talkingface_wild.engine.plan import Plan, make_plan
from talkingface_wild.engine.ruling import Ruling
from talkingface_wild.engine.run import Run
from talkingface_wild.engine.stage import SILENT, Item, Stage, Whole, Workplace


@dataclass(frozen=True)
class Settings:
    """``factor`` changes results; the others change only how the work is done."""

    factor: float = 1.0
    tally: str = field(default="", metadata=SILENT)
    """A file that gets a line per item worked on."""
    seconds: float = field(default=0.0, metadata=SILENT)
    """How long an item takes."""
    switch: str = field(default="", metadata=SILENT)
    """Faults named ``until`` happen while this file is absent."""


class Faulty(Stage):
    """Answers ``self.answer`` unless the payload's ``faults`` say otherwise for this stage."""

    Config = Settings

    def process(self, items: Sequence[Item]) -> list:
        if len(items) > 1 and any(self.fault(item) == "batch" for item in items):
            raise ValueError("this batch holds an odd one")
        if len(items) > 1 and any(self.fault(item) == "count" for item in items):
            return []
        return [self.one(item) for item in items]

    def fault(self, item: Item) -> str:
        return item.payload.get("faults", {}).get(self.name, "")

    def one(self, item: Item) -> Any:
        fault = self.fault(item)
        if self.config.tally:
            note(self.config.tally, f"{self.name} {item.id}")
        if self.config.seconds:
            time.sleep(self.config.seconds)
        if fault == "die":
            os._exit(7)
        if fault == "raise":
            raise ZeroDivisionError("a fault in the stage")
        if fault == "rejects":
            raise ItemRejected("undecodable", "raised from below")
        if fault == "reject":
            return Rejected("silent", "as the stage found", {})
        if fault == "fail":
            return Failed("network", "gone for now")
        if fault == "transient":
            return Failed("network", "again and again", transient=True)
        if fault == "once":
            return self.once(item)
        if fault == "until" and not Path(self.config.switch).exists():
            return Failed("network", "not yet")
        if fault == "disk":
            raise OSError(errno.ENOSPC, "No space left on device")
        if fault == "undeclared":
            return Done({"nobody_declared_this": 1})
        if fault == "wrong":
            return "not an outcome"
        return self.answer(item)

    def once(self, item: Item) -> Any:
        """A transient failure the first time, an answer the second."""
        mark = self.place.out / f"tried-{self.name}-{item.id}"
        if mark.exists():
            return self.answer(item)
        mark.touch()
        return Failed("network", "the first time", transient=True)

    def answer(self, item: Item) -> Done:
        raise NotImplementedError


class Look(Faulty):
    name = "look"
    level = "source"
    columns = (Column("size", "float", "as the payload says", "s"),)
    batch_size = 4

    def answer(self, item: Item) -> Done:
        size = item.payload["size"]
        return Done({"size": None if size is None else size * self.config.factor})


class Cut(Faulty):
    name = "cut"
    level = "source"
    kind = "split"
    needs = ("size",)
    columns = (Column("length", "float", "length of a part", "s"),)

    def answer(self, item: Item) -> Done:
        parts = item.payload["parts"]
        faults = item.payload.get("clip_faults", {})
        if item.payload.get("same_id"):
            return Done({}, (Child(item.id, {}, {"length": 1.0}),))
        return Done(
            {},
            tuple(
                Child(
                    f"{item.id}.{part}",
                    {"part": part, "faults": faults.get(str(part), {})},
                    {"length": (item.values["size"] or 0.0) / (part + 1)},
                )
                for part in range(parts)
            ),
        )


class Weigh(Faulty):
    name = "weigh"
    needs = ("length",)
    columns = (
        Column("weight", "float", "twice the length", "kg"),
        Column("even", "bool", "whether the part is even"),
        Column("edges", "list<float>", "a number per sample"),
    )
    batch_size = 3

    def answer(self, item: Item) -> Done:
        length = item.values["length"]
        part = item.payload["part"]
        return Done({"weight": 2 * length, "even": part % 2 == 0, "edges": [0.0, float(part)]})


class Measure(Weigh):
    """Another measure of clips, which needs nothing of ``weigh``."""

    name = "measure"
    needs = ("length",)
    columns = (Column("height", "int", "part plus one", "px"),)
    batch_size = 2

    def answer(self, item: Item) -> Done:
        return Done({"height": item.payload["part"] + 1})


class Rank(Whole):
    name = "rank"
    needs = ("weight",)
    columns = (Column("place", "int", "1 for the heaviest kept clip"),)
    Config = Settings

    def compute(self, table: pd.DataFrame) -> pd.DataFrame:
        order = sorted(table.index, key=lambda clip: (-table.at[clip, "weight"], clip))
        places = {clip: place for place, clip in enumerate(order, 1)}
        return pd.DataFrame(
            {"place": pd.array([places[clip] for clip in table.index], dtype="Int64")},
            index=table.index,
        )


class Seal(Faulty):
    name = "seal"
    needs = ("weight", "place")
    columns = (Column("seal", "string", "weight and place as text"),)
    scored = False
    batch_size = 2

    def answer(self, item: Item) -> Done:
        return Done({"seal": f"{item.values['weight']:.3f} at {item.values['place']}"})


STAGES = (Look, Cut, Weigh, Measure, Rank, Seal)
GATES = (
    Gate("size", "size", ">=", 2.0, "low_resolution", per_group={"xx": 4.0}),
    Gate("length", "length", ">=", 1.0, "too_short", "reject"),
    Gate("weight", "weight", "<=", 20.0, "too_large", "pass"),
    Gate("place", "place", "<=", 40, "over_source_cap"),
)


def plan_of(
    gates: Sequence[Gate] = GATES,
    settings: Mapping[str, Settings] | Settings = Settings(),
    unmeasured: Mapping[str, str] | None = None,
    score_all: bool = False,
) -> Plan:
    """The plan of ``STAGES``; ``settings`` for all or by stage."""
    chosen = settings if isinstance(settings, Mapping) else dict.fromkeys(_names(), settings)
    stages = [
        (stage, chosen.get(stage.name, Settings()), (unmeasured or {}).get(stage.name))
        for stage in STAGES
    ]
    return make_plan(stages, gates, lambda name: None, score_all)


def _names() -> list[str]:
    return [stage.name for stage in STAGES]


def roots_of(count: int, **payloads: Mapping[str, Any]) -> list[Item]:
    """``count`` sources of growing size; ``r3={...}`` changes the payload of the fourth."""
    return [
        Item(
            f"r{index}",
            "source",
            "xx" if index % 5 == 4 else "en",
            {"size": float(index % 13), "parts": 1 + index % 4, **payloads.get(f"r{index}", {})},
        )
        for index in range(count)
    ]


def go(out: Path, plan: Plan, roots: Sequence[Item], executor: Any = None, **more: Any) -> Ruling:
    """One run, by default in this process."""
    from talkingface_wild.engine.executors import LocalExecutor

    return Run(plan, roots, Workplace(out), executor or LocalExecutor(), **more).go()


def facts_of(ruling: Ruling) -> pd.DataFrame:
    """What must not depend on when, where or by which engine it was made: measures and verdicts."""
    table = ruling.table.drop(columns=[c for c in ruling.table if c.startswith("@")])
    both = table.join(ruling.verdicts.add_prefix("verdict_"))
    return both.sort_index().astype(object).where(lambda frame: frame.notna(), None)


def assert_same(one: Ruling, other: Ruling) -> None:
    """The same items with the same measures, verdicts and ledger."""
    first, second = facts_of(one), facts_of(other)
    assert list(first.index) == list(second.index)
    assert first.to_dict("index") == second.to_dict("index")
    assert ledger_of(one) == ledger_of(other)


def ledger_of(ruling: Ruling) -> list[tuple]:
    columns = ["item_id", "stage", "state", "gate", "reason"]
    rows = ruling.ledger[columns].astype(object)
    return sorted(map(tuple, rows.where(rows.notna(), "").to_numpy().tolist()))


def note(path: str, line: str) -> None:
    """Append a line in one system call, so that several processes may."""
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    try:
        os.write(handle, f"{line}\n".encode())
    finally:
        os.close(handle)


def notes(path: Path) -> list[str]:
    """The lines noted so far."""
    return path.read_text().split("\n")[:-1] if path.exists() else []
