"""KID and KVD: the squared maximum mean discrepancy (MMD²) under a cubic polynomial kernel.
Unbiased at any sample size, unlike a Fréchet distance; everything in float64.
Shape legend: N, M rows, D dimensions, F folds.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from talkingface_wild.core.arrays import Floats

Features = npt.NDArray[np.floating[Any]]

BLOCK = 2000
"""Rows of either side whose kernel is held at once: 32 MB, thrice, and 33 MB a side of 2,048-d."""


@dataclass(frozen=True)
class FoldedKernel:
    """Kernel sums between folds, from which any fold can be left out without a new kernel.

    Fold f is the same people on both sides. For 30,000 × 2,048 features a side the kernels take
    7.4e12 operations (about two minutes on two cores) and 130 MB beside the features; each value
    after that takes F² additions.
    """

    within_x_FF: Floats
    within_y_FF: Floats
    across_FF: Floats
    """Row: fold of x. Column: fold of y."""
    diagonal_x_F: Floats
    """Sum of k(x, x) over each fold's rows."""
    diagonal_y_F: Floats
    rows_x_F: npt.NDArray[np.int64]
    rows_y_F: npt.NDArray[np.int64]

    @classmethod
    def of(cls, x_by_fold: Sequence[Features], y_by_fold: Sequence[Features]) -> Self:
        """The sums of two sets, each a sequence of (rows, D) per fold; a fold may have no rows.

        Raises ValueError for other numbers of folds or dimensions, and for values not finite.
        """
        if len(x_by_fold) != len(y_by_fold) or not x_by_fold:
            raise ValueError(
                f"Expected as many folds on both sides, found {len(x_by_fold)} and "
                f"{len(y_by_fold)}; assign the folds once, by identity."
            )
        _check([*x_by_fold, *y_by_fold])
        return cls(
            within_x_FF=_within(x_by_fold),
            within_y_FF=_within(y_by_fold),
            across_FF=np.array([[_kernel_sum(x, y) for y in y_by_fold] for x in x_by_fold]),
            diagonal_x_F=np.array([_diagonal_sum(x) for x in x_by_fold]),
            diagonal_y_F=np.array([_diagonal_sum(y) for y in y_by_fold]),
            rows_x_F=np.array([len(x) for x in x_by_fold], dtype=np.int64),
            rows_y_F=np.array([len(y) for y in y_by_fold], dtype=np.int64),
        )

    def mmd2(self, biased: bool = False) -> float:
        """MMD² of all rows. Raises ValueError where a side has too few (two; one if biased)."""
        return self._without(None, biased)

    def leave_out(self, biased: bool = False) -> list[float]:
        """MMD² without each fold in turn, the input of ``intervals.grouped_jackknife``."""
        return [self._without(fold, biased) for fold in range(len(self.rows_x_F))]

    def _without(self, fold: int | None, biased: bool) -> float:
        left = np.arange(len(self.rows_x_F)) != (-1 if fold is None else fold)
        square = np.ix_(left, left)
        rows_x, rows_y = int(self.rows_x_F[left].sum()), int(self.rows_y_F[left].sum())
        least = 1 if biased else 2
        if min(rows_x, rows_y) < least:
            raise ValueError(
                f"Expected at least {least} rows on either side, found {rows_x} and {rows_y}; "
                "score more clips, or use fewer folds."
            )
        total = -2.0 * float(self.across_FF[square].sum()) / (rows_x * rows_y)
        for within_FF, diagonal_F, count in (
            (self.within_x_FF, self.diagonal_x_F, rows_x),
            (self.within_y_FF, self.diagonal_y_F, rows_y),
        ):
            pairs = float(within_FF[square].sum())
            if biased:
                total += pairs / count**2
            else:
                total += (pairs - float(diagonal_F[left].sum())) / (count * (count - 1))
        return total


def polynomial_mmd2(x_ND: Features, y_MD: Features, biased: bool = False) -> float:
    """MMD² of two sets under k(a, b) = (a·b / D + 1)³ (Bińkowski et al., 2018).

    Unbiased by default, and then below zero about as often as above where both sets have one law.
    Raises ValueError as ``FoldedKernel``.
    """
    return FoldedKernel.of([x_ND], [y_MD]).mmd2(biased)


def kid(
    x_ND: Features, y_MD: Features, subset_size: int = 1000, subsets: int = 100, seed: int = 0
) -> tuple[float, float]:
    """Mean and standard deviation of the unbiased MMD² over random subsets of both sets.

    As torch-fidelity and clean-fid: drawn without replacement within a subset, of at most the
    smaller set's size, deviation with ddof 0; the draws are NumPy's PCG64 and so not theirs.
    Raises ValueError for sets of fewer than two rows, and as ``FoldedKernel``.
    """
    _check([x_ND, y_MD])
    size = min(subset_size, len(x_ND), len(y_MD))
    generator = np.random.default_rng(seed)
    values = np.empty(subsets)
    for place in range(subsets):
        x = x_ND[generator.choice(len(x_ND), size, replace=False)]
        y = y_MD[generator.choice(len(y_MD), size, replace=False)]
        values[place] = polynomial_mmd2(x, y)
    return float(values.mean()), float(values.std())


def _within(by_fold: Sequence[Features]) -> Floats:
    """(F, F) sums between the folds of one set."""
    sums = np.zeros((len(by_fold), len(by_fold)))
    for row, first in enumerate(by_fold):
        for column, second in enumerate(by_fold[: row + 1]):
            sums[row, column] = sums[column, row] = _kernel_sum(first, second)
    return sums


def _kernel_sum(first_ND: Features, second_MD: Features) -> float:
    """Sum of k over all pairs of rows, by blocks."""
    same, total = first_ND is second_MD, 0.0
    for start in range(0, len(first_ND), BLOCK):
        rows = first_ND[start : start + BLOCK].astype(np.float64)
        for other in range(start if same else 0, len(second_MD), BLOCK):
            mirrored = same and other > start
            itself = same and other == start
            columns = rows if itself else second_MD[other : other + BLOCK].astype(np.float64)
            base = rows @ columns.T
            base /= first_ND.shape[1]
            base += 1.0
            cube = base * base
            cube *= base
            total += (2.0 if mirrored else 1.0) * float(cube.sum())
    return total


def _diagonal_sum(features_ND: Features) -> float:
    squares = np.einsum("nd,nd->n", features_ND, features_ND, dtype=np.float64)
    return float(((squares / features_ND.shape[1] + 1.0) ** 3).sum())


def _check(sets: Sequence[Features]) -> None:
    """ValueError unless all are (rows, D) with one D and finite."""
    shapes = [features.shape for features in sets]
    if any(len(shape) != 2 or not shape[1] for shape in shapes) or len({s[1] for s in shapes}) != 1:
        raise ValueError(
            f"Expected features of shape (rows, D) with one D, found {sorted(set(shapes))}; "
            "compare features of one network."
        )
    broken = sum(int((~np.isfinite(features).all(axis=1)).sum()) for features in sets)
    if broken:
        raise ValueError(
            f"Expected finite features, found NaN or infinite values in {broken} rows; look at the "
            "frames that they came from."
        )
