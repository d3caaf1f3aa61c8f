"""The numbers of a trained model's figures, a line each."""

from collections.abc import Mapping
from typing import Any


def drift_lines(figures: Mapping[str, Any], against: str) -> list[str]:
    """SSIM at each frame asked for."""
    lines = [f"SSIM against {against}"]
    for name, run in figures.items():
        values = "  ".join(f"{f}: {v:.4f}" for f, v in run["ssim"].items() if v is not None)
        lines.append(f"{name:9}{values}  ({run['weights']})")
    return lines


def lips_lines(figures: Mapping[str, Any], _: str) -> list[str]:
    """The mouth's share of the attention."""
    lines = [
        f"{name:9}{100 * model['mass']:.1f} % of the attention to {model['tokens']} in the mouth"
        for name, model in figures["models"].items()
    ]
    return [*lines, f"{'even':9}{100 * figures['even']:.1f} %"]


def expressions_lines(figures: Mapping[str, Any], _: str) -> list[str]:
    """Purity and silhouette of each space."""
    lines = [
        f"{name:9}purity {_shown(space['purity'])}, silhouette {_shown(space['silhouette'])}  "
        f"({space['space']})"
        for name, space in figures["spaces"].items()
    ]
    return [*lines, f"{'chance':9}purity {_shown(figures['purity_by_chance'])}"]


def alpha_lines(figures: Mapping[str, Any], _: str) -> list[str]:
    """SSIM at each alpha."""
    lines = [
        f"alpha {alpha:5}{point['ssim']:.4f}  ({point['weights']})"
        for alpha, point in figures["alpha"].items()
    ]
    without = figures["without_mta"]
    return lines if without is None else [*lines, f"{'w/o MTA':11}{without:.4f}"]


LINES = {
    "drift": drift_lines,
    "lips": lips_lines,
    "expressions": expressions_lines,
    "alpha": alpha_lines,
}
"""By the figure's name."""


def _shown(value: float | None) -> str:
    return "none" if value is None else f"{value:.3f}"
