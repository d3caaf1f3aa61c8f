"""Sums of feature rows from which their mean and covariance follow; sums of folds add and subtract.
Shape legend: N rows, D dimensions.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from talkingface_wild.core.arrays import Floats

Features = npt.NDArray[np.floating[Any]]


@dataclass(eq=False)
class Moments:
    """How many rows there were, their sum, and the sum of their outer products, all in float64.

    Plain sums, so that clips, folds and machines merge in any order and a fold can be taken out
    again. The price is digits: a variance loses (mean ÷ deviation)² of float64's 1e-15 or so, which
    leaves eight where the mean is a thousand deviations away. Inception's features (0 to 5),
    I3D's logits and expression coefficients are nowhere near that. Memory is D² × 8 bytes: 33.6 MB
    at 2,048 dimensions, and once more while rows are added.
    """

    n: int
    sum_D: Floats
    outer_DD: Floats

    @classmethod
    def empty(cls, dimensions: int) -> Self:
        """No rows yet."""
        return cls(0, np.zeros(dimensions), np.zeros((dimensions, dimensions)))

    @classmethod
    def of(cls, features_ND: Features) -> Self:
        """The moments of (N, D) rows. Raises ValueError as ``add``."""
        rows = _checked(features_ND, None)
        return cls(len(rows), rows.sum(axis=0), rows.T @ rows)

    def add(self, features_ND: Features) -> None:
        """Takes (N, D) more rows in.

        Raises ValueError for rows of other dimensions, or with a NaN or an infinite value; then
        nothing was added.
        """
        rows = _checked(features_ND, self.dimensions)
        self.n += len(rows)
        self.sum_D += rows.sum(axis=0)
        self.outer_DD += rows.T @ rows

    def __add__(self, other: Moments) -> Moments:
        """Both sets together."""
        self._same_dimensions(other)
        return Moments(self.n + other.n, self.sum_D + other.sum_D, self.outer_DD + other.outer_DD)

    def __sub__(self, other: Moments) -> Moments:
        """What is left without the rows of ``other``, all of which have to be in this set."""
        self._same_dimensions(other)
        if other.n > self.n:
            raise ValueError(
                f"Expected to leave out at most {self.n} rows, found {other.n}; subtract a fold "
                "from the sum that holds it."
            )
        return Moments(self.n - other.n, self.sum_D - other.sum_D, self.outer_DD - other.outer_DD)

    @property
    def dimensions(self) -> int:
        """D."""
        return len(self.sum_D)

    @property
    def mean(self) -> Floats:
        """(D,). Raises ValueError when there is no row."""
        self._at_least(1)
        return self.sum_D / self.n

    def covariance(self, ddof: int = 1) -> Floats:
        """(D, D), divided by n − ``ddof``: 1 as ``numpy.cov``, 0 for the biased one.

        Raises ValueError when n is not above ``ddof``.
        """
        self._at_least(ddof + 1)
        result: Floats = np.outer(self.sum_D, self.sum_D)
        result *= -1.0 / self.n
        result += self.outer_DD
        result /= self.n - ddof
        return result

    def _at_least(self, rows: int) -> None:
        if self.n < rows:
            raise ValueError(
                f"Expected at least {rows} rows of features, found {self.n}; score more clips."
            )

    def _same_dimensions(self, other: Moments) -> None:
        if self.dimensions != other.dimensions:
            raise ValueError(
                f"Expected features of {self.dimensions} dimensions, found {other.dimensions}; "
                "merge only what one network made."
            )


def _checked(features_ND: Features, dimensions: int | None) -> Floats:
    """The rows in float64, or ValueError."""
    if features_ND.ndim != 2 or dimensions not in (None, features_ND.shape[1]):
        columns = "dimensions" if dimensions is None else dimensions
        raise ValueError(
            f"Expected features of shape (rows, {columns}), found {features_ND.shape}; embed with "
            "one network throughout."
        )
    rows = np.asarray(features_ND, dtype=np.float64)
    broken = int((~np.isfinite(rows).all(axis=1)).sum())
    if broken:
        raise ValueError(
            f"Expected finite features, found NaN or infinite values in {broken} of {len(rows)} "
            "rows; look at the frames that they came from."
        )
    return rows
