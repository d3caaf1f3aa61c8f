"""Runs: resume, retries, loosened gates, stops, a full disk, kill -9."""

import os
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import pytest

from talkingface_wild.core.errors import DiskFull
from talkingface_wild.core.gate import Gate
from talkingface_wild.engine.run import Run
from talkingface_wild.engine.stage import Workplace
from talkingface_wild.engine.worker import request_stop
from tests.engine.stages import GATES, Settings, assert_same, go, note, notes, plan_of, roots_of


def _tallied(tmp_path: Path, **more: object) -> Settings:
    return Settings(tally=str(tmp_path / "tally"), **more)


def test_every_item_ends_in_a_verdict_that_can_be_counted_by_hand(tmp_path):
    ruling = go(tmp_path, plan_of(), roots_of(10))
    # Sizes are 0…9 and must be ≥ 2 (≥ 4 for r4 and r9); r_k has 1 + k mod 4 parts of size/(part+1).
    states = ruling.verdicts["state"]
    assert [states[f"r{k}"] for k in range(10)] == ["rejected"] * 2 + ["split"] * 8
    lengths = {f"r{k}.{p}": k / (p + 1) for k in range(2, 10) for p in range(1 + k % 4)}
    assert {c for c in states.index if "." in c} == set(lengths)
    short = {clip for clip, length in lengths.items() if length < 1}
    assert set(states.index[states == "kept"]) == set(lengths) - short
    assert set(ruling.verdicts.index[ruling.verdicts["gate"] == "length"]) == short
    kept = ruling.table.loc[states == "kept"]
    assert kept["weight"].to_dict() == pytest.approx(
        {c: 2 * lengths[c] for c in kept.index}, abs=1e-4
    )
    assert sorted(kept["place"]) == list(range(1, len(kept) + 1))
    assert kept.at["r9.0", "seal"] == "18.000 at 1"


def test_a_second_run_works_on_nothing(tmp_path):
    plan, roots = plan_of(settings=_tallied(tmp_path)), roots_of(12)
    first = go(tmp_path / "out", plan, roots)
    done = len(notes(tmp_path / "tally"))
    assert_same(first, go(tmp_path / "out", plan, roots))
    assert len(notes(tmp_path / "tally")) == done


def test_new_sources_alone_are_worked_on(tmp_path):
    plan = plan_of(settings=_tallied(tmp_path), gates=GATES[:3])
    go(tmp_path / "out", plan, roots_of(6))
    before = len(notes(tmp_path / "tally"))
    go(tmp_path / "out", plan, roots_of(8))
    added = [line.split() for line in notes(tmp_path / "tally")[before:]]
    # The places of older clips change, so their seals are made anew; nothing else of them is.
    assert {item.split(".")[0] for stage, item in added if stage != "seal"} == {"r6", "r7"}


def test_a_changed_setting_redoes_its_stage_and_what_needs_it_and_nothing_else(tmp_path):
    tally = _tallied(tmp_path)
    roots = roots_of(8)
    go(tmp_path / "out", plan_of(settings=tally), roots)
    before = len(notes(tmp_path / "tally"))
    changed = {name: tally for name in ("look", "cut", "measure", "rank", "seal")}
    changed["weigh"] = Settings(factor=2.0, tally=tally.tally)
    ruling = go(tmp_path / "out", plan_of(settings=changed), roots)
    redone = Counter(line.split()[0] for line in notes(tmp_path / "tally")[before:])
    # ``measure`` stands behind ``weigh`` but needs nothing of it; ``seal`` does.
    assert set(redone) == {"weigh", "seal"}
    assert (ruling.verdicts["state"] != "pending").all()
    assert_same(ruling, go(tmp_path / "fresh", plan_of(settings=changed), roots))


def test_failures_wait_for_retry_failed_and_attempts_add_up(tmp_path):
    settings = _tallied(tmp_path, switch=str(tmp_path / "switch"))
    roots = roots_of(6, r3={"faults": {"look": "until"}})
    plan = plan_of(settings=settings)
    states = [go(tmp_path / "out", plan, roots).verdicts.at["r3", "state"] for _ in range(2)]
    assert states == ["failed", "failed"]
    assert notes(tmp_path / "tally").count("look r3") == 1
    again = go(tmp_path / "out", plan, roots, retry_failed=True)
    assert again.verdicts.at["r3", "state"] == "failed"
    assert again.table.at["r3", "@look:attempts"] == 2
    (tmp_path / "switch").touch()
    assert go(tmp_path / "out", plan, roots).verdicts.at["r3", "state"] == "failed"
    mended = go(tmp_path / "out", plan, roots, retry_failed=True)
    assert mended.verdicts.at["r3", "state"] == "split"
    assert mended.table.at["r3", "@look:attempts"] == 3
    assert notes(tmp_path / "tally").count("look r2") == 1


def test_a_loosened_gate_finishes_what_it_lets_in_and_equals_a_fresh_run(tmp_path):
    roots = roots_of(14)
    tight = (Gate("size", "size", ">=", 8.0, "low_resolution"), *GATES[1:])
    go(tmp_path / "out", plan_of(tight), roots)
    loosened = go(tmp_path / "out", plan_of(), roots)
    assert_same(loosened, go(tmp_path / "fresh", plan_of(), roots))


def test_a_tightened_gate_rejects_the_clips_of_what_it_rejects(tmp_path):
    roots = roots_of(14)
    go(tmp_path / "out", plan_of(), roots)
    tight = (Gate("size", "size", ">=", 8.0, "low_resolution"), *GATES[1:])
    ruling = go(tmp_path / "out", plan_of(tight), roots)
    of_r6 = ruling.verdicts.loc[["r6", "r6.0", "r6.1", "r6.2"]]
    assert set(of_r6["state"]) == {"rejected"}
    assert set(of_r6["reason"]) == {"low_resolution"}
    assert ruling.table.loc[["r6.0", "r6.1"], "place"].isna().all()
    assert not (ruling.verdicts["state"] == "pending").any()


def test_sources_left_out_by_targets_are_not_touched(tmp_path):
    plan, roots = plan_of(settings=_tallied(tmp_path)), roots_of(12)
    chosen = frozenset({"r5", "r6"})
    ruling = go(tmp_path / "out", plan, roots, admission=lambda ruling: chosen)
    assert {line.split()[1].split(".")[0] for line in notes(tmp_path / "tally")} == chosen
    assert ruling.verdicts.at["r7", "reason"] == "target_met"
    wider = go(tmp_path / "out", plan, roots, admission=lambda r: None if r else chosen)
    assert_same(wider, go(tmp_path / "fresh", plan, roots))


def test_clips_of_sources_that_are_no_longer_admitted_are_not_pending(tmp_path):
    plan, roots = plan_of(), roots_of(8)
    go(tmp_path, plan, roots)
    ruling = go(tmp_path, plan, roots, admission=lambda ruling: frozenset({"r5"}))
    assert set(ruling.verdicts.loc[["r6", "r6.0", "r6.1"], "reason"]) == {"target_met"}


def test_a_stop_keeps_what_was_done_and_the_next_run_goes_on(tmp_path):
    roots = roots_of(12)
    out = tmp_path / "out"
    settings = _tallied(tmp_path)

    def after_a_while(progress):
        if progress.done("weigh") >= 1:
            request_stop(Workplace(out), "interrupted")

    plan = plan_of(settings=_tallied(tmp_path, seconds=0.05))
    run = Run(plan, roots, Workplace(out), _local(), watch=after_a_while)
    stopped = run.go()
    assert run.stopped == "interrupted"
    assert (stopped.verdicts["state"] == "pending").any()
    quick = plan_of(settings=settings)
    assert_same(go(out, quick, roots), go(tmp_path / "fresh", plan_of(), roots))
    tally = Counter(notes(tmp_path / "tally"))
    assert set(tally.values()) == {1}


def _local():
    from talkingface_wild.engine.executors import LocalExecutor

    return LocalExecutor()


def test_a_full_disk_stops_the_run_and_fails_no_item(tmp_path):
    faulty = roots_of(9, r5={"faults": {"look": "disk"}})
    with pytest.raises(DiskFull, match="free some space"):
        go(tmp_path / "out", plan_of(), faulty)
    ruling = go(tmp_path / "out", plan_of(), roots_of(9))
    assert not (ruling.verdicts["state"] == "failed").any()
    assert_same(ruling, go(tmp_path / "fresh", plan_of(), roots_of(9)))


@pytest.mark.parametrize("moment", [0.35, 0.8, 1.4])
def test_kill_9_loses_at_most_what_was_in_flight(tmp_path, moment):
    killed = subprocess.Popen([sys.executable, __file__, str(tmp_path)], start_new_session=True)
    deadline = time.monotonic() + 60
    while not notes(tmp_path / "tally") and time.monotonic() < deadline:
        time.sleep(0.02)
    time.sleep(moment)
    os.killpg(killed.pid, signal.SIGKILL)
    killed.wait()
    settings = Settings(tally=str(tmp_path / "tally"))
    resumed = go(tmp_path / "out", plan_of(settings=settings), roots_of(30))
    fresh = go(tmp_path / "fresh", plan_of(), roots_of(30))
    assert_same(resumed, fresh)
    twice = [line for line, times in Counter(notes(tmp_path / "tally")).items() if times > 1]
    # One worker has one batch in hand: of the largest stage, four items of one stage.
    assert len(twice) <= 4
    assert len({line.split()[0] for line in twice}) <= 1


if __name__ == "__main__":
    folder = Path(sys.argv[1])
    slow = Settings(tally=str(folder / "tally"), seconds=0.02)
    note(str(folder / "begun"), "now")
    go(folder / "out", plan_of(settings=slow), roots_of(30))
    time.sleep(60)
