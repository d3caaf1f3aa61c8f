"""Every executor gives the same table; on Ray, any number of processors will do and a dead worker
costs one item at most.
"""

import os
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import pytest

from tests.engine.stages import Settings, assert_same, go, notes, plan_of, roots_of

FAULTS = {
    "r3": {"faults": {"look": "reject"}},
    "r5": {"faults": {"look": "raise"}},
    "r6": {"faults": {"look": "batch"}},
    "r7": {"faults": {"cut": "fail"}, "parts": 4},
    "r8": {"clip_faults": {"0": {"weigh": "count"}}, "parts": 4},
    "r10": {"clip_faults": {"1": {"measure": "rejects"}}},
    "r11": {"clip_faults": {"2": {"weigh": "once"}}},
    "r12": {"size": None},
    "r15": {"parts": 0, "size": 9.0},
    "r16": {"clip_faults": {"0": {"seal": "fail"}}, "size": 9.0},
}
ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def ray_executor():
    from talkingface_wild.engine.executors.ray import RayExecutor

    executor = RayExecutor(workers=2)
    yield executor
    executor.close()


@pytest.fixture(params=["local", "ray"])
def executor(request):
    if request.param == "ray":
        return request.getfixturevalue("ray_executor")
    from talkingface_wild.engine.executors import LocalExecutor

    return LocalExecutor()


@pytest.mark.long
def test_the_table_is_the_same_on_every_engine(tmp_path, executor):
    roots = roots_of(24, **FAULTS)
    expected = go(tmp_path / "expected", plan_of(), roots)
    found = go(tmp_path / "found", plan_of(), roots, executor)
    assert_same(found, expected)
    reasons = found.verdicts["reason"].value_counts()
    # Each planted fault is met once, and is its item's alone.
    assert reasons["crash"] == reasons["silent"] == reasons["undecodable"] == 1
    assert reasons["network"] == 2
    assert "unmeasured" in reasons


@pytest.mark.long
def test_a_scored_table_is_the_same_on_every_engine(tmp_path, executor):
    roots = roots_of(9, **FAULTS)
    plan = plan_of(score_all=True, unmeasured={"measure": "left out"})
    assert_same(
        go(tmp_path / "found", plan, roots, executor), go(tmp_path / "expected", plan, roots)
    )


@pytest.mark.long
def test_a_worker_that_dies_of_one_item_fails_that_item_as_crash(tmp_path, ray_executor):
    poison = {"clip_faults": {"1": {"weigh": "die"}}, "size": 12.0, "parts": 4}
    ruling = go(tmp_path / "out", plan_of([]), roots_of(8, r5=poison), ray_executor)
    verdicts = ruling.verdicts
    assert tuple(verdicts.loc["r5.1", ["state", "stage", "reason"]]) == ("failed", "weigh", "crash")
    assert ruling.table.at["r5.1", "@weigh:attempts"] == 2
    others = verdicts.drop(index="r5.1")["state"]
    assert set(others) == {"kept", "split"}
    healthy = go(tmp_path / "fresh", plan_of([]), roots_of(8, r5={**poison, "clip_faults": {}}))
    assert set(healthy.verdicts.index) == set(verdicts.index)


_ON_CPUS = """
import sys
import ray
from pathlib import Path
from tests.engine.stages import go, plan_of, roots_of
from talkingface_wild.engine.executors.ray import RayExecutor
ray.init(num_cpus=int(sys.argv[1]), include_dashboard=False, log_to_driver=False)
ruling = go(Path(sys.argv[2]), plan_of(), roots_of(12), RayExecutor())
print(ruling.verdicts["state"].value_counts().to_dict())
"""


@pytest.mark.long
@pytest.mark.parametrize("cpus", [1, 2])
def test_the_whole_plan_ends_on_any_number_of_processors(tmp_path, cpus):
    done = subprocess.run(
        [sys.executable, "-c", _ON_CPUS, str(cpus), str(tmp_path / "ray")],
        capture_output=True, text=True, timeout=120, cwd=ROOT,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-2000:]
    expected = go(tmp_path / "local", plan_of(), roots_of(12)).verdicts["state"].value_counts()
    assert done.stdout.strip().split("\n")[-1] == str(expected.to_dict())


@pytest.mark.parametrize(("actors", "cpus"), [(6, 2.0), (1, 2.0), (40, 3.0), (6, 17.0), (6, 1.0)])
def test_what_actors_declare_leaves_a_processor_for_the_source(actors, cpus):
    from talkingface_wild.engine.executors.ray import declaration

    share = declaration(cpus, actors)
    assert 0 <= share <= 1
    assert actors * share <= max(cpus - 1, 0.1)


def test_neighbours_with_the_same_resources_share_a_pool_and_a_split_ends_one():
    from talkingface_wild.engine.executors.ray import operators

    chain = operators(plan_of(), 0, 4)
    assert [(operator.start, operator.end) for operator in chain] == [(0, 2), (2, 4)]
    assert [operator.batch_size for operator in chain] == [4, 3]


_KILLED = """
import sys
from pathlib import Path
from tests.engine.stages import Settings, go, plan_of, roots_of
from talkingface_wild.engine.executors.ray import RayExecutor
settings = Settings(tally=sys.argv[2], seconds=0.05)
go(Path(sys.argv[1]), plan_of(settings=settings), roots_of(30), RayExecutor(workers=2))
"""


@pytest.mark.long
def test_kill_9_of_a_ray_run_loses_at_most_what_was_in_flight(tmp_path):
    tally = tmp_path / "tally"
    command = [sys.executable, "-c", _KILLED, str(tmp_path / "out"), str(tally)]
    running = subprocess.Popen(
        command, cwd=ROOT, start_new_session=True, stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )  # fmt: skip
    deadline = time.monotonic() + 90
    while len(notes(tally)) < 25 and running.poll() is None and time.monotonic() < deadline:
        time.sleep(0.05)
    os.kill(running.pid, signal.SIGKILL)
    running.wait()
    size = -1
    while size != (size := len(notes(tally))):
        time.sleep(1.5)
    resumed = go(tmp_path / "out", plan_of(settings=Settings(tally=str(tally))), roots_of(30))
    assert_same(resumed, go(tmp_path / "fresh", plan_of(), roots_of(30)))
    twice = [line for line, times in Counter(notes(tally)).items() if times > 1]
    # Two workers in each of three pools, each with one batch of at most four items in hand.
    assert len(twice) <= 2 * (4 + 3 + 2)
