"""The query packs: enough, different, and in the script of their language."""

from __future__ import annotations

import unicodedata
from pathlib import Path

import pytest

from talkingface_wild.core.errors import RecipeError, UsageError
from talkingface_wild.core.language_names import DEFAULT
from talkingface_wild.pipelines.sources.queries import available, load_queries

SCRIPTS = {
    "ar": {"ARABIC"},
    "hi": {"DEVANAGARI"},
    "ja": {"HIRAGANA", "KATAKANA", "CJK", "KATAKANA-HIRAGANA"},
    "ko": {"HANGUL"},
    "ru": {"CYRILLIC"},
    "zh": {"CJK"},
}


@pytest.mark.parametrize("language", DEFAULT)
def test_each_language_has_two_dozen_different_queries_in_its_script(language: str) -> None:
    queries = load_queries((language,))[language]
    assert len({query.casefold() for query in queries}) == len(queries) >= 24
    wanted = SCRIPTS.get(language, {"LATIN"})
    letters = [letter for query in queries for letter in query if letter.isalpha()]
    strange = {letter for letter in letters if unicodedata.name(letter).split()[0] not in wanted}
    assert not strange
    assert all(2 <= len(query) <= 80 for query in queries)


def test_japanese_and_chinese_packs_are_not_the_same_language() -> None:
    packs = load_queries(("ja", "zh"))
    assert not set(packs["ja"]) & set(packs["zh"])
    kana = [query for query in packs["ja"] if any("\u3040" <= c <= "\u30ff" for c in query)]
    assert len(kana) >= 20


def test_no_query_is_in_two_packs() -> None:
    packs = load_queries(available())
    every = [query for queries in packs.values() for query in queries]
    assert len(set(every)) == len(every)
    assert set(available()) == set(DEFAULT)


def test_a_language_without_a_pack_says_what_to_do() -> None:
    with pytest.raises(UsageError, match=r"'sw'.*search\.pack"):
        load_queries(("en", "sw"))


def test_an_own_pack_takes_the_place_of_ours(tmp_path: Path) -> None:
    pack = tmp_path / "mine.yaml"
    pack.write_text("sw:\n  - mahojiano  ya  mwandishi\n", encoding="utf-8")
    assert load_queries(("sw",), str(pack)) == {"sw": ["mahojiano ya mwandishi"]}
    pack.write_text("sw:\n  - moja\n  - moja\n", encoding="utf-8")
    with pytest.raises(RecipeError, match=r"line 1"):
        load_queries(("sw",), str(pack))
