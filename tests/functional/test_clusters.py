"""Identities of planted people, against scikit-learn, in every order, and at full size."""

import itertools
import tracemalloc

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.cluster import AgglomerativeClustering

from talkingface_wild.functional import clusters


def _people(people, each, noise, dimensions=512, seed=0):
    """Ids and embeddings; two of one person have a cosine of about 1 / (1 + noise²)."""
    random = np.random.default_rng(seed)
    centres = random.standard_normal((people, dimensions))
    centres /= np.linalg.norm(centres, axis=1, keepdims=True)
    spread = noise * random.standard_normal((people * each, dimensions)) / np.sqrt(dimensions)
    rows = np.repeat(centres, each, axis=0) + spread
    ids = [f"c{index:06d}" for index in range(len(rows))]
    return ids, (rows * random.uniform(0.5, 3, (len(rows), 1))).astype(np.float32)


def _partition(labels):
    groups = {}
    for index, label in enumerate(labels):
        groups.setdefault(label, set()).add(index)
    return {frozenset(group) for group in groups.values()}


def test_planted_people_are_found():
    ids, rows = _people(40, 9, noise=0.8)
    found = clusters.cluster(ids, rows)
    assert _partition(found) == {frozenset(range(k, k + 9)) for k in range(0, 360, 9)}
    assert found[9:18] == ["c000009"] * 9


@settings(max_examples=25, deadline=None)
@given(
    st.integers(2, 40), st.integers(2, 6), st.floats(0.1, 0.9), st.integers(0, 2**31), st.booleans()
)
def test_clusters_are_scikit_learns(count, dimensions, threshold, seed, single):
    method = "single" if single else "average"
    rows = np.random.default_rng(seed).standard_normal((count, dimensions))
    unit = rows / np.linalg.norm(rows, axis=1, keepdims=True)
    oracle = AgglomerativeClustering(
        n_clusters=None, distance_threshold=1 - threshold, metric="precomputed", linkage=method
    ).fit_predict(1 - unit @ unit.T)
    found = clusters.cluster([f"{i:03d}" for i in range(count)], rows, threshold, method)
    assert _partition(found) == _partition(oracle)


def test_labels_depend_on_the_set_alone():
    ids, rows = _people(12, 4, noise=1.1, seed=3)
    expected = dict(zip(ids, clusters.cluster(ids, rows), strict=True))
    loose = dict(zip(ids, clusters.loose_groups(ids, rows), strict=True))
    for seed in range(4):
        order = np.random.default_rng(seed).permutation(len(ids))
        shuffled = [ids[index] for index in order]
        found = clusters.cluster(shuffled, rows[order])
        assert dict(zip(shuffled, found, strict=True)) == expected
        assert (
            dict(zip(shuffled, clusters.loose_groups(shuffled, rows[order]), strict=True)) == loose
        )
    for label, group in itertools.groupby(sorted(expected, key=expected.get), expected.get):
        assert label == min(group)


def test_loose_groups_chain_through_looks_and_keys():
    angles = np.radians([0, 60, 120, 200, 290])
    rows = np.stack([np.cos(angles), np.sin(angles)], axis=1)
    ids = ["a", "b", "c", "d", "e"]
    assert clusters.loose_groups(ids, rows, threshold=0.45) == ["a", "a", "a", "d", "e"]
    channels = [None, None, "x", "x", None]
    found = clusters.loose_groups(ids, rows, [channels], threshold=0.45)
    assert found == ["a", "a", "a", "a", "e"]
    sources = ["s1", "s2", "s3", "s4", "s4"]
    found = clusters.loose_groups(ids, rows, [channels, sources], threshold=0.45)
    assert found == ["a"] * 5
    assert clusters.loose_groups(ids, rows, threshold=0.9) == ids


def test_items_without_an_embedding_are_joined_by_keys_alone():
    rows = np.array([[1, 0], [np.nan, 0], [0, 0], [1, 0.01]])
    ids = ["d", "c", "b", "a"]
    assert clusters.cluster(ids, rows) == ["a", "c", "b", "a"]
    assert clusters.loose_groups(ids, rows, [["x", "y", "y", "z"]]) == ["a", "b", "b", "a"]


def test_no_two_loose_groups_share_a_similar_pair():
    ids, rows = _people(30, 6, noise=1.3, dimensions=64, seed=5)
    labels = np.array(clusters.loose_groups(ids, rows))
    unit = rows / np.linalg.norm(rows, axis=1, keepdims=True)
    across = labels[:, None] != labels[None]
    assert len(set(labels)) > 1
    assert (unit @ unit.T)[across].max() < clusters.SEPARATE


def test_no_items_have_no_labels():
    assert clusters.cluster([], np.zeros((0, 512))) == []
    assert clusters.loose_groups([], np.zeros((0, 512)), [[]]) == []


def test_disagreeing_inputs_are_refused():
    with pytest.raises(ValueError, match="one row for each of 2"):
        clusters.cluster(["a", "b"], np.zeros((3, 4)))
    with pytest.raises(ValueError, match="different ids"):
        clusters.cluster(["a", "a"], np.zeros((2, 4)))
    with pytest.raises(ValueError, match="key for each of 2"):
        clusters.loose_groups(["a", "b"], np.eye(2), [["x"]])


@pytest.mark.long
def test_thirty_thousand_faces_fit_in_half_a_gigabyte():
    ids, rows = _people(3_000, 10, noise=0.8, dimensions=64)
    tracemalloc.start()
    found = clusters.cluster(ids, rows, threshold=0.55)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert len(found) == 30_000 and peak < 5e8
