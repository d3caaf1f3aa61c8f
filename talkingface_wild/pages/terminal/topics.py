"""What ``tfw help TOPIC`` tells: exit codes and environment variables, as data and as text."""

import textwrap
from dataclasses import dataclass

from talkingface_wild.pages.terminal.front_page import named_rows, page_width

EXAMPLES = (
    "tfw help",
    "tfw help exit-codes",
    "tfw help weights fetch",
    "tfw help environment --json",
)


@dataclass(frozen=True)
class Topic:
    """A page of help that belongs to no verb: rows of a name and its meaning."""

    name: str
    summary: str
    column: str
    """What the names are."""
    rows: tuple[tuple[str, str], ...]
    words: str

    def text(self, width: int | None = None) -> str:
        """For a terminal of ``width`` columns; as wide as this one without it."""
        width = page_width(width)
        table = "\n".join(named_rows(self.rows, width))
        return f"{self.summary}\n\n{table}\n\n{textwrap.fill(self.words, width)}"

    def markdown(self) -> str:
        """For the documents."""
        lines = [f"# {self.summary}", "", f"Made by `tfw help {self.name} --markdown`.", ""]
        lines += [f"| {self.column} | meaning |", "|---|---|"]
        lines += [f"| `{name}` | {meaning} |" for name, meaning in self.rows]
        return "\n".join([*lines, "", textwrap.fill(self.words, 100)])


EXIT_CODES = Topic(
    "exit-codes",
    "Exit codes",
    "code",
    (
        ("0", "done; rejected input is a result, not a failure"),
        ("1", "done, but some items failed that might succeed another time; or the disk ran full"),
        ("2", "usage: the command line asks for something that cannot be"),
        ("3", "a recipe or a setting is invalid"),
        ("4", "a weight or an extra is missing"),
        ("5", "an input cannot be read"),
        ("6", "a check failed"),
        ("130", "interrupted; what was done is kept"),
    ),
    "With --json a verb prints one object {command, ok, data, warnings} on stdout; ok is false "
    "where the code is not 0.",
)
ENVIRONMENT = Topic(
    "environment",
    "Environment variables",
    "variable",
    (
        ("TFW_WEIGHTS", "folder of the trained weights; `tfw weights where` prints it"),
        ("TFW_OFFLINE", "1: no network is used"),
        ("TFW_DEBUG", "1: an unexpected error shows its traceback"),
        ("TFW_COOKIES", "a cookies.txt for downloads, as --cookies"),
        ("TFW_COOKIES_BROWSER", "the browser whose cookies are taken, as --cookies-from-browser"),
        ("TFW_PROXY", "a proxy's address for downloads, as --proxy"),
        ("RAY_ADDRESS", "the Ray cluster that --engine ray joins; without it this machine alone"),
        ("XDG_DATA_HOME", "where weights lie without TFW_WEIGHTS; ~/.local/share by default"),
        ("XDG_CACHE_HOME", "where the pace of downloads is kept; ~/.cache by default"),
        ("NO_COLOR", "set: no colours"),
        ("COLUMNS", "the width of what is printed, where there is no terminal"),
    ),
    "Adapters of external systems name variables of their own: `tfw bench list --adapters --json`.",
)
TOPICS = {topic.name: topic for topic in (EXIT_CODES, ENVIRONMENT)}


def topics_page() -> str:
    """The topics in a list, as wide as the terminal."""
    width = page_width()
    lines = named_rows([(name, topic.summary) for name, topic in TOPICS.items()], width)
    more = textwrap.fill("tfw help TOPIC; tfw help VERB; tfw --help lists the verbs.", width)
    return "\n".join(["Topics", *lines, "", more])
