"""The estimate of real runs, played again from recorded instants through the real progress."""

import itertools

import pytest

from tests.pipelines.replayed import Look, Recording, recording, replay

LOCAL = ("demo_local", "media_local")
QUIET = (*LOCAL, "demo_ray", "media_ray")
"""Recorded on two cores that nobody else used."""


def _misjudged(
    looks: list[Look], run: Recording, most: float, after: float = 0.2, slack: float = 0.05
) -> list[str]:
    """Where an estimate is off by more than ``most`` times, and by more than 5 % of the run."""
    return [
        f"{look.at / run.finished:.0%}: {look.left:.0f} s shown, {look.truth:.0f} s in truth"
        for look in looks
        if look.at >= after * run.finished
        and abs(look.left - look.truth) > slack * run.finished
        and not look.truth / most <= look.left <= look.truth * most
    ]


def _rises(looks: list[Look]) -> list[float]:
    pairs = itertools.pairwise(looks)
    return [later.at for earlier, later in pairs if later.left > earlier.left + 1e-6]


@pytest.mark.parametrize("name", QUIET)
def test_after_a_fifth_of_the_work_the_estimate_is_right_within_half(name, tmp_path):
    """It ran backwards: after 9 s of 35 it said 27 s to go, after 29 s 88. And the pictures of the
    demo are small, so that its first stages are done in half the typical time, but its encoding is
    not: taken by one pace for all stages, 54 s were shown where 84 came.
    """
    run = recording(name)
    looks = list(replay(run, tmp_path))
    assert _misjudged(looks, run, most=1.5) == []
    if name in LOCAL:
        assert _rises(looks) == []
    assert looks[0].snapshot.seconds_left is not None, "there is one from the first seconds on"


@pytest.mark.parametrize("name", LOCAL)
def test_a_pace_that_halves_lets_it_rise_and_be_right_again(name, tmp_path):
    run = recording(name)
    half = 0.5 * run.finished
    slow = Recording(run.data, warp=lambda at: at if at < half else half + 2 * (at - half))
    looks = list(replay(slow, tmp_path))
    rises = [at for at in _rises(looks) if at > 0.1 * run.finished]
    assert rises and min(rises) > half
    assert _misjudged(looks, slow, most=1.5, after=0.6) == []


def test_on_a_machine_whose_pace_changes_all_the_time_it_stays_near(tmp_path):
    """Recorded under a load of 8 to 35: 1,218 s for what takes 219 on a quiet machine."""
    run = recording("media_local_busy")
    assert _misjudged(list(replay(run, tmp_path)), run, most=2.0) == []


@pytest.mark.parametrize("name", LOCAL)
def test_rows_are_those_of_the_plan_and_end_full(name, tmp_path):
    run = recording(name)
    looks = list(replay(run, tmp_path))
    orders = {tuple(row.name for row in look.snapshot.rows) for look in looks}
    planned = [planned.name for planned in run.plan().stages]
    assert orders == {(*planned, "tables")}
    last = {row.name: row for row in looks[-1].snapshot.rows}
    counts = {stage: 0 for stage in planned}
    for event in run.data["events"]:
        counts[event["stage"]] += 1
    measured = {stage: count for stage, count in counts.items() if count}
    assert {stage: last[stage].done for stage in measured} == measured
    assert all(last[stage].total == count for stage, count in measured.items())
    assert last["quality"].skipped and last["quality"].note == "not measured"
    assert last["split"].count == "1/1"
    for barrier in ("languages", "identities"):
        assert last[barrier].skipped, "a barrier whose inputs are not measured looked full"
        assert last[barrier].note == "not measured"


def test_what_was_done_before_is_done_and_no_work(tmp_path):
    """A resumed run counted from nothing, and estimated from sources that took no time."""
    run = recording("media_local")
    events = run.data["events"]
    half = events[len(events) // 2]["at"]
    late = [dict(event, at=event["at"] - half) for event in events if event["at"] > half]
    early = [dict(event, at=-1.0) for event in events if event["at"] <= half]
    rest = Recording({**run.data, "events": early + late, "finished": run.finished - half})
    first = next(iter(replay(rest, tmp_path)))
    probe = next(row for row in first.snapshot.rows if row.name == "probe")
    assert probe.done == sum(
        event["stage"] == "probe" and event["at"] <= first.at for event in early + late
    )
    assert 1 / 1.5 < first.left / first.truth < 1.5
