"""A run on Ray that has nothing in flight: its first stage never opens. Started by a test."""

import os
import sys
import time
from pathlib import Path

from talkingface_wild.core.errors import Interrupted
from talkingface_wild.engine.executors import make_executor
from talkingface_wild.engine.plan import make_plan
from talkingface_wild.engine.run import Run
from talkingface_wild.engine.stage import Workplace
from tests.engine.stages import Look, Settings, roots_of


class SlowSettings(Settings):
    """Settings that take for ever to arrive in a worker."""

    def __reduce__(self):
        return time.sleep, (600,)


if __name__ == "__main__":
    plan = make_plan([(Look, SlowSettings(), None)], (), lambda name: None)
    run = Run(plan, roots_of(4), Workplace(Path(sys.argv[1])), make_executor("ray", 1))
    print("begins", flush=True)
    run.go()
    print("stopped", run.stopped, flush=True)
    # As the command line ends: what Ray does at exit is no part of the run.
    os._exit(Interrupted.exit_code if run.stopped else 0)
