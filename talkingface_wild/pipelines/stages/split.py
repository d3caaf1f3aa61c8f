"""Train, val and test: no identity, or source where identities are unmeasured, on two sides."""

from collections.abc import Sequence
from dataclasses import dataclass

import pandas as pd

from talkingface_wild.core.fingerprint import digest
from talkingface_wild.engine.stage import Whole
from talkingface_wild.pipelines.column_kinds import text

_LEAST_GROUPS = 3
"""A side each for train, val and test."""


@dataclass(frozen=True)
class SplitConfig:
    """How many groups of a language go to test and val."""

    test_groups: int = 40
    """Most groups of a language in test."""
    val_groups: int = 20
    """Most groups of a language in val."""
    test_share: float = 0.25
    """Share of a language's groups in test, when that is fewer."""
    val_share: float = 0.125
    """Share of a language's groups in val, when that is fewer."""
    seed: int = 0
    """Changes which groups are drawn."""


class Split(Whole):
    """Ranks each language's groups by a hash: the first to test, the next to val, others to train.

    From three groups on each side has at least one; languages with fewer are ranked together, so
    that a small set of many languages has a test split too. A group with clips in several languages
    is ranked in the one where it has most.
    """

    name = "split"
    version = 2
    needs = ("identity_group", "language")
    columns = (text("split", "train, val or test; groups of identities never straddle it"),)
    Config = SplitConfig

    def compute(self, table: pd.DataFrame) -> pd.DataFrame:
        """One side per clip."""
        frame = pd.DataFrame(
            {
                "group": table["identity_group"].astype(object),
                "language": table["language"].fillna(table["group"]).astype(object),
            },
            index=table.index,
        )
        sides: dict[str, str] = {}
        few: list[str] = []
        for _, groups in _home_languages(frame):
            if len(groups) < _LEAST_GROUPS:
                few += groups
            else:
                sides |= self._sides(groups)
        sides |= self._sides(few)
        return pd.DataFrame(
            {"split": frame["group"].map(sides).astype("string")}, index=table.index
        )

    def _sides(self, groups: Sequence[str]) -> dict[str, str]:
        ranked = sorted(groups, key=lambda group: digest([self.config.seed, group]))
        test, val = self.sizes(len(ranked))
        return {
            group: "test" if rank < test else "val" if rank < test + val else "train"
            for rank, group in enumerate(ranked)
        }

    def sizes(self, count: int) -> tuple[int, int]:
        """Numbers of groups in test and val out of ``count``."""
        test = min(self.config.test_groups, int(count * self.config.test_share))
        val = min(self.config.val_groups, int(count * self.config.val_share))
        return (max(test, 1), max(val, 1)) if count >= _LEAST_GROUPS else (0, 0)


def _home_languages(frame: pd.DataFrame) -> list[tuple[str, list[str]]]:
    """Each language with the groups that have most clips in it (ties: the first by name)."""
    counts = frame.value_counts(["group", "language"]).reset_index(name="clips")
    counts = counts.sort_values(["group", "clips", "language"], ascending=[True, False, True])
    homes = counts.drop_duplicates("group")
    return [
        (str(language), sorted(rows["group"]))
        for language, rows in homes.groupby("language", sort=True)
    ]
