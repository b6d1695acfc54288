"""Usernames (R05): docs/sign-up.md."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.username import RESERVED, Username
from domain.violations import Broken


def refusal(text: str) -> str:
    with pytest.raises(Broken) as caught:
        Username.parse(text)
    return caught.value.code


names = st.from_regex(r"[a-z0-9][a-z0-9_.-]{2,31}", fullmatch=True).filter(lambda name: name not in RESERVED)


@given(names)
def test_3_to_32_letters_digits_and_three_signs_are_a_username(name: str) -> None:
    assert Username.parse(name).name == name


@given(names)
def test_space_around_and_letter_case_do_not_make_another_username(name: str) -> None:
    assert Username.parse(f"  {name.upper()}\t") == Username.parse(name)


@given(st.one_of(st.text(), names.flatmap(lambda name: st.text().map(lambda text: name + text))))
def test_whatever_is_typed_a_username_is_harmless_or_refused(text: str) -> None:
    try:
        name = Username.parse(text).name
    except Broken:
        return
    assert re.fullmatch(r"[a-z0-9][a-z0-9_.-]{2,31}", name, re.ASCII)
    assert name not in RESERVED
    assert Username.parse(name).name == name


@pytest.mark.parametrize("text", ["", "  ", "ab", "  ab  ", "a" * 33])
def test_shorter_than_3_or_longer_than_32_is_refused(text: str) -> None:
    assert refusal(text) == "invalid_length"


@pytest.mark.parametrize(
    "text",
    [
        "_ada",
        ".ada",
        "-ada",
        "ada lovelace",
        "ada\nlovelace",
        "ada\x00",
        "ada/lovelace",
        "../ada",
        "ada@example",
        "<ada>",
        "ada'--",
        "аda",  # Cyrillic a
        "adå",
        "ada\u200b",
        "ad\u202ea",
        "٣٤٥",  # Arabic digits
    ],
)
def test_any_other_character_is_refused(text: str) -> None:
    assert refusal(text) == "invalid_characters"


@pytest.mark.parametrize("text", ["admin", "Root", "POSTMASTER", "  abuse ", "ostiary", "\u017fupport", "www"])
def test_names_that_pose_as_the_service_are_reserved_in_any_spelling(text: str) -> None:
    assert refusal(text) == "reserved"
