"""The MCDM paper's own figures, Tables 2 to 5, as printed. They share no table with ours."""

import csv
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib import resources

from talkingface_wild.benchmark.base import Better

PAPER_METRICS: dict[str, Better] = {
    "fid": "lower",
    "fvd": "lower",
    "sync_c": "higher",
    "sync_d": "lower",
    "ssim": "higher",
    "efid": "lower",
}
"""The paper's columns in its order, with what its arrows say."""
CAPTIONS = {
    2: "Table 2, quantitative comparison",
    3: "Table 3, quantitative comparison",
    4: "Table 4, ablation",
    5: "Table 5, variants of MCDM",
}
LIST_TITLES = {"hdtf": "HDTF", "celebvhq": "CelebV-HQ", "talkingface-wild": "TalkingFace-Wild"}
"""The paper's test sets by the name of their rows."""
_FAMILIES = {"hdtf": "hdtf", "long": "hdtf", "celebv": "celebvhq", "tfw": "talkingface-wild"}


@dataclass(frozen=True)
class ReportedRow:
    """One printed row; figures stay text, so that 127.30 is not 127.3."""

    table: int
    list_name: str
    """hdtf, celebvhq or talkingface-wild."""
    method: str
    figures: Mapping[str, str]
    """By metric, in the order of ``PAPER_METRICS``."""
    note: str


def reported_rows(lists: Sequence[str] | None = None) -> list[ReportedRow]:
    """The printed rows in the paper's order, of those of its test sets only, or of all.

    ``lists`` may hold any benchmark lists: hdtf-100 is taken for hdtf, celebv-200 for celebvhq,
    tfw-400 for talkingface-wild. All rows are given where it names none of the paper's.
    """
    rows: list[ReportedRow] = []
    for number in sorted(CAPTIONS):
        file = resources.files("talkingface_wild.benchmark") / "reported" / f"table{number}.csv"
        for record in csv.DictReader(io.StringIO(file.read_text("utf-8"))):
            figures = {metric: record[metric] for metric in PAPER_METRICS}
            place = (int(record["table"]), record["list"], record["method"])
            rows.append(ReportedRow(*place, figures, record["note"]))
    test_sets = {paper_list(name) for name in lists or ()} - {None}
    return [row for row in rows if row.list_name in test_sets] if test_sets else rows


def paper_list(name: str) -> str | None:
    """Which of the paper's test sets a benchmark list stands for, or None."""
    if name in LIST_TITLES:
        return name
    family, _, rest = name.partition("-")
    return _FAMILIES.get(family) if rest.isdigit() or not rest else None
