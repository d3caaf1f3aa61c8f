"""What two halves of one set are apart, as the number of rows grows: a table and its figure.

``python docs/figures/floor_by_n.py`` draws floor_by_n.svg from floor_by_n.csv beside it. With the
word ``synthetic`` it first computes the synthetic laws anew (some minutes), with the folder of a
run of ``tfw bench`` the curves of that run's stored features.
"""

import csv
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np

from talkingface_wild.functional.frechet import frechet_of_moments
from talkingface_wild.functional.kernel_distance import FoldedKernel, polynomial_mmd2
from talkingface_wild.functional.moments import Moments

HERE = Path(__file__).resolve().parent
SIZES = (64, 128, 256, 512, 1024, 2048, 4096, 10_000, 20_000)
MOST_KERNEL = 10_000
DRAWS, FEW_DRAWS, FEW_FROM = 12, 3, 2048
"""Draws of each size, and of sizes from 2,048 rows on."""
MEAN, VARIANCE = 0.4, 0.1
"""Of a synthetic dimension: the mean of each, and the mean over all; variances fall as 1/k."""
LAWS = {
    "fid": ("synthetic, 2,048 dimensions", 2048),
    "fvd": ("synthetic, 400 dimensions", 400),
    "efid": ("synthetic, 64 dimensions", 64),
}
RUNS = {"inception": ("pool", "fid", "Inception"), "i3d": ("logits", "fvd", "I3D")}


class Point(NamedTuple):
    """Two halves of ``rows`` rows each: means over draws, and the deviation between them."""

    curve: str
    kind: str
    rows: int
    share: float
    """Fréchet distance over the trace of the law's, or the whole set's, covariance."""
    share_deviation: float
    kernel: float
    """Unbiased MMD² over the trace of the kernel's; NaN where it was not computed."""
    kernel_deviation: float


def synthetic() -> Iterator[Point]:
    """Two independent draws of one Gaussian law, at each size."""
    for kind, (name, dimensions) in LAWS.items():
        fall = 1.0 / np.arange(1, dimensions + 1)
        deviations = np.sqrt(fall * (VARIANCE * dimensions / fall.sum()))
        many = np.random.default_rng(dimensions).standard_normal((4096, dimensions))
        traces = VARIANCE * dimensions, _traces(MEAN + many * deviations)[1]
        for rows in SIZES:
            found = []
            for draw in range(DRAWS if rows < FEW_FROM else FEW_DRAWS):
                random = np.random.default_rng([dimensions, rows, draw])
                sides = [
                    MEAN + random.standard_normal((rows, dimensions)) * deviations for _ in "ab"
                ]
                found.append(_apart(sides[0], sides[1], traces))
            yield _point(name, kind, rows, found)


def of_run(folder: Path) -> Iterator[Point]:
    """Random halves of a run's reference features: by identity, and by row whoever it is of."""
    from talkingface_wild.benchmark.feature_store import FeatureStore
    from talkingface_wild.benchmark.runs import read_run

    run = read_run(folder)
    table, store = run.clips(), FeatureStore(run.path)
    rows = table[table["state"] == "scored"].to_dict("records")
    for extractor, (array, kind, title) in RUNS.items():
        groups: dict[str, list[np.ndarray]] = {}
        for row in rows:
            picture = json.loads(row["keys"])["reference"][0]
            features, _ = store.load(picture, run.facts["prints"][extractor])
            if array in features:
                groups.setdefault(row["group"], []).append(features[array].astype(np.float64))
        people = [np.concatenate(parts) for parts in groups.values()]
        yield from _by_identity(people, f"{title}, filler weights, by identity", kind)
        yield from _by_row(np.concatenate(people), f"{title}, filler weights, by row", kind)


def _by_identity(people: list[np.ndarray], name: str, kind: str) -> Iterator[Point]:
    """Halves that share no person, of one person each, two, four and so on."""
    count, traces = 1, _traces(np.concatenate(people))
    while 2 * count <= len(people):
        found, sizes = [], []
        for draw in range(8):
            order = np.random.default_rng([count, draw]).permutation(len(people))
            sides = [
                np.concatenate([people[i] for i in order[part : 2 * count : 2]]) for part in (0, 1)
            ]
            sizes.append(min(map(len, sides)))
            found.append(_apart(sides[0], sides[1], traces))
        yield _point(name, kind, round(float(np.mean(sizes))), found)
        count *= 2


def _by_row(rows: np.ndarray, name: str, kind: str) -> Iterator[Point]:
    """Halves of single frames or windows, neighbours on either side."""
    size, traces = 16, _traces(rows)
    while 2 * size <= len(rows):
        found = []
        for draw in range(8):
            order = np.random.default_rng([size, draw]).permutation(len(rows))
            halves = rows[order[:size]], rows[order[size : 2 * size]]
            found.append(_apart(*halves, traces))
        yield _point(name, kind, size, found)
        size *= 2


def _traces(rows: np.ndarray) -> tuple[float, float]:
    """The covariance's trace, and that of the kernel's covariance."""
    sums = FoldedKernel.of([rows], [rows[:1]])
    diagonal, everything, count = sums.diagonal_x_F[0], sums.within_x_FF[0, 0], len(rows)
    kernel = diagonal / count - (everything - diagonal) / (count * (count - 1))
    return float(np.trace(Moments.of(rows).covariance())), float(kernel)


def _apart(
    first: np.ndarray, second: np.ndarray, traces: tuple[float, float]
) -> tuple[float, float]:
    """Fréchet distance and unbiased MMD², each over the trace of its covariance."""
    share = frechet_of_moments(Moments.of(first), Moments.of(second)) / traces[0]
    if max(len(first), len(second)) > MOST_KERNEL:
        return share, np.nan
    return share, polynomial_mmd2(first, second) / traces[1]


def _point(name: str, kind: str, rows: int, found: list[tuple[float, float]]) -> Point:
    shares, kernels = np.array(found).T
    return Point(
        name, kind, rows, shares.mean(), shares.std(ddof=1), kernels.mean(), kernels.std(ddof=1)
    )


def write(points: list[Point]) -> None:
    """The table, sorted as it was measured."""
    with (HERE / "floor_by_n.csv").open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(Point._fields)
        for point in points:
            writer.writerow([*point[:3], *(f"{value:.6g}" for value in point[3:])])


def read() -> list[Point]:
    """The table as it was written; empty before it ever was."""
    if not (HERE / "floor_by_n.csv").is_file():
        return []
    with (HERE / "floor_by_n.csv").open(newline="", encoding="utf-8") as file:
        return [
            Point(row["curve"], row["kind"], int(row["rows"]), *map(float, list(row.values())[3:]))
            for row in csv.DictReader(file)
        ]


COLOURS = {"fid": "#1f5fa8", "fvd": "#b3511c", "efid": "#3c7d3c"}
WIDTH, HEIGHT, LEFT, TOP, GAP = 400, 300, 56, 34, 70


def draw(points: list[Point]) -> str:
    """Two panels: the Fréchet distance, both axes logarithmic, and the kernel's."""
    curves: dict[str, list[Point]] = {}
    for point in points:
        curves.setdefault(point.curve, []).append(point)
    legend = TOP + HEIGHT + 62
    height = legend + 18 * len(curves)
    width = 2 * (LEFT + WIDTH) + GAP
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" role="img" '
        'font-family="sans-serif" font-size="12">',
        "<title>Distances between two halves of one set, by the number of rows</title>",
        f'<rect width="{width}" height="{height}" fill="#ffffff"/>',
        *_frechet_panel(curves),
        *_kernel_panel(curves),
    ]
    for place, (name, found) in enumerate(curves.items()):
        y = legend + 18 * place
        parts.append(_path([(LEFT, y - 4), (LEFT + 36, y - 4)], found[0]))
        parts.append(f'<text x="{LEFT + 46}" y="{y}">{name}</text>')
    return "\n".join([*parts, "</svg>", ""])


def _frechet_panel(curves: dict[str, list[Point]]) -> Iterator[str]:
    low, high = -3.0, 0.7
    for power in (-3, -2, -1, 0):
        y = _place(power, low, high)
        yield from _rule(LEFT, y, f"{100 * 10**power:g} %")
    yield from _axis(LEFT, "Fréchet distance of two halves, share of the trace")
    for found in curves.values():
        line = [
            (LEFT + _across(p.rows), _place(np.log10(max(p.share, 1e-3)), low, high)) for p in found
        ]
        yield _path(line, found[0])


def _kernel_panel(curves: dict[str, list[Point]]) -> Iterator[str]:
    """Means over draws, with a bar from one deviation below to one above."""
    left, low, high = LEFT + WIDTH + GAP + LEFT - 20, -0.6, 3.6
    for level in (0.0, 1.0, 2.0, 3.0):
        yield from _rule(left, _place(level, low, high), f"{100 * level:g} %")
    yield from _axis(left, "KID or KVD of two halves, share of its trace, ± deviation")
    for found in curves.values():
        known = [p for p in found if np.isfinite(p.kernel)]
        line = [(left + _across(p.rows), _place(min(p.kernel, high), low, high)) for p in known]
        yield _path(line, found[0])
        for (x, _), point in zip(line, known, strict=True):
            ends = point.kernel - point.kernel_deviation, point.kernel + point.kernel_deviation
            down, up = (_place(min(max(end, low), high), low, high) for end in ends)
            yield (
                f'<line x1="{x:.1f}" y1="{down:.1f}" x2="{x:.1f}" y2="{up:.1f}" '
                f'stroke="{COLOURS[point.kind]}"/>'
            )


def _across(rows: int) -> float:
    first, last = np.log10(10), np.log10(24_000)
    return float((np.log10(rows) - first) / (last - first) * WIDTH)


def _place(value: float, low: float, high: float) -> float:
    return float(TOP + HEIGHT - (value - low) / (high - low) * HEIGHT)


def _rule(left: float, y: float, words: str) -> Iterator[str]:
    ends = f'x1="{left:.1f}" y1="{y:.1f}" x2="{left + WIDTH:.1f}" y2="{y:.1f}"'
    yield f'<line {ends} stroke="#d9d9d9"/>'
    yield f'<text x="{left - 6:.1f}" y="{y + 4:.1f}" text-anchor="end">{words}</text>'


def _axis(left: float, title: str) -> Iterator[str]:
    bottom = TOP + HEIGHT
    yield (f'<line x1="{left}" y1="{bottom}" x2="{left + WIDTH}" y2="{bottom}" stroke="#555555"/>')
    for rows in (16, 64, 256, 1024, 4096, 20_000):
        x = left + _across(rows)
        yield f'<text x="{x:.1f}" y="{bottom + 16}" text-anchor="middle">{rows:,}</text>'
    middle = left + WIDTH / 2
    yield f'<text x="{middle:.1f}" y="{bottom + 34}" text-anchor="middle">rows in each half</text>'
    yield f'<text x="{middle:.1f}" y="18" text-anchor="middle">{title}</text>'


def _path(line: list[tuple[float, float]], point: Point) -> str:
    """A curve: whole where synthetic, dashed by identity, dotted by row."""
    dash = {"y": "6 4", "w": "2 3"}.get(point.curve[-1], "") if "filler" in point.curve else ""
    stroke = f'stroke="{COLOURS[point.kind]}" stroke-width="2" fill="none"'
    style = f' stroke-dasharray="{dash}"' if dash else ""
    where = " ".join(f"{x:.1f},{y:.1f}" for x, y in line)
    dots = "".join(
        f'<circle cx="{x:.1f}" cy="{y:.1f}" r="2.4" fill="{COLOURS[point.kind]}"/>' for x, y in line
    )
    return f'<polyline points="{where}" {stroke}{style}/>{dots}'


if __name__ == "__main__":
    measured: list[Point] = []
    for source in sys.argv[1:]:
        measured += synthetic() if source == "synthetic" else of_run(Path(source))
    again = {point.curve for point in measured}
    write([*(point for point in read() if point.curve not in again), *measured])
    (HERE / "floor_by_n.svg").write_text(draw(read()), encoding="utf-8")
