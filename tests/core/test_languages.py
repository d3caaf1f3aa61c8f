"""Language tags on the command line."""

import pytest

from talkingface_wild.core.errors import UsageError
from talkingface_wild.core.languages import DEFAULT, check_tag, parse_languages


def test_the_ten_default_languages():
    assert DEFAULT == ("ar", "de", "en", "es", "fr", "hi", "ja", "ko", "ru", "zh")


def test_all_means_no_restriction_and_a_list_keeps_its_order():
    assert parse_languages(" All ") is None
    assert parse_languages("zh, AR,zh,pt-BR,") == ("zh", "ar", "pt-br")


@pytest.mark.parametrize("text", ["", ",", "english", "e", "en_US", "12", "../x", "en,*"])
def test_what_is_no_tag_is_a_usage_error(text):
    with pytest.raises(UsageError):
        parse_languages(text)


def test_three_letters_and_subtags_are_tags():
    assert [check_tag(tag) for tag in ("und", "zh-Hant-TW", " fil ")] == [
        "und",
        "zh-hant-tw",
        "fil",
    ]
