"""How often a host may be asked: a token bucket per host, shared by all processes of a user."""

import contextlib
import fcntl
import json
import math
import os
import random
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from talkingface_wild.core.fingerprint import digest
from talkingface_wild.core.outcome import ItemFailed
from talkingface_wild.core.paths import write_text
from talkingface_wild.pipelines.sources.address import is_loopback


@dataclass(frozen=True)
class HostLimit:
    """What a host is asked for: videos an hour, how many at once, a jittered sleep before each."""

    per_hour: float = 300.0
    burst: int = 3
    least_pause_seconds: float = 5.0
    most_pause_seconds: float = 10.0

    def __post_init__(self) -> None:
        if self.per_hour <= 0 or self.burst < 1:
            raise ValueError("a host's limit needs per_hour > 0 and burst >= 1")
        if not 0 <= self.least_pause_seconds <= self.most_pause_seconds:
            raise ValueError("a host's limit needs 0 <= least_pause_seconds <= most_pause_seconds")


UNLIMITED = HostLimit(math.inf, 1, 0.0, 0.0)


def default_folder() -> Path:
    """Where the state of all hosts lies for this user, whatever the output folder."""
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base) / "talkingface-wild" / "hosts"


class Politeness:
    """Token buckets, pauses and stops per host, kept in one small file each under a file lock.

    A worker that dies loses its token and nothing else: the kernel frees its lock and files are
    replaced whole. This machine itself (loopback) is not limited unless ``limits`` names it.
    ``run`` names the run that works: a host that it stopped stays stopped for it, and for other
    runs during ``stop_seconds``. Times are seconds since the epoch.
    """

    def __init__(
        self,
        folder: Path | None = None,
        limits: Mapping[str, HostLimit] | None = None,
        *,
        default: HostLimit | None = None,
        run: str = "",
        stop_seconds: float = 3600.0,
        clock: Callable[[], float] = time.time,
        sleep: Callable[[float], None] = time.sleep,
        chance: Callable[[float, float], float] = random.uniform,
    ) -> None:
        self._folder = folder or default_folder()
        self._limits = dict(limits or {})
        self._default = default or HostLimit()
        self._run = run
        self._stop_seconds = stop_seconds
        self._clock, self._sleep, self._chance = clock, sleep, chance

    def limit_for(self, host: str) -> HostLimit:
        """The limit that holds for ``host``."""
        limit = self._limits.get(host)
        if limit is not None:
            return limit
        return UNLIMITED if is_loopback(host) else self._default

    def wait(self, host: str, most_seconds: float = math.inf) -> float:
        """Take a token and sleep until it is due; the seconds slept.

        Raises ItemFailed: ``host_stopped`` when the host was stopped, before or during the sleep,
        and ``rate_limited`` when the host asked for a pause longer than ``most_seconds``.
        """
        limit = self.limit_for(host)
        with self._state(host) as state:
            self._refuse_stopped(host, state)
            now = self._clock()
            pause = float(state.get("not_before", 0.0)) - now
            if pause > most_seconds:
                raise ItemFailed("rate_limited", f"{host} asks to wait {pause:.0f} s")
            due = max(0.0, pause, _take(state, limit, now))
        jitter = self._chance(limit.least_pause_seconds, limit.most_pause_seconds)
        seconds = due + jitter
        if seconds > 0:
            self._sleep(seconds)
            with self._state(host) as state:
                self._refuse_stopped(host, state)
        return seconds

    def pause(self, host: str, seconds: float) -> None:
        """Let nobody ask ``host`` for so many seconds (an answer 429 with Retry-After)."""
        with self._state(host) as state:
            state["not_before"] = max(
                float(state.get("not_before", 0.0)), self._clock() + max(0.0, seconds)
            )

    def stop(self, host: str, why: str) -> None:
        """Stop ``host``: every later ``wait`` for it fails with ``host_stopped``."""
        with self._state(host) as state:
            state["stop"] = {"run": self._run, "time": self._clock(), "why": why[:300]}

    def allow(self, host: str) -> None:
        """Take a stop and a pause back (a new run that retries what failed)."""
        with self._state(host) as state:
            state.pop("stop", None)
            state.pop("not_before", None)

    def stopped(self, host: str) -> str | None:
        """Why ``host`` is stopped for this run, or None."""
        with self._state(host) as state:
            return self._why_stopped(state)

    def _refuse_stopped(self, host: str, state: dict[str, Any]) -> None:
        why = self._why_stopped(state)
        if why is not None:
            raise ItemFailed("host_stopped", f"{host} was stopped: {why}")

    def _why_stopped(self, state: dict[str, Any]) -> str | None:
        stop = state.get("stop")
        if not isinstance(stop, dict):
            return None
        mine = bool(self._run) and stop.get("run") == self._run
        age = self._clock() - float(stop.get("time", 0.0))
        return str(stop.get("why", "")) if mine or age < self._stop_seconds else None

    @contextlib.contextmanager
    def _state(self, host: str) -> Iterator[dict[str, Any]]:
        """The host's state under its lock; written back when it changed."""
        self._folder.mkdir(parents=True, exist_ok=True)
        file = self._folder / f"{digest(host)}.json"
        handle = os.open(file.with_suffix(".lock"), os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX)
            before = file.read_text(encoding="utf-8") if file.exists() else ""
            try:
                state = dict(json.loads(before)) if before else {"host": host}
            except (ValueError, TypeError):
                state = {"host": host, "tokens": 0.0, "stamp": self._clock()}
            try:
                yield state
            finally:
                after = json.dumps(state, sort_keys=True)
                if after != before:
                    write_text(file, after)
        finally:
            os.close(handle)


def _take(state: dict[str, Any], limit: HostLimit, now: float) -> float:
    """Take one token, on credit if need be; the seconds until it is due."""
    if math.isinf(limit.per_hour):
        return 0.0
    rate = limit.per_hour / 3600.0
    stamp = float(state.get("stamp", now))
    tokens = float(state.get("tokens", limit.burst))
    tokens = min(float(limit.burst), tokens + max(0.0, now - stamp) * rate) - 1.0
    state["tokens"], state["stamp"] = tokens, now
    return max(0.0, -tokens / rate)
