"""What the processes of one training agree on, so that none waits for one that has gone."""

import torch
from accelerate import Accelerator

from talkingface_wild.core.errors import Interrupted
from talkingface_wild.core.stopping import stop_requested


def stop_agreed(accelerator: Accelerator) -> bool:
    """Whether a signal asked any process to end; all of them must ask at the same place."""
    if accelerator.num_processes == 1:
        return stop_requested()
    mine = torch.tensor([int(stop_requested())], device=accelerator.device)
    return bool(accelerator.reduce(mine, "sum").item())


def end_if_stopped(accelerator: Accelerator | None, what: str) -> None:
    """Raise Interrupted, in all processes, once a stop was requested; ``what`` tells what stays."""
    stopped = stop_requested() if accelerator is None else stop_agreed(accelerator)
    if stopped:
        raise Interrupted(f"Interrupted {what}; run the same command again to go on.")
