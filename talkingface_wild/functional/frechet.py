"""The Fréchet distance between two Gaussians: FID, FVD and E-FID are it on different features.
Symmetric eigenvalue problems in float64, so that no imaginary part arises that has to be dropped.
Shape legend: D dimensions, R rank.
"""

import numpy as np

from talkingface_wild.core.arrays import Floats
from talkingface_wild.functional.moments import Moments

_DOUBT = 1e-9
"""The fast form counts where rounding can move the trace of the root by less than this part of the
covariances' traces."""
_PRECISION = float(np.finfo(np.float64).eps)


def frechet_distance(mean1_D: Floats, cov1_DD: Floats, mean2_D: Floats, cov2_DD: Floats) -> float:
    """‖m₁ − m₂‖² + tr C₁ + tr C₂ − 2 tr (C₁C₂)^½ (Dowson and Landau, 1982; Heusel et al., 2017).

    tr (C₁C₂)^½ is the sum of the roots of the eigenvalues of LᵀC₂L with C₁ = LLᵀ: L is Cholesky's,
    or made of C₁'s eigenvectors without its null directions where C₁ has fewer rows than
    dimensions behind it. Where small eigenvalues leave more than 1e-9 of the traces in doubt, it is
    the sum of the singular values of LᵀB with C₂ = BBᵀ, which is slower and as exact as C₁ and C₂:
    null directions of both add nothing, where the root of a product of covariances (scipy.linalg's
    sqrtm, numpy's eigvals) has about 1e-8 of the largest eigenvalue from each.

    Equal Gaussians give a value of rounding's size, of either sign: it is not clipped here.
    Raises ValueError for shapes that do not fit, and for values that are not finite.
    """
    _check(mean1_D, cov1_DD, mean2_D, cov2_DD)
    difference = np.asarray(mean1_D - mean2_D, dtype=np.float64)
    first, second = (np.asarray(cov, dtype=np.float64) for cov in (cov1_DD, cov2_DD))
    traces = float(np.trace(first)) + float(np.trace(second))
    return float(difference @ difference) + traces - 2.0 * _root(first, second, _DOUBT * traces)


def frechet_of_moments(first: Moments, second: Moments, ddof: int = 1) -> float:
    """The distance between two sets of rows; ``ddof`` 0 is CD-FVD's biased covariance.

    Raises ValueError as ``Moments.covariance`` and ``frechet_distance``.
    """
    return frechet_distance(
        first.mean, first.covariance(ddof), second.mean, second.covariance(ddof)
    )


def _root(first_DD: Floats, second_DD: Floats, allowed: float) -> float:
    """The trace of (C₁C₂)^½, from eigenvalues where they leave less than ``allowed`` in doubt.

    An eigenvalue of M = LᵀC₂L is off by about eps ‖M‖, its root by that over twice the root; the
    root of a null eigenvalue by the root of that.
    """
    factor = _cholesky(first_DD)
    if factor is None:
        factor = _factor(first_DD)
    if not factor.size:
        return 0.0
    eigenvalues = np.linalg.eigvalsh(factor.T @ second_DD @ factor)
    error = _PRECISION * float(np.abs(eigenvalues).max())
    if error == 0:
        return 0.0
    roots = np.sqrt(np.maximum(eigenvalues, 0.0))
    if float((error / (2.0 * np.maximum(roots, np.sqrt(error)))).sum()) > allowed:
        product = factor.T @ _factor(second_DD)
        roots = np.linalg.svd(product, compute_uv=False) if product.size else np.zeros(1)
    return float(roots.sum())


def _cholesky(covariance_DD: Floats) -> Floats | None:
    """Cholesky's factor; None where there is none, or a pivot is nothing but rounding."""
    try:
        factor: Floats = np.linalg.cholesky(covariance_DD).astype(np.float64, copy=False)
    except np.linalg.LinAlgError:
        return None
    pivots = np.square(np.diag(factor))
    return factor if pivots.min() > len(pivots) * _PRECISION * pivots.max() else None


def _factor(covariance_DD: Floats) -> Floats:
    """A of shape (D, R) with A Aᵀ = C, without the directions that are null but for rounding."""
    values, vectors = np.linalg.eigh(covariance_DD)
    kept = values > len(values) * _PRECISION * max(float(values[-1]), 0.0)
    factor: Floats = vectors[:, kept] * np.sqrt(values[kept])
    return factor


def _check(mean1_D: Floats, cov1_DD: Floats, mean2_D: Floats, cov2_DD: Floats) -> None:
    shapes = mean1_D.shape, cov1_DD.shape, mean2_D.shape, cov2_DD.shape
    size = mean1_D.shape
    if len(size) != 1 or not size[0] or shapes != (size, size * 2, size, size * 2):
        raise ValueError(
            "Expected means of shape (D,) and covariances of shape (D, D), found "
            f"{', '.join(map(str, shapes))}; compare features of one network."
        )
    for name, values in (("first", (mean1_D, cov1_DD)), ("second", (mean2_D, cov2_DD))):
        if not all(np.isfinite(array).all() for array in values):
            raise ValueError(
                f"Expected a finite mean and covariance, found NaN or infinite values in the "
                f"{name} set; leave out the rows that hold them."
            )
