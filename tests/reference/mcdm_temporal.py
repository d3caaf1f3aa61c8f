"""Temporal attention in plain loops: section 3.4 of the paper, FAVOR+ as Choromanski et al.

Rows are what stands at one place of the picture, a vector for each point in time.
"""

import math

import numpy as np

from tests.reference.mcdm_archived import softmax


def layer_norm(row, scale, shift, epsilon=1e-5):
    """Zero mean, unit variance, then scale and shift."""
    mean = row.mean()
    variance = ((row - mean) ** 2).mean()
    return (row - mean) / math.sqrt(variance + epsilon) * scale + shift


def sinusoidal(place, width):
    """Vaswani et al. 2017, section 3.5."""
    row = np.zeros(width)
    for i in range(0, width, 2):
        row[i] = math.sin(place / 10_000 ** (i / width))
        row[i + 1] = math.cos(place / 10_000 ** (i / width))
    return row


def exact_weights(query, keys, scale):
    """Softmax attention of one query."""
    return softmax([float(query @ key) * scale for key in keys])


def favor_weights(query, keys, features, epsilon):
    """FAVOR+ of one query: phi(q) phi(k_j) over their sum, phi(x) = exp(w x - |x|^2 / 2) + eps.

    The exponents are lowered by the query's greatest and by the keys' greatest, as published code
    does against overflow.
    """

    def exponents(row):
        return np.array([float(w @ row) - float(row @ row) / 2 for w in features])

    of_keys = [exponents(key) for key in keys]
    top = max(float(e.max()) for e in of_keys)
    of_query = exponents(query)
    phi_query = np.exp(of_query - of_query.max()) + epsilon
    kernel = [float(phi_query @ (np.exp(e - top) + epsilon)) for e in of_keys]
    return [value / sum(kernel) for value in kernel]


def attend(read, rows, weights, heads, to_q, to_k, to_v):
    """Multi-head attention of the rows numbered in ``read`` over all rows; (len(read), C)."""
    width = rows.shape[1] // heads
    out = np.zeros((len(read), rows.shape[1]))
    for head in range(heads):
        part = slice(head * width, (head + 1) * width)
        keys = [(to_k @ row)[part] for row in rows]
        values = [(to_v @ row)[part] for row in rows]
        for place, number in enumerate(read):
            query = (to_q @ rows[number])[part]
            for weight, value in zip(weights(query, keys), values, strict=True):
                out[place, part] += weight * value
    return out


def temporal_rows(memory, present, scale, shift):
    """concat_time[M ; F_pc^ref], each row normed and told its place; one place of the picture."""
    rows = np.concatenate([memory, present])
    normed = [layer_norm(row, scale, shift) for row in rows]
    return np.stack([row + sinusoidal(i, rows.shape[1]) for i, row in enumerate(normed)])
