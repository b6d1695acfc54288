"""Random values shown once (R40): docs/verify-email.md."""

import base64
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.email_address import EmailAddress
from domain.letters import VerifyAddress
from domain.secret import Secret

ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"

thirty_two_bytes = st.binary(min_size=32, max_size=32)


@given(thirty_two_bytes)
def test_a_secret_reads_as_it_is_written(random: bytes) -> None:
    secret = Secret.of(random)
    assert len(secret.text) == 43
    assert Secret.parse(secret.text) == secret


@given(thirty_two_bytes, thirty_two_bytes)
def test_two_secrets_have_one_digest_only_when_they_are_one(one: bytes, other: bytes) -> None:
    assert (Secret.of(one).digest == Secret.of(other).digest) == (one == other)


@given(thirty_two_bytes, st.integers(0, 42), st.sampled_from(ALPHABET + "+/= \n.é\x00"))
def test_a_changed_character_is_refused_or_is_another_secret(random: bytes, place: int, char: str) -> None:
    text = Secret.of(random).text
    changed = text[:place] + char + text[place + 1 :]
    read = Secret.parse(changed)
    if char not in ALPHABET:
        assert read is None
    elif changed != text and read is not None:
        assert read.digest != Secret.of(random).digest


@given(thirty_two_bytes)
def test_of_the_spellings_of_the_last_character_only_the_canonical_one_is_read(random: bytes) -> None:
    text = Secret.of(random).text
    same_bytes = [
        char for char in ALPHABET if base64.urlsafe_b64decode(text[:-1] + char + "=") == random and char != text[-1]
    ]
    assert len(same_bytes) == 3
    assert [Secret.parse(text[:-1] + char) for char in same_bytes] == [None, None, None]


@given(thirty_two_bytes, st.sampled_from(["=", "==", " ", "\n", "A", "AA", "\x00", ".", "%3D"]))
def test_padding_space_and_anything_added_or_missing_are_refused(random: bytes, more: str) -> None:
    text = Secret.of(random).text
    assert Secret.parse(text + more) is None
    assert Secret.parse(more + text) is None
    assert Secret.parse(text[:-1]) is None


@given(st.text())
def test_arbitrary_text_is_refused_without_an_error(text: str) -> None:
    read = Secret.parse(text)
    assert read is None or len(base64.urlsafe_b64decode(read.text + "=")) == 32


@pytest.mark.parametrize("size", [0, 16, 31, 33])
def test_a_secret_is_made_of_32_bytes_and_of_nothing_less(size: int) -> None:
    with pytest.raises(ValueError, match="32 bytes"):
        Secret.of(bytes(size))


def test_a_secret_does_not_show_itself_nor_does_the_letter_it_goes_into() -> None:
    secret = Secret.of(bytes(range(32)))
    letter = VerifyAddress(
        recipient=EmailAddress.parse("ada@example.com"), token=secret, valid_for=timedelta(minutes=60)
    )
    assert secret.text not in repr(secret)
    assert secret.text not in repr(letter)
