"""Round numbers for axes and for bounds to try: 1, 2, 2.5 or 5 times a power of ten."""

import math


def round_step(least: float, whole: bool = False) -> float:
    """The least round number that is not below ``least`` (1 where that is not positive).

    With ``whole`` it is a whole number, 1 at least.
    """
    if least <= 0:
        return 1.0
    power = 10.0 ** math.floor(math.log10(least))
    step = next(power * lead for lead in (1, 2, 2.5, 5, 10) if power * lead >= least * (1 - 1e-9))
    return float(math.ceil(step)) if whole else step


def multiples(step: float, low: float, high: float, outward: bool = False) -> list[float]:
    """The multiples of ``step`` between ``low`` and ``high``; ``outward``: that span both."""
    down, up = (math.floor, math.ceil) if outward else (math.ceil, math.floor)
    slack = 1e-9 if outward else -1e-9
    first, last = down(low / step + slack), up(high / step - slack)
    return [round(place * step, 9) for place in range(first, last + 1)]
