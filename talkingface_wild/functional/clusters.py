"""Which faces are one person: strict clusters to count identities, loose groups for the split.
Labels are the smallest id of each group, so that they do not depend on the order of the input.
Shape legend: N items, D dimensions.
"""

from collections.abc import Hashable, Iterator, Sequence
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

Embeddings = npt.NDArray[np.floating[Any]]
Labels = npt.NDArray[np.int64]
Linkage = Literal["average", "complete", "single"]

MERGE = 0.45
"""Mean cosine from which two clusters are one identity."""
SEPARATE = 0.35
"""Cosine from which two items may not stand on two sides of a split."""
_BLOCK = 512
"""Rows compared with all others at once: 30,000 items take 61 MB a block."""
_MOST_TOGETHER = 14_000
"""Items whose pairs, 8 bytes each and held twice, fill 1.6 GB."""


def cluster(
    ids: Sequence[str],
    embeddings_ND: Embeddings,
    threshold: float = MERGE,
    method: Linkage = "average",
) -> list[str]:
    """The identity of each item: agglomerative clusters cut at the cosine ``threshold``.

    Two clusters can only merge where some pair reaches the threshold, so the components of that
    graph are clustered one by one (SciPy's linkage): memory grows with the largest component, not
    with N². Rows that are zero or not finite stay alone.

    Raises ValueError when ids and rows disagree in number, ids repeat, or more than 14,000 items
    hang together, which no faces of different people do.
    """
    order, unit = _sorted_units(ids, embeddings_ND)
    components = _components(unit, threshold)
    labels = np.zeros(len(unit), dtype=np.int64)
    used = 0
    for members in _members(components):
        if len(members) > _MOST_TOGETHER:
            raise ValueError(
                f"expected at most {_MOST_TOGETHER} faces that resemble one another, found "
                f"{len(members)}; check the embeddings, or raise the threshold above {threshold}"
            )
        parts = _cut(unit[members], threshold, method)
        labels[members] = used + parts
        used += int(parts.max()) + 1
    return _named(ids, order, labels)


def loose_groups(
    ids: Sequence[str],
    embeddings_ND: Embeddings,
    same: Sequence[Sequence[Hashable | None]] = (),
    threshold: float = SEPARATE,
) -> list[str]:
    """Groups that a split must not cut: chains of pairs at ``threshold`` or above, and equal keys.

    Each sequence in ``same`` holds one key per item (its channel, its source); items with an equal
    key that is not None are together whatever they look like. Rows that are zero or not finite
    are joined by keys alone. Raises ValueError as ``cluster``, or for keys of another number.
    """
    order, unit = _sorted_units(ids, embeddings_ND)
    labels = np.arange(len(ids))
    for keys in same:
        if len(keys) != len(ids):
            raise ValueError(f"expected a key for each of {len(ids)} items, found {len(keys)}")
        first: dict[Hashable, int] = {}
        ordered = [keys[index] for index in order]
        partner = [
            place if key is None else first.setdefault(key, place)
            for place, key in enumerate(ordered)
        ]
        labels = _joined(labels, np.arange(len(ids)), np.array(partner, dtype=np.int64))
    return _named(ids, order, _components(unit, threshold, labels))


def _sorted_units(ids: Sequence[str], embeddings_ND: Embeddings) -> tuple[list[int], Embeddings]:
    """The order of rising ids, and rows of unit length in that order; unusable rows are zero."""
    rows = np.asarray(embeddings_ND, dtype=np.float32)
    if len(rows) != len(ids) or len(set(ids)) != len(ids):
        raise ValueError(
            f"expected one row for each of {len(ids)} different ids, found {len(rows)} rows and "
            f"{len(set(ids))} different ids"
        )
    order = sorted(range(len(ids)), key=lambda index: ids[index])
    rows = rows[order].reshape(len(ids), -1 if ids else 1)
    rows[~np.isfinite(rows).all(axis=1)] = 0
    lengths = np.linalg.norm(rows, axis=1, keepdims=True)
    return order, rows / np.where(lengths > 0, lengths, np.float32(1))


def _components(unit_ND: Embeddings, threshold: float, labels: Labels | None = None) -> Labels:
    """Components of the graph of pairs with cosine ≥ ``threshold``, started from ``labels``."""
    labels = np.arange(len(unit_ND)) if labels is None else labels
    usable = np.flatnonzero(unit_ND.any(axis=1))
    rows = unit_ND[usable]
    for start in range(0, len(rows), _BLOCK):
        cosines = rows[start : start + _BLOCK] @ rows[start:].T
        left, right = np.nonzero(cosines >= threshold - 1e-6)
        labels = _joined(labels, usable[left + start], usable[right + start])
    return labels


def _joined(labels: Labels, left: Labels, right: Labels) -> Labels:
    """``labels`` after each ``left`` and its ``right`` became one group."""
    count = len(labels)
    edges = coo_array(
        (np.ones(len(left), dtype=np.bool_), (labels[left], labels[right])), shape=(count, count)
    )
    return np.asarray(connected_components(edges, directed=False)[1][labels], dtype=np.int64)


def _members(labels: Labels) -> Iterator[Labels]:
    """The indices of each group."""
    order = np.argsort(labels, kind="stable")
    bounds = np.flatnonzero(np.diff(labels[order])) + 1
    yield from (part for part in np.split(order, bounds) if len(part))


def _cut(unit_ND: Embeddings, threshold: float, method: Linkage) -> Labels:
    """Labels from 0 on of one component's clusters."""
    if len(unit_ND) == 1:
        return np.zeros(1, dtype=np.int64)
    from scipy.cluster.hierarchy import fcluster, linkage  # Slow to import: only where used.

    tree = linkage(unit_ND.astype(np.float64), method=method, metric="cosine")
    return np.asarray(fcluster(tree, 1 - threshold + 1e-9, "distance"), dtype=np.int64) - 1


def _named(ids: Sequence[str], order: Sequence[int], labels: Labels) -> list[str]:
    """Each item's group by its smallest id; ``labels`` are in ``order``, the answer is not."""
    smallest: dict[int, str] = {}
    named = [""] * len(ids)
    for index, label in zip(order, labels.tolist(), strict=True):
        named[index] = smallest.setdefault(label, ids[index])
    return named
