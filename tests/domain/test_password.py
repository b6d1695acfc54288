"""Passwords and the rules for new ones (R06, R08; SECURITY 1.3, 2.4): docs/sign-up.md."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.password import BEST_SCORE, CLASSES, Password, PasswordHash, PasswordPolicy
from domain.violations import Broken

OWN_WORDS = ("ada.lovelace@example.com", "ada.lovelace", "Ada King Lovelace", "countess-ada")


def codes(password: str, policy: PasswordPolicy | None = None, *, common: bool = False) -> list[str]:
    """What a policy finds wrong with a password of Ada's."""
    policy = policy or PasswordPolicy()
    broken = policy.broken_rules(Password.parse(password), own_words=OWN_WORDS, is_common=lambda _: common)
    return [rule.code for rule in broken]


def refusal(text: str) -> str:
    with pytest.raises(Broken) as caught:
        Password.parse(text)
    return caught.value.code


@given(st.text(max_size=200))
def test_a_password_is_taken_whole_and_as_it_is_but_for_its_unicode_spelling(text: str) -> None:
    assert Password.parse(text).text == unicodedata.normalize("NFC", text)


@given(st.text(max_size=200))
def test_composed_and_decomposed_spellings_are_one_password(text: str) -> None:
    decomposed = unicodedata.normalize("NFD", text)
    assert Password.parse(unicodedata.normalize("NFC", text)) == Password.parse(decomposed)


@pytest.mark.parametrize(
    ("one", "other"),
    [("ﬁne engines", "fine engines"), ("ａbacus", "abacus"), ("x²", "x2"), ("№ 9", "No 9"), ("…", "...")],
)
def test_characters_that_only_look_alike_stay_different_passwords(one: str, other: str) -> None:
    assert unicodedata.normalize("NFKC", one) == unicodedata.normalize("NFKC", other)
    assert Password.parse(one) != Password.parse(other)


@pytest.mark.parametrize("twin", [" engine", "engine ", "engine\n", "engine\x00", "Engine", "engine\u200b", "\tengine"])
def test_space_case_and_invisible_characters_are_part_of_a_password(twin: str) -> None:
    assert Password.parse(twin) != Password.parse("engine")


def test_more_than_1024_bytes_are_refused_and_never_cut() -> None:
    assert len(Password.parse("a" * 1024).text) == 1024
    assert len(Password.parse("😀" * 256).text) == 256
    assert refusal("a" * 1025) == refusal("😀" * 257) == refusal("a" * 10_000_000) == "too_many_bytes"


def test_neither_a_password_nor_its_hash_shows_itself() -> None:
    assert "engine" not in repr(Password.parse("engine"))
    assert "argon2" not in repr(PasswordHash("$argon2id$v=19$..."))


@pytest.mark.parametrize("char", ["a", " ", "é", "e\u0301", "漢", "😀"])
def test_length_is_counted_in_code_points_once_composed(char: str) -> None:
    assert codes(char * 11) == ["too_short"]
    assert codes(char * 12) == []
    assert codes(char * 128) == []
    assert codes(char * 129) == ["too_long"]


@pytest.mark.parametrize("length", [8, 15])
def test_the_shortest_length_is_the_operators_choice(length: int) -> None:
    policy = PasswordPolicy(min_length=length)
    assert codes("x" * (length - 1), policy) == ["too_short"]
    assert codes("x" * length, policy) == []


def test_no_composition_is_asked_for_unless_the_operator_does() -> None:
    assert codes("only small letters") == []


ALL_CLASSES = PasswordPolicy(required_classes=frozenset(CLASSES))


@pytest.mark.parametrize(
    ("password", "missing"),
    [
        ("Engine number 1", []),
        ("Énginé_numéro_٣", []),
        ("engine number 1", ["needs_upper"]),
        ("ENGINE NUMBER 1", ["needs_lower"]),
        ("Engine number ²", ["needs_digit"]),
        ("EngineNumber1²", ["needs_special"]),
        ("Engine number one", ["needs_digit"]),
        ("EngineNumber1", ["needs_special"]),
        ("漢漢漢漢漢漢漢漢漢漢漢漢", ["needs_upper", "needs_lower", "needs_digit", "needs_special"]),
    ],
)
def test_each_character_class_asked_for_must_be_there(password: str, missing: list[str]) -> None:
    assert codes(password, ALL_CLASSES) == missing


def test_all_broken_rules_are_told_at_once_and_each_once() -> None:
    assert codes("", ALL_CLASSES, common=True) == [
        "too_short",
        "needs_upper",
        "needs_lower",
        "needs_digit",
        "needs_special",
        "common",
    ]
    assert codes("ostiary", ALL_CLASSES, common=True) == [
        "too_short",
        "needs_upper",
        "needs_digit",
        "needs_special",
        "personal",
        "common",
    ]


@pytest.mark.parametrize(
    "password",
    [
        "ada.lovelace@example.com",
        "ADA.LOVELACE@EXAMPLE.COM",
        "adaLovelaceExampleCom",
        "Ada_Lovelace",
        "ada lovelace!",
        "adakinglovelace",
        "Ada-King-Lovelace",
        "Countess Ada",
    ],
)
def test_ones_own_address_or_name_is_no_password_in_any_case_or_punctuation(password: str) -> None:
    assert codes(password) == ["personal"]


def test_the_name_of_the_product_is_no_password() -> None:
    policy = PasswordPolicy(product_name="Analytical Engines")
    assert codes("analytical-engines", policy) == ["personal"]
    assert "personal" in codes("O.s.t.i.a.r.y")


def test_a_password_that_merely_contains_ones_name_is_fine() -> None:
    assert codes("ada lovelace counts the wheels") == []


@given(st.sampled_from(OWN_WORDS), st.sampled_from([" ", "_", "-!", "..", "​"]), st.booleans())
def test_no_punctuation_between_the_letters_disguises_ones_own_words(word: str, between: str, shout: bool) -> None:
    disguised = between.join(word.upper() if shout else word)
    assert "personal" in codes(disguised)


def test_common_passwords_are_refused_with_their_reason_unless_switched_off() -> None:
    assert codes("a well known one", common=True) == ["common"]
    assert codes("a well known one", PasswordPolicy(refuse_common=False), common=True) == []


def test_a_breached_password_is_refused_where_the_operator_wants_it() -> None:
    def broken(policy: PasswordPolicy) -> list[str]:
        password = Password.parse("a leaked one, long")
        rules = policy.broken_rules(password, own_words=[], is_common=lambda _: False, is_breached=True)
        return [rule.code for rule in rules]

    assert broken(PasswordPolicy(refuse_breached=True)) == ["breached"]
    assert broken(PasswordPolicy()) == []


@pytest.mark.parametrize(("least", "weak"), [(0, range(0)), (1, range(1)), (3, range(3)), (4, range(4))])
def test_a_password_that_scores_less_than_the_operator_wants_is_too_weak(least: int, weak: range) -> None:
    policy = PasswordPolicy(min_score=least)
    for score in range(BEST_SCORE + 1):
        rules = policy.broken_rules(
            Password.parse("some password"), own_words=[], is_common=lambda _: False, score=score
        )
        assert [rule.code for rule in rules] == (["too_weak"] if score in weak else [])
