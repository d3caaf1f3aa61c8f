"""FAVOR+ against its definition, against exact softmax attention, and its features' statistics."""

import itertools
import math

import numpy as np
import pytest
import torch
from torch.utils.flop_counter import FlopCounterMode

from talkingface_wild.models.mcdm.temporal_attention import (
    EPSILON,
    favor_attention,
    feature_count,
    orthogonal_features,
    positive_features,
)
from tests.reference.mcdm_temporal import favor_weights


def _drawn(*shape, seed=0, scale=1.0):
    return scale * torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def _unit(rows, length=1.0):
    return length * torch.nn.functional.normalize(rows, dim=-1)


def _softmax_attention(query, key, value):
    return (query @ key.transpose(-1, -2)).softmax(-1) @ value


def test_feature_counts_of_stable_diffusions_heads():
    assert [feature_count(width) for width in (40, 80, 160)] == [147, 350, 812]


def test_features_are_orthogonal_in_blocks():
    features = orthogonal_features(20, 8, torch.Generator().manual_seed(0)).double()
    assert features.shape == (20, 8)
    directions = torch.nn.functional.normalize(features, dim=1)
    for block in directions.split(8):
        torch.testing.assert_close(
            block @ block.T, torch.eye(len(block)).double(), atol=1e-6, rtol=0
        )


def test_features_are_as_long_as_gaussian_vectors():
    """Squared lengths have chi-squared moments (mean d, variance 2 d)."""
    draws = torch.Generator().manual_seed(0)
    features = torch.cat([orthogonal_features(16, 8, draws) for _ in range(1500)]).double()
    squares = features.square().sum(1)
    count = len(squares)
    assert abs(float(squares.mean()) - 8) < 4 * math.sqrt(16 / count)
    assert abs(float(squares.var()) - 16) < 1.0


def test_every_feature_points_anywhere():
    """Each row's mean is 0 and its covariance the unit matrix, over many draws.

    Plain QR leaves row i with a negative i-th number nearly always (a mean of -0.7), since it
    chooses signs; the kernel was then biased in the first order of q + k.
    """
    draws = torch.Generator().manual_seed(1)
    count = 3000
    features = torch.stack([orthogonal_features(6, 6, draws) for _ in range(count)]).double()
    assert features.mean(0).abs().max() < 5 / math.sqrt(count)
    second = torch.einsum("nrd,nre->rde", features, features) / count
    assert (second - torch.eye(6)).abs().max() < 8 * math.sqrt(2 / count)


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_the_kernel_is_unbiased(seed):
    """With epsilon 0 the mean of phi(q) phi(k) over feature draws is exp(q k)."""
    width, count, many = 6, 12, 4000
    # Numbers of one sign are the hardest for features whose signs are not free.
    query = _unit(_drawn(1, 1, 3, width, seed=seed).abs()).double()
    key = _unit(_drawn(1, 1, 4, width, seed=seed + 10).abs()).double()
    draws = torch.Generator().manual_seed(seed)
    kernels = []
    for _ in range(many):
        features = orthogonal_features(count, width, draws).double()

        def constant(rows, over, features=features):
            exponent = rows @ features.T - rows.square().sum(-1, keepdim=True) / 2
            return exponent.amax(over, keepdim=True).exp()

        phi_query = positive_features(query, features, queries=True, epsilon=0.0)
        phi_key = positive_features(key, features, queries=False, epsilon=0.0)
        phi_query = phi_query * constant(query, (-1,))
        phi_key = phi_key * constant(key, (-2, -1))
        kernels.append(phi_query @ phi_key.transpose(-1, -2))
    kernels = torch.stack(kernels)[:, 0, 0].double()
    exact = (query @ key.transpose(-1, -2)).exp()[0, 0]
    error = (kernels.mean(0) - exact) / (kernels.std(0) / math.sqrt(many))
    assert error.abs().max() < 4.5, error


def test_rows_sum_to_one():
    query, key = _drawn(2, 3, 5, 8), _drawn(2, 3, 9, 8, seed=1)
    features = orthogonal_features(20, 8, torch.Generator().manual_seed(0))
    ones = torch.ones(2, 3, 9, 4)
    mask = torch.ones(5, 9, dtype=torch.bool).tril()
    for seen in (None, mask):
        found = favor_attention(query, key, ones, features, seen)
        torch.testing.assert_close(found, torch.ones(2, 3, 5, 4))


def test_it_nears_softmax_as_features_grow():
    """The error falls as 1 / sqrt(r): 16 times the features, a fourth of the error."""
    width, rows = 16, 12
    query = _unit(_drawn(1, 4, rows, width))
    key, value = _unit(_drawn(1, 4, rows, width, seed=1)), _drawn(1, 4, rows, width, seed=2)
    exact = _softmax_attention(query, key, value)
    draws = torch.Generator().manual_seed(0)

    def error(count):
        found = [
            favor_attention(query, key, value, orthogonal_features(count, width, draws))
            for _ in range(16)
        ]
        return float(torch.stack([(f - exact).square().mean() for f in found]).mean().sqrt())

    errors = [error(count) for count in (64, 1024, 16384)]
    assert errors[-1] < 0.02 * float(exact.std())
    for coarse, fine in itertools.pairwise(errors):
        assert 2.5 < coarse / fine < 6.5, errors


@pytest.mark.parametrize("masked", [False, True])
def test_it_equals_a_loop_from_the_definition(masked):
    query, key = _drawn(1, 2, 3, 5, scale=0.7), _drawn(1, 2, 6, 5, seed=1, scale=0.7)
    value = _drawn(1, 2, 6, 4, seed=2)
    features = orthogonal_features(9, 5, torch.Generator().manual_seed(3))
    mask = torch.tensor([[1, 0, 0, 1, 0, 0], [1, 1, 0, 1, 1, 0], [1] * 6], dtype=torch.bool)
    found = favor_attention(query, key, value, features, mask if masked else None)
    for head in range(2):
        for place in range(3):
            seen = torch.nonzero(mask[place]).flatten() if masked else torch.arange(6)
            weights = favor_weights(
                query[0, head, place].double().numpy(),
                list(key[0, head, seen].double().numpy()),
                features.double().numpy(),
                EPSILON,
            )
            expected = np.asarray(weights) @ value[0, head, seen].double().numpy()
            # A masked row has a constant for each key, so epsilon weighs a little differently.
            within = 2e-3 if masked else 1e-5
            np.testing.assert_allclose(found[0, head, place].numpy(), expected, atol=within)


def test_the_causal_form_is_the_linear_form_of_each_rows_past():
    rows = 7
    query, key = _drawn(1, 2, rows, 8), _drawn(1, 2, rows, 8, seed=1)
    value = _drawn(1, 2, rows, 8, seed=2)
    features = orthogonal_features(24, 8, torch.Generator().manual_seed(0))
    mask = torch.ones(rows, rows, dtype=torch.bool).tril()
    found = favor_attention(query, key, value, features, mask, epsilon=0.0)
    for row in range(rows):
        past = slice(0, row + 1)
        alone = favor_attention(
            query[:, :, row : row + 1], key[:, :, past], value[:, :, past], features, epsilon=0.0
        )
        torch.testing.assert_close(found[:, :, row : row + 1], alone, atol=1e-5, rtol=1e-5)


def test_a_masked_row_knows_nothing_of_what_it_may_not_see():
    """A constant over all keys, as the form without a mask has, lets epsilon tell of later rows.

    A later key that is long then pressed all earlier ones under epsilon, and their weights were
    lost: the row became a plain mean.
    """
    query, key = _drawn(1, 1, 6, 8), _drawn(1, 1, 6, 8, seed=1)
    value = _drawn(1, 1, 6, 8, seed=2)
    features = orthogonal_features(24, 8, torch.Generator().manual_seed(0))
    mask = torch.ones(6, 6, dtype=torch.bool).tril()
    before = favor_attention(query, key, value, features, mask)
    key[:, :, 4:] *= 8
    after = favor_attention(query, key, value, features, mask)
    assert torch.equal(before[:, :, :4], after[:, :, :4])
    assert not torch.equal(before[:, :, 5], after[:, :, 5])


def test_one_clip_does_not_change_another():
    query, key = _drawn(2, 1, 4, 8), _drawn(2, 1, 4, 8, seed=1)
    value = _drawn(2, 1, 4, 8, seed=2)
    features = orthogonal_features(24, 8, torch.Generator().manual_seed(0))
    before = favor_attention(query, key, value, features)[0]
    key[1] *= 10
    torch.testing.assert_close(favor_attention(query, key, value, features)[0], before)


@pytest.mark.parametrize("size", [0.0, 1e-3, 30.0, 1e3])
def test_no_size_of_rows_overflows(size):
    query, key = _drawn(1, 1, 4, 8, scale=size), _drawn(1, 1, 4, 8, seed=1, scale=size)
    features = orthogonal_features(24, 8, torch.Generator().manual_seed(0))
    mask = torch.ones(4, 4, dtype=torch.bool).tril()
    for seen in (None, mask):
        assert favor_attention(query, key, _drawn(1, 1, 4, 8), features, seen).isfinite().all()


def test_it_computes_in_float32_under_autocast_and_returns_the_values_type():
    query, key = _drawn(1, 1, 4, 8), _drawn(1, 1, 4, 8, seed=1)
    value, features = _drawn(1, 1, 4, 8, seed=2), _drawn(24, 8, seed=3)
    exact = favor_attention(query, key, value, features)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        assert torch.equal(favor_attention(query, key, value, features), exact)
    assert favor_attention(query, key, value.bfloat16(), features).dtype == torch.bfloat16


def test_it_runs_on_the_meta_device():
    """Where there is no autocast, which stopped every count of the full network's operations."""
    rows, features = torch.empty(1, 2, 6, 8, device="meta"), torch.empty(24, 8, device="meta")
    assert favor_attention(rows, rows, rows, features).shape == (1, 2, 6, 8)


def test_its_cost_grows_with_the_rows_not_with_their_square():
    features = torch.empty(24, 8, device="meta")

    def cost(length):
        rows = torch.empty(1, 1, length, 8, device="meta")
        with FlopCounterMode(display=False) as counted:
            favor_attention(rows, rows, rows, features)
        return counted.get_total_flops()

    assert cost(400) == 4 * cost(100)
