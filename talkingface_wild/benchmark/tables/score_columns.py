"""The columns of a table: their order, titles and decimals, and how a number is written."""

import math
from collections.abc import Iterable

from talkingface_wild.benchmark.base import Better
from talkingface_wild.benchmark.metrics import METRICS
from talkingface_wild.benchmark.tables.reported import PAPER_METRICS

ARROWS: dict[Better, str] = {"lower": "↓", "higher": "↑", "one": "→1", "none": ""}


DECIMALS = {
    "fid": 2,
    "fvd": 2,
    "sync_c": 2,
    "sync_d": 2,
    "ssim": 3,
    "efid": 2,
    "kid": 2,
    "kvd": 2,
    "sync_c0": 2,
    "nsync": 3,
    "psnr": 2,
    "csim": 3,
    "csim_frames": 3,
    "sync_offset": 2,
    "drift": 4,
    "tje": 3,
    "flicker": 3,
    "efid_inception": 2,
}
"""How many a metric is shown with; others have four significant digits."""


def title_of(metric: str) -> str:
    """The metric's own title; one that this version does not know is shown by its name."""
    return METRICS[metric].title if metric in METRICS else metric


def in_order(metrics: Iterable[str], unranked: Iterable[str]) -> list[str]:
    """The paper's six in its order, then the registry's, then others, never-ranked ones last."""
    last = set(unranked) - set(PAPER_METRICS)
    listed = [*PAPER_METRICS, *METRICS]

    def place(metric: str) -> tuple[bool, int, str]:
        is_listed = metric in listed
        return metric in last, listed.index(metric) if is_listed else len(listed), metric

    return sorted(set(metrics), key=place)


def written(value: float | None, metric: str) -> str:
    """A value as its column shows it; an em dash for none."""
    if value is None or not math.isfinite(value):
        return "—"
    if metric in DECIMALS:
        return f"{value:.{DECIMALS[metric]}f}"
    text = f"{value:.4g}"
    return f"{value:.0f}" if "e+" in text and abs(value) < 1e9 else text
