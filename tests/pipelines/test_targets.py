"""Waves: a language's sources are taken some at a time until its hours are met."""

from types import SimpleNamespace

import pandas as pd

from talkingface_wild.core.clip import Source
from talkingface_wild.core.gate import Gate
from talkingface_wild.pipelines.recipe import Targets
from talkingface_wild.pipelines.targets import Waves
from tests.engine.stages import GATES, assert_same, go, ledger_of, plan_of, roots_of

HOUR = 3600.0


def _sources(**counts):
    return [
        Source(f"{language}{index}", f"sha256:{language}{index}", language)
        for language, count in counts.items()
        for index in range(count)
    ]


def _ruling(clips):
    """A ruling over clips given as (language, seconds, state)."""
    table = pd.DataFrame(clips, columns=["group", "clip_seconds", "state"])
    table["level"] = "clip"
    return SimpleNamespace(table=table, verdicts=table[["state"]])


def test_without_a_target_all_sources_are_in():
    assert Waves(Targets(), _sources(en=3))(None) is None


def test_each_language_begins_with_a_wave_of_its_own_in_the_order_given():
    waves = Waves(Targets(hours_per_language=1, wave=2), _sources(en=5, de=1))
    assert waves(None) == {"en0", "en1", "de0"}


def test_a_language_goes_on_until_it_has_its_hours_with_the_margin():
    waves = Waves(Targets(hours_per_language=1, margin=1.5, wave=2), _sources(en=9, de=9))
    waves(None)
    clips = [("en", 1.5 * HOUR, "kept"), ("de", 1.4 * HOUR, "kept"), ("de", HOUR, "rejected")]
    admitted = waves(_ruling(clips))
    assert admitted == {"en0", "en1", "de0", "de1", "de2", "de3"}


def test_what_is_rejected_failed_or_cut_further_counts_nothing():
    for state in ("rejected", "failed", "split"):
        waves = Waves(Targets(hours_per_language=1, wave=1), _sources(en=2))
        waves(None)
        assert waves(_ruling([("en", 9 * HOUR, state)])) == {"en0", "en1"}
    waves = Waves(Targets(hours_per_language=1, wave=1), _sources(en=2))
    waves(None)
    assert waves(_ruling([("en", 9 * HOUR, "kept")])) == {"en0"}


def test_when_all_sources_are_in_the_answer_stays():
    waves = Waves(Targets(hours_per_language=1, wave=2), _sources(en=3))
    waves(None)
    full = waves(_ruling([]))
    assert full == {"en0", "en1", "en2"} == waves(_ruling([]))


class _Lengths(Waves):
    """Waves whose hours are counted in the engine's test stages, by their column ``length``."""

    def __call__(self, ruling):
        if ruling is None:
            return super().__call__(None)
        table = ruling.table.assign(clip_seconds=ruling.table["length"].astype("Float64") * HOUR)
        return super().__call__(SimpleNamespace(table=table, verdicts=ruling.verdicts))


def test_a_run_in_waves_stops_when_met_and_a_second_run_comes_to_the_same(tmp_path):
    roots = roots_of(13)
    sources = [Source(root.id, f"sha256:{root.id}", root.group) for root in roots]
    targets = Targets(hours_per_language=8, margin=1.0, wave=2)

    def waved(folder, gates=GATES):
        return go(tmp_path / folder, plan_of(gates), roots, admission=_Lengths(targets, sources))

    first = waved("one")
    # English sources are r0 r1 r2 r3 r5 …, of 0 0 (rejected) 2+1+… seconds of parts ≥ 1: after
    # r2 (2, 1) and r3 (3, 1.5, 1; 0.75 is too short) it has 8.5; r5 is never begun.
    outside = first.verdicts[first.verdicts["reason"] == "target_met"]
    assert set(outside.index) == {"r5", "r6", "r7", "r8", "r10", "r11", "r12"}
    assert_same(waved("one"), first)
    # A looser gate, or a tighter one, admits as a fresh run would.
    tight = (*GATES, Gate("part", "height", "<=", 1, "small_face"))
    again, fresh = waved("one", tight), waved("two", tight)
    assert ledger_of(again) == ledger_of(fresh)
    admitted = again.verdicts["reason"] != "target_met"
    assert set(again.verdicts.index[admitted]) > {"r0", "r1", "r2", "r3", "r5", "r6"}
