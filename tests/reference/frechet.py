"""The Fréchet distance by the root of the covariances' product, as the references take it."""

import numpy as np
import scipy.linalg


def distance(mean1, cov1, mean2, cov2):
    """With SciPy's sqrtm, its imaginary part dropped."""
    root = np.asarray(scipy.linalg.sqrtm(cov1 @ cov2))
    return _assembled(mean1, cov1, mean2, cov2, np.trace(root).real)


def distance_by_eigenvalues(mean1, cov1, mean2, cov2):
    """With the eigenvalues of the product, which is not symmetric."""
    roots = np.sqrt(np.linalg.eigvals(cov1 @ cov2).astype(complex))
    return _assembled(mean1, cov1, mean2, cov2, roots.real.sum())


def of_samples(first, second, ddof=1):
    """Of two arrays of rows."""
    mean1, mean2 = first.mean(axis=0), second.mean(axis=0)
    cov1 = np.cov(first, rowvar=False, ddof=ddof)
    return distance(mean1, cov1, mean2, np.cov(second, rowvar=False, ddof=ddof))


def of_rows(first, second):
    """Of two arrays of rows without their covariances: singular values of the rows' products."""
    mean1, mean2 = first.mean(axis=0), second.mean(axis=0)
    centred1 = (first - mean1) / np.sqrt(len(first) - 1)
    centred2 = (second - mean2) / np.sqrt(len(second) - 1)
    root = np.linalg.svd(centred1 @ centred2.T, compute_uv=False).sum()
    return ((mean1 - mean2) ** 2).sum() + (centred1**2).sum() + (centred2**2).sum() - 2 * root


def _assembled(mean1, cov1, mean2, cov2, root):
    means = sum((a - b) ** 2 for a, b in zip(mean1, mean2, strict=True))
    return means + np.trace(cov1) + np.trace(cov2) - 2 * root
