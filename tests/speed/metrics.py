"""The benchmark's metrics: time against the libraries that they replace, memory as videos grow."""

import time
import tracemalloc
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

Row = tuple[str, str, str]
"""What was measured, the figure, the bound it is held against."""
DIMENSIONS = 2048


def frechet() -> Iterator[Row]:
    """Fréchet distance of two sets of 6,000 features, and what SciPy's square root takes."""
    import scipy.linalg

    from talkingface_wild.functional.frechet import frechet_of_moments
    from talkingface_wild.functional.moments import Moments

    first, second = (Moments.of(_features(6000, seed)) for seed in (0, 1))
    covariances = first.covariance(), second.covariance()
    value, ours = _least(lambda: frechet_of_moments(first, second), 3)
    root, theirs = _least(lambda: scipy.linalg.sqrtm(covariances[0] @ covariances[1]), 1)
    difference = first.mean - second.mean
    traces = np.trace(covariances[0]) + np.trace(covariances[1])
    expected = difference @ difference + traces - 2 * np.trace(root).real
    name = f"Fréchet distance, {DIMENSIONS:,} dimensions"
    figure = f"{ours:.2f} s, sqrtm {theirs:.2f} s (× {theirs / ours:.1f})"
    yield name, figure, "× ≥ 3 of scipy.linalg.sqrtm"
    yield "its value against sqrtm's", f"{abs(value / expected - 1):.1e} relative", "≤ 1e-9"
    few = Moments.of(_features(500, 2))
    spent = _least(lambda: frechet_of_moments(few, second), 2)[1]
    yield f"{name}, one set of 500 rows", f"{spent:.2f} s", "–"


def similarity() -> Iterator[Row]:
    """SSIM of one pair of frames, and what scikit-image takes for the same number."""
    from skimage.metrics import structural_similarity

    from talkingface_wild.functional.similarity import psnr, ssim

    random = np.random.default_rng(0)
    a, b = random.integers(0, 256, (2, 512, 512, 3)).astype(np.uint8)
    options = {
        "gaussian": {"gaussian_weights": True, "sigma": 1.5, "use_sample_covariance": False},
        "uniform": {},
    }
    for window, named in options.items():
        value, ours = _least(lambda window=window: ssim(a, b, window), 20)
        expected, theirs = _least(
            lambda named=named: structural_similarity(
                a, b, data_range=255, channel_axis=-1, **named
            ),
            5,
        )
        figure = f"{ours * 1000:.1f} ms, scikit-image {theirs * 1000:.1f} ms (× {theirs / ours:.1f}"
        figure += f"; values {abs(value - expected):.0e} apart)"
        yield f"SSIM of a 512² pair, {window}", figure, "–"
    spent = _least(lambda: psnr(a, b), 20)[1]
    yield "PSNR of a 512² pair", f"{spent * 1000:.2f} ms", "–"


def memory() -> Iterator[Row]:
    """Peak memory of 20 folds' sums after 100 and after 10,000 videos of made-up features."""
    from talkingface_wild.functional.moments import Moments

    size, frames, peaks = 256, 16, []
    for videos in (100, 10_000):
        random = np.random.default_rng(0)
        tracemalloc.start()
        folds = [Moments.empty(size) for _ in range(20)]
        for video in range(videos):
            folds[video % 20].add(random.standard_normal((frames, size), dtype=np.float32))
        whole = sum(folds[1:], folds[0])
        peaks.append(tracemalloc.get_traced_memory()[1] / 1e6)
        tracemalloc.stop()
        if whole.n != videos * frames:
            raise RuntimeError("not every row was added: this measured something else")
    figure = f"{peaks[0]:.2f} MB → {peaks[1]:.2f} MB"
    yield f"peak of 20 folds' sums at {size} dimensions, 100 → 10,000 videos", figure, "flat"


def kernel() -> Iterator[Row]:
    """KID as the references subsample it, and once over all rows with its leave-one-fold-out."""
    from talkingface_wild.functional.kernel_distance import FoldedKernel, kid

    first, second = (_features(7500, seed).astype(np.float32) for seed in (0, 1))
    spent = _least(lambda: kid(first, second, subsets=10), 1)[1]
    yield "KID, 100 subsets of 1,000 × 2,048 (10 measured)", f"{10 * spent:.1f} s", "–"
    folds = [np.array_split(rows, 20) for rows in (first, second)]
    spent = _least(lambda: FoldedKernel.of(*folds).leave_out(), 1)[1]
    yield "KID of all 7,500 rows a side and without each of 20 folds", f"{spent:.1f} s", "–"


def _features(count: int, seed: int) -> np.ndarray:
    """Rows whose deviations fall over two decades, as a network's features do."""
    random = np.random.default_rng(seed)
    deviations = np.exp(-2e-3 * np.arange(DIMENSIONS))
    basis = np.linalg.qr(random.standard_normal((DIMENSIONS, DIMENSIONS)))[0]
    return (random.standard_normal((count, DIMENSIONS)) * deviations) @ basis


def _least(work: Callable[[], Any], times: int) -> tuple[Any, float]:
    """The result and the least time of several runs."""
    spent = []
    for _ in range(times):
        begun = time.perf_counter()
        result = work()
        spent.append(time.perf_counter() - begun)
    return result, min(spent)


MEASUREMENTS = {"frechet": frechet, "similarity": similarity, "kernel": kernel, "memory": memory}
