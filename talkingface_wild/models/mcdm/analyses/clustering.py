"""How well points fall together by their labels, and the plane that t-SNE draws them in.

Points of one group (the pieces of one recording) are alike whatever their label, so no point is
compared with its own group. Shapes: P points, D their width.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np

from talkingface_wild.core.arrays import Floats


def standardised(points_PD: Floats) -> Floats:
    """Every dimension with mean 0 and spread 1; those that never change stay 0."""
    centred = points_PD - points_PD.mean(axis=0)
    spread = centred.std(axis=0)
    return np.divide(centred, spread, out=np.zeros_like(centred), where=spread > 1e-12)


def neighbour_purity(
    points_PD: Floats, labels: Sequence[str], groups: Sequence[str], neighbours: int
) -> float | None:
    """Share of each point's nearest neighbours, of other groups, that have its label; their mean.

    Where a point has fewer others than ``neighbours``, all of them count. None with one group.
    """
    from sklearn.metrics import pairwise_distances

    label_P, group_P = np.asarray(labels), np.asarray(groups)
    distance_PP = pairwise_distances(points_PD)
    shares = []
    for place, row in enumerate(distance_PP):
        others = np.flatnonzero(group_P != group_P[place])
        if len(others):
            nearest = others[np.argsort(row[others], kind="stable")[:neighbours]]
            shares.append(np.mean(label_P[nearest] == label_P[place]))
    return float(np.mean(shares)) if shares else None


def chance_purity(labels: Sequence[str], groups: Sequence[str]) -> float | None:
    """The purity of neighbours drawn at random from other groups: that where all of them count."""
    return neighbour_purity(np.zeros((len(labels), 1)), labels, groups, len(labels))


def silhouette(points_PD: Floats, labels: Sequence[str], groups: Sequence[str]) -> float | None:
    """The mean silhouette (Rousseeuw 1987) of the groups' means, -1 to 1.

    None where it has no meaning: fewer than two labels, or no two groups of one label.
    """
    from sklearn.metrics import silhouette_score

    label_of: dict[tuple[str, str], list[Any]] = {}
    for point, label, group in zip(points_PD, labels, groups, strict=True):
        label_of.setdefault((group, label), []).append(point)
    means = np.stack([np.mean(points, axis=0) for points in label_of.values()])
    kinds = [label for _, label in label_of]
    if not 2 <= len(set(kinds)) < len(kinds):
        return None
    return float(silhouette_score(means, kinds))


def plane(points_PD: Floats, seed: int) -> Floats:
    """The points in two dimensions by t-SNE (van der Maaten and Hinton 2008), (P, 2)."""
    from sklearn.manifold import TSNE

    perplexity = min(30.0, (len(points_PD) - 1) / 3)
    several = points_PD.shape[1] > 1
    drawn = TSNE(
        n_components=2,
        perplexity=perplexity,
        init="pca" if several else "random",
        random_state=seed,
    ).fit_transform(points_PD.astype(np.float32))
    return np.asarray(drawn, dtype=np.float64)
