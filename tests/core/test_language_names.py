"""Language tags on the command line."""

import pytest

from talkingface_wild.core.errors import UsageError
from talkingface_wild.core.language_names import DEFAULT, check_tag, parse_languages


def test_the_ten_default_languages():
    assert DEFAULT == ("ar", "de", "en", "es", "fr", "hi", "ja", "ko", "ru", "zh")


def test_all_means_no_restriction_and_a_list_keeps_its_order():
    assert parse_languages(" All ") is None
    assert parse_languages("zh, AR,zh,pt-BR,") == ("zh", "ar", "pt-br")


@pytest.mark.parametrize("text", ["", ",", "english", "e", "en_US", "12", "../x", "en,*"])
def test_what_is_no_tag_is_a_usage_error(text):
    with pytest.raises(UsageError):
        parse_languages(text)


@pytest.mark.parametrize(
    ("name", "tag"),
    [
        ("english", "en"),
        ("English", "en"),
        ("deutsch", "de"),
        ("français", "fr"),
        ("francais", "fr"),
        ("español", "es"),
        ("日本語", "ja"),
        ("русский", "ru"),
        ("mandarin", "zh"),
        ("koreen", "ko"),
    ],
)
def test_a_language_called_by_its_name_hints_at_its_tag(name, tag):
    """``--langs english`` was refused without a word on what to write instead."""
    with pytest.raises(UsageError, match=rf"\(did you mean '{tag}'\?\): expected"):
        parse_languages(name)


def test_no_hint_for_a_language_that_nobody_knows():
    with pytest.raises(UsageError, match="'klingon' is no language tag: expected"):
        parse_languages("klingon")


def test_three_letters_and_subtags_are_tags():
    assert [check_tag(tag) for tag in ("und", "zh-Hant-TW", " fil ")] == [
        "und",
        "zh-hant-tw",
        "fil",
    ]
