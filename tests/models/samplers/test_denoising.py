"""The denoising loop, with networks whose answers are known."""

import pytest
import torch

from talkingface_wild.models.samplers.denoising import denoise
from talkingface_wild.models.samplers.noise import SOLVERS, DiffusionConfig, make_noise, make_solver

CLEAN = torch.linspace(-1, 1, 24).reshape(2, 4, 3)


def solver(name="ddim", steps=4):
    config = DiffusionConfig(prediction="sample", zero_snr=True, spacing="trailing")
    return make_solver(name, make_noise(config), steps)


@pytest.mark.parametrize("name", SOLVERS)
def test_a_network_that_knows_the_sample_gets_it(name):
    numbers = []

    def predict(seen, time, step):
        numbers.append(step)
        return CLEAN

    noise = torch.randn(2, 4, 3, generator=torch.Generator().manual_seed(0))
    sample = denoise(solver(name), noise, predict, draws=torch.Generator().manual_seed(1))
    torch.testing.assert_close(sample, CLEAN, atol=1e-2, rtol=0)
    assert sorted(set(numbers)) == list(range(4))


def test_guidance_goes_from_without_towards_with_the_contexts():
    """The halves of the batch are the sample twice; 3 is once the way and twice more."""

    def predict(seen, time, step):
        assert torch.equal(*seen.chunk(2))
        return torch.cat([torch.zeros_like(CLEAN), CLEAN])

    sample = denoise(solver(), torch.zeros(2, 4, 3), predict, guidance=3.0)
    torch.testing.assert_close(sample, 3 * CLEAN, atol=1e-4, rtol=0)


def test_first_frames_that_are_known_are_what_the_network_sees_less_and_less_noisy():
    seen_first = []

    def predict(seen, time, step):
        seen_first.append(seen[:, :2].clone())
        return torch.zeros_like(seen)

    noise = torch.randn(2, 4, 3, generator=torch.Generator().manual_seed(0))
    denoise(solver(), noise, predict, known_BO=CLEAN[:, :2])
    away = [float((first - CLEAN[:, :2]).norm()) for first in seen_first]
    torch.testing.assert_close(seen_first[0], noise[:, :2])
    assert away == sorted(away, reverse=True) and away[-1] < 0.7 * away[0]
