"""Token buckets over a simulated clock, and over two real processes that share one folder."""

from __future__ import annotations

import math
import multiprocessing
import os
import signal
import time
from multiprocessing.queues import Queue
from pathlib import Path

import pytest

from talkingface_wild.core.outcome import ItemFailed
from talkingface_wild.pipelines.download.politeness import UNLIMITED, HostLimit, Politeness

HOST = "video.example"


class Clock:
    """A clock that only sleeping moves."""

    def __init__(self) -> None:
        self.now = 1_700_000_000.0
        self.slept: list[float] = []

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds


def polite(folder: Path, clock: Clock, limit: HostLimit, run: str = "") -> Politeness:
    return Politeness(
        folder,
        {HOST: limit},
        run=run,
        clock=lambda: clock.now,
        sleep=clock.sleep,
        chance=lambda low, high: (low + high) / 2,
    )


def test_the_bucket_allows_a_burst_and_then_its_rate(tmp_path: Path) -> None:
    clock = Clock()
    bucket = polite(tmp_path, clock, HostLimit(300, 3, 0, 0))
    waits = [bucket.wait(HOST) for _ in range(10)]
    assert waits[:3] == [0, 0, 0]
    assert waits[3:] == pytest.approx([12.0] * 7)


def test_a_rest_fills_the_bucket_up_to_its_burst_and_no_more(tmp_path: Path) -> None:
    clock = Clock()
    bucket = polite(tmp_path, clock, HostLimit(300, 3, 0, 0))
    for _ in range(4):
        bucket.wait(HOST)
    clock.now += 3600
    assert [bucket.wait(HOST) > 0 for _ in range(4)] == [False, False, False, True]


def test_two_workers_share_one_bucket_and_hosts_do_not(tmp_path: Path) -> None:
    clock = Clock()
    limit = HostLimit(60, 1, 0, 0)
    one, two = polite(tmp_path, clock, limit), polite(tmp_path, clock, limit)
    assert one.wait(HOST) == 0
    assert two.wait(HOST) == pytest.approx(60)
    other = Politeness(tmp_path, default=limit, clock=lambda: clock.now, sleep=clock.sleep)
    assert other.wait("else.example") == 0


def test_the_sleep_before_each_video_is_jittered_within_its_bounds(tmp_path: Path) -> None:
    slept: list[float] = []
    bucket = Politeness(tmp_path, {HOST: HostLimit(math.inf, 1, 5, 10)}, sleep=slept.append)
    for _ in range(20):
        bucket.wait(HOST)
    assert min(slept) >= 5 and max(slept) <= 10
    assert len(set(slept)) > 10


def test_defaults_are_300_an_hour_and_this_machine_is_free(tmp_path: Path) -> None:
    bucket = Politeness(tmp_path)
    assert bucket.limit_for("youtube.com").per_hour == 300
    assert bucket.limit_for("127.0.0.1") == bucket.limit_for("localhost") == UNLIMITED
    assert Politeness(tmp_path, {"localhost": HostLimit(5)}).limit_for("localhost").per_hour == 5


def test_a_pause_holds_for_everyone_and_too_long_a_one_fails_for_now(tmp_path: Path) -> None:
    clock = Clock()
    free = HostLimit(math.inf, 1, 0, 0)
    polite(tmp_path, clock, free).pause(HOST, 90)
    other = polite(tmp_path, clock, free)
    with pytest.raises(ItemFailed) as caught:
        other.wait(HOST, most_seconds=60)
    assert caught.value.outcome.reason == "rate_limited"
    assert other.wait(HOST, most_seconds=100) == pytest.approx(90)
    assert other.wait(HOST) == 0


def test_a_stopped_host_fails_later_work_and_other_runs_for_an_hour(tmp_path: Path) -> None:
    clock = Clock()
    free = HostLimit(math.inf, 1, 0, 0)
    mine, other = polite(tmp_path, clock, free, "a"), polite(tmp_path, clock, free, "b")
    mine.stop(HOST, "it asked for a captcha")
    for bucket in (mine, other):
        with pytest.raises(ItemFailed, match="captcha") as caught:
            bucket.wait(HOST)
        assert caught.value.outcome.reason == "host_stopped"
    clock.now += 3601
    assert other.wait(HOST) == 0
    assert mine.stopped(HOST) == "it asked for a captcha"
    mine.allow(HOST)
    assert mine.wait(HOST) == 0


def test_a_stop_during_the_sleep_is_noticed_before_the_work(tmp_path: Path) -> None:
    bucket = Politeness(
        tmp_path,
        {HOST: HostLimit(math.inf, 1, 5, 5)},
        sleep=lambda _: Politeness(tmp_path).stop(HOST, "bot check elsewhere"),
    )
    with pytest.raises(ItemFailed) as caught:
        bucket.wait(HOST)
    assert caught.value.outcome.reason == "host_stopped"


def test_a_clock_set_back_gives_no_tokens_and_no_endless_wait(tmp_path: Path) -> None:
    clock = Clock()
    bucket = polite(tmp_path, clock, HostLimit(300, 1, 0, 0))
    bucket.wait(HOST)
    clock.now -= 86_400
    assert bucket.wait(HOST) == pytest.approx(12)


def test_a_damaged_state_file_starts_empty_and_not_full(tmp_path: Path) -> None:
    clock = Clock()
    bucket = polite(tmp_path, clock, HostLimit(300, 5, 0, 0))
    bucket.wait(HOST)
    (file,) = tmp_path.glob("*.json")
    file.write_text('{"tokens": 5')
    assert bucket.wait(HOST) == pytest.approx(12)


def take_many(folder: Path, count: int, waits: Queue[float]) -> None:
    bucket = Politeness(
        folder, {HOST: HostLimit(3600, 1, 0, 0)}, clock=lambda: 1e9, sleep=lambda _: None
    )
    for _ in range(count):
        waits.put(bucket.wait(HOST))


def test_two_processes_never_share_a_token(tmp_path: Path) -> None:
    """At a standing clock each token is due one second after the last: 0, 1, 2, … exactly once."""
    context = multiprocessing.get_context("spawn")
    waits: Queue[float] = context.Queue()
    workers = [context.Process(target=take_many, args=(tmp_path, 25, waits)) for _ in range(2)]
    for worker in workers:
        worker.start()
    found = sorted(waits.get(timeout=60) for _ in range(50))
    for worker in workers:
        worker.join()
    assert found == pytest.approx([float(index) for index in range(50)])


def hold_the_lock(folder: Path, ready: Queue[int]) -> None:
    with Politeness(folder)._state(HOST):
        ready.put(os.getpid())
        time.sleep(60)


def test_a_killed_holder_of_the_lock_blocks_nobody(tmp_path: Path) -> None:
    context = multiprocessing.get_context("spawn")
    ready: Queue[int] = context.Queue()
    worker = context.Process(target=hold_the_lock, args=(tmp_path, ready))
    worker.start()
    os.kill(ready.get(timeout=60), signal.SIGKILL)
    worker.join()
    bucket = Politeness(tmp_path, {HOST: UNLIMITED})
    assert bucket.wait(HOST) == 0


def test_a_limit_that_makes_no_sense_is_refused() -> None:
    for values in ((0, 1, 0, 0), (1, 0, 0, 0), (1, 1, 5, 1)):
        with pytest.raises(ValueError):
            HostLimit(*values)
