"""When a language has enough: sources are taken in waves; after each, kept hours are counted."""

from collections.abc import Sequence

import pandas as pd

from talkingface_wild.core.clip import Source
from talkingface_wild.engine.plan import Plan
from talkingface_wild.engine.ruling import REJECTED, Memo, Ruling, rule
from talkingface_wild.engine.stage import Workplace
from talkingface_wild.pipelines.recipe import Recipe, Targets


class Waves:
    """Admits a language's sources in waves until its hours are met. Depends on results alone."""

    def __init__(self, targets: Targets, sources: Sequence[Source]) -> None:
        self._targets = targets
        self._order: dict[str, list[str]] = {}
        for source in sources:
            self._order.setdefault(source.language, []).append(source.id)
        self._admitted = dict.fromkeys(self._order, targets.wave)

    def __call__(self, ruling: Ruling | None) -> frozenset[str] | None:
        """Ids of the sources that may be worked on; None means all of them."""
        hours = self._targets.hours_per_language
        if hours is None:
            return None
        if ruling is not None:
            seconds = _kept_seconds(ruling)
            for language, ids in self._order.items():
                met = seconds.get(language, 0.0) >= hours * 3600 * self._targets.margin
                if not met and self._admitted[language] < len(ids):
                    self._admitted[language] += self._targets.wave
        return frozenset(
            id_ for language, ids in self._order.items() for id_ in ids[: self._admitted[language]]
        )


def admitted_ruling(
    plan: Plan,
    recipe: Recipe,
    table: pd.DataFrame,
    sources: Sequence[Source],
    place: Workplace,
    memo: Memo | None = None,
) -> Ruling:
    """The ruling over a table, with the waves of sources admitted that a run would admit.

    ``memo`` makes further rulings over the same table cheap, and leaves the ledger empty.
    """
    waves = Waves(recipe.targets, sources)
    admitted = waves(None)
    while admitted is not None:
        ruling = rule(plan, table, place, admitted=admitted, first_segment=True, memo=memo)
        wider = admitted if ruling.todo else waves(ruling)
        if wider == admitted:
            break
        admitted = wider
    return rule(plan, table, place, admitted=admitted, memo=memo)


def _kept_seconds(ruling: Ruling) -> dict[str, float]:
    """Seconds of clips that nothing has rejected yet, per language as listed."""
    clips = (ruling.table["level"] == "clip") & ~ruling.verdicts["state"].isin(
        [REJECTED, "failed", "split"]
    )
    rows = ruling.table[clips.to_numpy(bool)]
    sums = rows.groupby(rows["group"].astype(object))["clip_seconds"].sum()
    return {str(language): float(value) for language, value in sums.items()}
