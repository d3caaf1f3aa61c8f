"""The kinds of columns that stages measure, each with its usual range and precision."""

from talkingface_wild.core.columns import Column


def text(name: str, meaning: str) -> Column:
    """A text."""
    return Column(name, "string", meaning)


def flag(name: str, meaning: str) -> Column:
    """Yes or no."""
    return Column(name, "bool", meaning)


def count(
    name: str, meaning: str, unit: str = "", low: float | None = 0, high: float | None = None
) -> Column:
    """A whole number, of 0 or more unless ``low`` is another."""
    return Column(name, "int", meaning, unit, low, high)


def measure(
    name: str,
    meaning: str,
    unit: str = "",
    low: float | None = 0,
    high: float | None = None,
    decimals: int = 3,
) -> Column:
    """A number, of 0 or more unless ``low`` is another."""
    return Column(name, "float", meaning, unit, low, high, decimals)


def share(name: str, meaning: str, decimals: int = 4) -> Column:
    """A part of the whole, 0 to 1."""
    return measure(name, meaning, high=1, decimals=decimals)
