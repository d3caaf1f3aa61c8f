"""How a run stands, read from the workers' logs: the same for every engine."""

from __future__ import annotations

import json
import threading
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path


@dataclass
class Progress:
    """Counts of results of this run by stage and state, found by reading what the logs gained."""

    folder: Path
    """The journal's folder."""
    started: float = field(default_factory=time.monotonic)
    states: Counter[tuple[str, str]] = field(default_factory=Counter)
    reasons: Counter[str] = field(default_factory=Counter)
    roots_total: int = 0
    _offsets: dict[Path, int] = field(default_factory=dict)
    _reading: threading.Lock = field(default_factory=threading.Lock)

    def refresh(self) -> int:
        """Read new whole lines of every log; returns how many results they held. Thread-safe."""
        with self._reading:
            return self._read()

    def _read(self) -> int:
        found = 0
        for log in sorted((self.folder / "logs").glob("*.jsonl")):
            try:
                with log.open("rb") as stream:
                    stream.seek(self._offsets.get(log, 0))
                    data = stream.read()
            except FileNotFoundError:
                continue
            end = data.rfind(b"\n") + 1
            self._offsets[log] = self._offsets.get(log, 0) + end
            for line in data[:end].splitlines():
                try:
                    record = json.loads(line)
                    self.states[record["stage"], record["state"]] += 1
                except (ValueError, KeyError, TypeError):
                    continue
                if record["reason"]:
                    self.reasons[record["reason"]] += 1
                found += 1
        return found

    @property
    def results(self) -> int:
        """Results of this run so far, of all stages."""
        return sum(self.states.values())

    @property
    def seconds(self) -> float:
        """Wall seconds since the run began."""
        return time.monotonic() - self.started

    def done(self, stage: str) -> int:
        """Results of one stage in this run, whatever they say."""
        return sum(count for (name, _), count in self.states.items() if name == stage)
