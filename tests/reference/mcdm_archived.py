"""Frame-aligned attention in plain loops, from section 3.2 of the paper (equations 1 and 2)."""

import math

import numpy as np


def softmax(logits):
    """Of a list of numbers."""
    top = max(logits)
    powers = [math.exp(value - top) for value in logits]
    return [power / sum(powers) for power in powers]


def frame_aligned_attention(reference_MD, archive_AMD, query_ND, key_DD, value_DD):
    """F_ac (A, N, D): for each archived frame Softmax(Q (F_x W_K)^T / sqrt(d)) (F_a_i W_V)."""
    frames, places, width = archive_AMD.shape
    out = np.zeros((frames, len(query_ND), width))
    for i in range(frames):
        key_MD = reference_MD @ key_DD
        value_MD = archive_AMD[i] @ value_DD
        for n, query in enumerate(query_ND):
            logits = [float(query @ key_MD[m]) / math.sqrt(width) for m in range(places)]
            for weight, value in zip(softmax(logits), value_MD, strict=True):
                out[i, n] += weight * value
    return out
