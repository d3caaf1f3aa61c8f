"""One tree of errors, each with its exit code. Messages say what was expected, found, and to do."""

import difflib
from collections.abc import Iterable


class TfwError(Exception):
    """Base of every error a user may see: one sentence or two, no traceback, an exit code."""

    exit_code = 1


class DiskFull(TfwError):
    """The disk that holds the output is full: the run stops, no item fails."""


class NetworkUnavailable(TfwError):
    """Nothing could be fetched, though it might succeed another time."""


class UsageError(TfwError):
    """The command line asks for something that cannot be."""

    exit_code = 2


class FolderLocked(UsageError):
    """Another run works on the same output folder."""


class RecipeError(TfwError):
    """A recipe or a setting is not valid."""

    exit_code = 3


class WeightMissing(TfwError):
    """A trained weight is not on this machine, or is not the file it should be."""

    exit_code = 4


class ExtraMissing(TfwError):
    """An optional dependency, or a system library, is not installed."""

    exit_code = 4


class InputUnreadable(TfwError):
    """A file or folder that the user named cannot be read as what it should be."""

    exit_code = 5


class CheckFailed(TfwError):
    """A verification ran and did not hold."""

    exit_code = 6


class Interrupted(TfwError):
    """The user stopped the run; the journal is intact."""

    exit_code = 130


def nearest(name: str, names: Iterable[str]) -> str:
    """A hint `` (did you mean 'x'?)`` for the known name nearest to ``name``, or an empty string.

    It stands in parentheses, so that the sentence around it may go on or end as it would without.
    """
    match = difflib.get_close_matches(name, list(names), n=1, cutoff=0.5)
    return f" (did you mean {match[0]!r}?)" if match else ""
