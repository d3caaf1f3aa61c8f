"""Intervals of a proportion seen in a sample. Pure numbers."""

from scipy.stats import beta


def exact_interval(successes: int, trials: int) -> tuple[float, float]:
    """The two-sided Clopper-Pearson interval of a binomial proportion; it covers at least 95 %.

    Raises ValueError unless 0 ≤ successes ≤ trials and
    trials ≥ 1.
    """
    if not 0 <= successes <= trials or trials < 1:
        raise ValueError(f"{successes} of {trials} is no proportion")
    tail = (1 - 0.95) / 2
    low = float(beta.ppf(tail, successes, trials - successes + 1)) if successes else 0.0
    high = float(beta.isf(tail, successes + 1, trials - successes)) if successes < trials else 1.0
    return low, high
