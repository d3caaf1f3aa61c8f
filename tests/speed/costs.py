"""``python -m tests.speed.costs FILE…``: typical costs by stage, fitted to recorded local runs.

FILEs come from ``python -m tests.speed.recorded``. A stage's seconds are the lesser of wall and
processor seconds, so that a busy machine does not count; the first item's surplus is the opening.
"""

import json
import sys
from collections import defaultdict
from pathlib import Path

import numpy as np
from scipy.optimize import nnls

Sample = tuple[float, float]
"""An item's seconds of video, and what it took."""


def samples(path: Path) -> dict[str, list[Sample]]:
    """By stage, what each item of a run took, in order."""
    data = json.loads(path.read_text(encoding="utf-8"))
    lengths = {source["id"]: source["seconds"] for source in data["sources"]}
    found: dict[str, list[Sample]] = defaultdict(list)
    for event in data["events"]:
        values = event["values"] or {}
        for name in ("source_seconds", "clip_seconds"):
            if values.get(name):
                lengths[event["item"]] = values[name]
        for child in event.get("children") or []:
            lengths[child["id"]] = child["values"]["clip_seconds"]
        taken = min(event["seconds"], event["cpu_seconds"])
        found[event["stage"]].append((lengths.get(event["item"]) or 0.0, taken))
    return found


def fitted(items: list[Sample]) -> tuple[float, float, float]:
    """Seconds per item, per second of video, and the first item's surplus; none below 0."""
    rest = np.array(items[1:] or items)
    design = np.stack([np.ones(len(rest)), rest[:, 0]], axis=1)
    (fixed, per_second), _ = nnls(design, rest[:, 1])
    opening = max(0.0, items[0][1] - fixed - per_second * items[0][0])
    return float(fixed), float(per_second), opening


def main() -> None:
    """A line of the table for each stage of each file."""
    for name in sys.argv[1:]:
        print(f"# {name}")
        for stage, items in samples(Path(name)).items():
            fixed, per_second, opening = fitted(items)
            seconds = sum(size for size, _ in items)
            spent = sum(taken for _, taken in items)
            print(
                f"  {stage}: {{fixed: {fixed:.4f}, per_second: {per_second:.4f}, "
                f"opening: {opening:.2f}}}  # {len(items)} items, {seconds:.0f} s, {spent:.1f} s"
            )


if __name__ == "__main__":
    main()
