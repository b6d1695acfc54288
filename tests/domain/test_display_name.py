"""The name a person goes by (R01; SECURITY 2.3): docs/sign-up.md."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.display_name import DisplayName
from domain.violations import Broken


def refusal(text: str) -> str:
    with pytest.raises(Broken) as caught:
        DisplayName.parse(text)
    return caught.value.code


@pytest.mark.parametrize(
    "name",
    [
        "Ada",
        "Ada King, Countess of Lovelace",
        "Seán O'Brien-Ní Dhónaill",
        "Nguyễn Thị Minh Khai",
        "李小龍",
        "محمد بن سلمان",
        "می\u200cخواهم",  # Persian: the non-joiner is part of the spelling
        "ක්\u200dරි",  # Sinhala: so is the joiner
        "👩\u200d🚀",
        "X Æ A-12",
        "<b>Ada</b> {{7*7}} %s ${x}",  # text like any other; whoever shows it escapes it
    ],
)
def test_people_may_have_the_names_they_have(name: str) -> None:
    assert str(DisplayName.parse(name)) == name


@given(st.text())
def test_whatever_is_typed_a_name_is_short_visible_and_in_one_spelling_or_refused(text: str) -> None:
    try:
        name = DisplayName.parse(text).text
    except Broken:
        return
    assert 1 <= len(name) <= 64
    assert name == name.strip() == unicodedata.normalize("NFC", name)
    assert not any(unicodedata.category(char) in ("Cc", "Cs", "Co", "Zl", "Zp") for char in name)
    assert {char for char in name if unicodedata.category(char) == "Cf"} <= {"\u200c", "\u200d"}
    assert DisplayName.parse(name).text == name


def test_composed_and_decomposed_letters_are_the_same_name() -> None:
    assert DisplayName.parse("  Zoe\u0308 ") == DisplayName.parse("Zoë")


def test_a_name_of_nothing_is_no_name() -> None:
    assert refusal("") == refusal(" \t\u00a0\u2003 ") == "required"


def test_a_name_has_at_most_64_characters_after_trimming_and_composing() -> None:
    assert len(DisplayName.parse("  " + "e\u0301" * 64 + "  ").text) == 64
    assert refusal("a" * 65) == "too_long"


@pytest.mark.parametrize(
    "hidden",
    [
        "\x00",
        "\n",
        "\r\n",
        "\t",
        "\x1b[31m",
        "\x7f",
        "\x85",
        "\u061c",  # Arabic letter mark
        "\u200b",  # zero-width space
        "\u200e",  # left-to-right mark
        "\u200f",
        "\u2028",  # line separator
        "\u2029",
        "\u202a",
        "\u202e",  # right-to-left override
        "\u2066",
        "\u2069",
        "\ufeff",
        "\u00ad",
        "\ue000",  # private use
        "\U000e0041",  # tag
    ],
)
def test_controls_and_whatever_hides_or_reorders_text_are_refused(hidden: str) -> None:
    assert refusal(f"Ada{hidden}Lovelace") == "invalid_characters"


def test_a_name_that_is_much_too_long_is_refused_before_its_accents_are_put_in_order() -> None:
    """Which takes quadratic time: this one would take a tenth of a second."""
    with pytest.raises(Broken) as caught:
        DisplayName.parse("\u0345" * 4000 + "\u0334" * 3900)
    assert caught.value.code == "too_long"
