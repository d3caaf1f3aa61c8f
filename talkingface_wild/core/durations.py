"""Lengths of time as a person reads them."""

_MINUTE, _HOUR = 60, 3600
_HOURS_IN_FULL = 10
"""Below so many hours minutes are told."""


def human_seconds(seconds: float) -> str:
    """``43 s``, ``3 min 12 s``, ``1 h 05 min``; from ten hours on ``12.4 h``."""
    whole = round(seconds)
    if seconds < 1:
        return f"{seconds:.1f} s" if round(seconds, 1) else "0 s"
    if whole < _MINUTE:
        return f"{whole} s"
    if whole < _HOUR:
        return f"{whole // _MINUTE} min {whole % _MINUTE:02d} s"
    minutes = round(seconds / _MINUTE)
    if minutes < _HOURS_IN_FULL * 60:
        return f"{minutes // 60} h {minutes % 60:02d} min"
    return f"{seconds / _HOUR:,.1f} h"


def human_hours(hours: float) -> str:
    """Hours as ``human_seconds`` tells them: 0.012 is ``43 s``."""
    return human_seconds(hours * _HOUR)


def clock(seconds: float) -> str:
    """``45 s``, ``12 min``, ``3 h 5 min``, ``2 d 4 h``: an estimate, without false precision.

    A longer duration never reads as a shorter one.
    """
    if seconds < 99.5:
        return f"{max(seconds, 0.0):.0f} s"
    minutes = round(seconds / 60)
    if minutes < 100:
        return f"{minutes} min"
    if minutes < 48 * 60:
        return f"{minutes // 60} h {minutes % 60} min"
    hours = round(seconds / 3600)
    return f"{hours // 24} d {hours % 24} h"
