"""MMD² under the cubic kernel as loops over Python floats; shares nothing with the package."""


def kernel(a, b):
    """(a·b / D + 1)³."""
    product = sum(float(x) * float(y) for x, y in zip(a, b, strict=True))
    return (product / len(a) + 1) ** 3


def mmd2(first, second, biased=False):
    """Over all pairs; without a row's pair with itself unless ``biased``."""
    total = 0.0
    for rows in (first, second):
        inside = [
            kernel(a, b) for i, a in enumerate(rows) for j, b in enumerate(rows) if biased or i != j
        ]
        total += sum(inside) / len(inside)
    across = [kernel(a, b) for a in first for b in second]
    return total - 2 * sum(across) / len(across)
