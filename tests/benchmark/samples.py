"""Samples made of numbers alone: random features of clips, whose metrics are known on paper."""

import dataclasses

import numpy as np

from talkingface_wild.benchmark.base import Sample
from talkingface_wild.benchmark.metrics import METRICS
from talkingface_wild.benchmark.protocol import load_protocol
from talkingface_wild.functional.intervals import assign_folds

PROTOCOL = load_protocol("tfw-v1")
ROWS = {"inception": ("pool", 24), "i3d": ("logits", 16), "expression": ("expression", 8)}
"""By extractor: its array, and so many dimensions as make tests quick."""


def features(extractor, rows_ND):
    """One video's features: more than the array where the metric asks for it."""
    array, _ = ROWS[extractor]
    found = {array: np.asarray(rows_ND)}
    return {extractor: found | ({"asked": np.array([len(rows_ND)])} if "exp" in extractor else {})}


def clips(extractor, count=12, rows=30, shift=0.0, seed=0, people=4):
    """``count`` samples whose generated rows are the reference's own, moved by ``shift``."""
    random = np.random.default_rng(seed)
    made = []
    for index in range(count):
        real = random.normal(size=(rows, ROWS[extractor][1]))
        made.append(
            Sample(
                clip=f"c{index}",
                group=f"p{index % people}",
                generated=features(extractor, real + shift),
                reference=features(extractor, real),
            )
        )
    return made


def metric(name, samples, protocol=PROTOCOL):
    """A metric that knows the folds of these samples and has seen none."""
    return METRICS[name](protocol, assign_folds([sample.group for sample in samples]))


def fed(name, samples, protocol=PROTOCOL, order=None):
    """A metric that has seen the samples."""
    made = metric(name, samples, protocol)
    for sample in samples if order is None else [samples[i] for i in order]:
        made.update(sample)
    return made


def curve(least_at, depth=3.0, level=10.0):
    """Mean distances over 31 shifts: ``level`` but for ``depth`` less at one of them."""
    means = np.full(31, level)
    means[least_at] -= depth
    return means


def spoken(clip, means, real=None, nulls=(0.5,), language="en", windows=100, group=None):
    """A sample of lip-sync: the generated curve, the real video's and its chance level."""

    def side(curve_S):
        curves = np.atleast_2d(curve_S)
        return {
            "lipsync": {
                "means": curves,
                "windows": np.full(len(curves), windows),
                "nulls": np.array(nulls),
            }
        }

    reference = side(means if real is None else real)
    return Sample(clip, group or clip, language, side(means), reference)


def replaced(sample, **changes):
    """The sample with some fields changed."""
    return dataclasses.replace(sample, **changes)
