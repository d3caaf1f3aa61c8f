"""SyncNet's evaluation as plain loops over Python floats; shares nothing with the package."""

import math
import statistics


def distance_table(lips, sounds, shift):
    """Rows of distances: one row a window, one column a shift."""
    windows, table = len(lips), []
    for i in range(windows):
        row = []
        for j in range(2 * shift + 1):
            k = i + j - shift
            total = 0.0
            for d, lip in enumerate(lips[i]):
                sound = float(sounds[k][d]) if 0 <= k < windows else 0.0
                total += (float(lip) - sound + 1e-6) ** 2
            row.append(math.sqrt(total))
        table.append(row)
    return table


def evaluate(lips, sounds, shift):
    """(offset in frames, least mean distance, confidence)."""
    table = distance_table(lips, sounds, shift)
    means = [sum(column) / len(table) for column in zip(*table, strict=True)]
    least = min(means)
    return shift - means.index(least), least, statistics.median(means) - least


def turned(rows, turn):
    """``rows`` moved ``turn`` places later, the last ones coming round to the front."""
    return [rows[(i - turn) % len(rows)] for i in range(len(rows))]
