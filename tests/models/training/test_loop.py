"""The training loop: what it trains and leaves, resumes to the bit, and survives."""

import csv
import itertools
import math

import pytest
import torch
from torch import nn

from talkingface_wild.core.errors import CheckFailed, InputUnreadable, Interrupted
from talkingface_wild.models.training.checkpoints import Checkpoints
from talkingface_wild.models.training.logbook import Logbook, read_log
from talkingface_wild.models.training.loop import (
    LoopSettings,
    TrainingLoop,
    iteration_generator,
    rate_at,
)

SETTINGS = LoopSettings(
    iterations=12,
    rate=1e-2,
    warmup=3,
    schedule="cosine",
    ema=0.9,
    checkpoint_every=4,
    validate_every=6,
)


def make(folder, settings=SETTINGS, poison=None):
    """A loop that fits y = 2 x with one linear layer, beside a frozen one."""
    torch.manual_seed(0)
    network = nn.Linear(1, 1)
    frozen = nn.Linear(1, 1)

    def draw(draws):
        return torch.randn(8, 1, generator=draws)

    def loss(batch, draws):
        out = (network(batch) - 2 * batch).square().mean() + 0 * frozen(batch).sum()
        return out * poison if poison is not None and loop.iteration >= 6 else out

    loop = TrainingLoop(
        "toy",
        {"network": network, "frozen": frozen},
        dict(network.named_parameters()),
        settings,
        draw,
        loss,
        folder,
        validate=lambda: (network.weight - 2).abs().item(),
    )
    return loop, network, frozen


def losses(folder):
    with (folder / "log.csv").open() as file:
        return [row["loss"] for row in csv.DictReader(file)]


def test_it_learns_and_leaves_what_is_frozen(tmp_path):
    loop, network, frozen = make(tmp_path, LoopSettings(iterations=300, rate=2e-2))
    before = frozen.weight.clone()
    loop.run()
    assert abs(network.weight.item() - 2) < 0.05
    assert torch.equal(frozen.weight, before)


def test_a_resumed_run_has_the_same_losses_to_the_bit(tmp_path):
    whole, network, _ = make(tmp_path / "whole")
    whole.run()

    class Stop(Exception):
        pass

    def stop(progress):
        if progress.iteration == 7:
            raise Stop

    broken, _, _ = make(tmp_path / "part")
    with pytest.raises(Stop):
        broken.run(stop)
    resumed, again, _ = make(tmp_path / "part")
    resumed.run()
    assert losses(tmp_path / "part") == losses(tmp_path / "whole")
    assert torch.equal(network.weight, again.weight)


def test_a_finished_run_is_not_run_again(tmp_path):
    make(tmp_path)[0].run()
    kept = losses(tmp_path)
    loop, _, _ = make(tmp_path)
    loop.draw = lambda draws: pytest.fail("it drew a batch")
    loop.run()
    assert losses(tmp_path) == kept


def test_ctrl_c_keeps_what_was_done(tmp_path):
    loop, _, _ = make(tmp_path)

    def press(progress):
        if progress.iteration == 5:
            raise KeyboardInterrupt

    with pytest.raises(Interrupted, match="iteration 5 of 12"):
        loop.run(press)
    assert loop.checkpoints.latest().name == "00000005"


@pytest.mark.parametrize("poison", [math.nan, math.inf])
def test_a_loss_that_is_no_number_stops_with_the_last_good_checkpoint(tmp_path, poison):
    loop, network, _ = make(tmp_path, poison=poison)
    with pytest.raises(CheckFailed, match="iteration 7"):
        loop.run()
    assert loop.checkpoints.latest().name == "00000004"
    assert torch.isfinite(network.weight).all()


def test_accumulation_draws_each_part_anew(tmp_path):
    loop, _, _ = make(tmp_path, LoopSettings(iterations=1, rate=1e-2, accumulation=3))
    seen = []
    draw = loop.draw
    loop.draw = lambda draws: seen.append(draw(draws)) or seen[-1]
    loop.run()
    assert len({tuple(part.flatten().tolist()) for part in seen}) == 3


def test_the_rate_warms_up_and_falls_as_a_cosine():
    rates = [rate_at(SETTINGS, k) for k in range(12)]
    assert rates[:3] == pytest.approx([1e-2 / 3, 2e-2 / 3, 1e-2])
    assert rates[3] == pytest.approx(1e-2)
    assert rates[-1] < 1e-3
    assert all(later < earlier for earlier, later in itertools.pairwise(rates[3:]))


def test_every_iteration_and_part_has_its_own_numbers():
    drawn = {
        float(torch.rand(1, generator=iteration_generator(seed, *numbers)))
        for seed in (0, 1)
        for numbers in ((0, 0, 0), (0, 0, 1), (0, 1, 0), (1, 0, 0))
    }
    assert len(drawn) == 8


def test_only_the_latest_two_checkpoints_stay(tmp_path):
    make(tmp_path)[0].run()
    assert sorted(p.name for p in (tmp_path / "checkpoints").iterdir()) == ["00000008", "00000012"]


def test_a_checkpoint_of_other_tensors_is_refused(tmp_path):
    make(tmp_path)[0].run()
    other = {"elsewhere": nn.Parameter(torch.zeros(1))}
    with pytest.raises(InputUnreadable, match="another configuration"):
        Checkpoints(tmp_path / "checkpoints").load(other, torch.device("cpu"))


def test_a_broken_checkpoint_is_named(tmp_path):
    loop, _, _ = make(tmp_path)
    loop.run()
    (loop.checkpoints.latest() / "weights.safetensors").write_bytes(b"nothing")
    with pytest.raises(InputUnreadable, match="delete that folder"):
        make(tmp_path)[0].run()


def test_the_log_cuts_what_a_resumed_run_writes_again(tmp_path):
    log = Logbook(tmp_path, 0)
    for iteration in range(1, 6):
        log.add(iteration, 0.1 + 0.2, 1e-3, None)
    log.close()
    (tmp_path / "log.csv").open("a").write("6,0.")
    log = Logbook(tmp_path, 3)
    log.add(4, 0.5, 1e-3, 0.25)
    log.close()
    rows = read_log(tmp_path / "log.csv")
    assert [row["iteration"] for row in rows] == ["1", "2", "3", "4"]
    assert float(rows[0]["loss"]) == 0.1 + 0.2
    assert rows[3]["validation"] == "0.25"


def test_validation_is_of_the_averaged_weights_which_are_what_is_kept(tmp_path):
    """It was of the raw weights, so the figure was not the saved model's."""
    loop, network, _ = make(tmp_path)
    ended = loop.run()
    assert ended == (network.weight - 2).abs().item()
    assert float(read_log(tmp_path / "log.csv")[-1]["validation"]) == ended


def test_a_checkpoint_has_its_rows_in_the_log(tmp_path):
    """Rows were written every twenty iterations, so a kill lost those before a checkpoint."""
    loop, _, _ = make(tmp_path)
    seen = []
    save = loop.save
    loop.save = lambda: (seen.append(len(read_log(tmp_path / "log.csv"))), save())
    loop.run()
    assert seen == [4, 8, 12]
