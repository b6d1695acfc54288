"""One mailbox, one spelling (R02, R03; SECURITY 2.3): docs/sign-up.md."""

import unicodedata
from functools import partial
from typing import Literal

import idna
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from domain.email_address import EmailAddress
from domain.violations import Broken

LETTERS = "abzABZ019._+-'"
ACCENTS = "éÉßıłøеñ\u0301\u0308\u030a\u030c\u0331"
FORMS: tuple[Literal["NFC", "NFD"], ...] = ("NFC", "NFD")
TROUBLE = '\u0131\u017f\u212aßﬁａéÉе\u0301\u0331\u030c\u200b\u200d\u00ad\x00\r\n\t ,;:<>()[]\\"%!=?@。．＠'
MAPPINGS = (str.lower, str.upper, str.casefold, partial(unicodedata.normalize, "NFKC"))

local_parts = st.one_of(
    st.text(st.sampled_from(LETTERS), min_size=1, max_size=12),
    st.text(st.sampled_from(LETTERS + ACCENTS), min_size=1, max_size=12),
    st.text(st.one_of(st.sampled_from(LETTERS), st.sampled_from(TROUBLE), st.characters()), max_size=12),
)
plain_local_parts = st.from_regex(r"[a-z0-9]{1,5}([._+][a-z0-9]{1,5}){0,2}", fullmatch=True)
accented_local_parts = st.text(
    st.sampled_from("abcxyzABCXYZ019_+åéüñçşźđ\u0301\u0331"), min_size=1, max_size=12
).filter(lambda local: not unicodedata.combining(local[0]))
domains = st.sampled_from(
    ["example.com", "EXAMPLE.com", "bücher.de", "xn--bcher-kva.de", "ｅxample.com", "b。de", "x", "-.de", "a.de."]
)


def canonical(text: str) -> str:
    return EmailAddress.parse(text).canonical


def canonical_or_refused(text: str) -> str | None:
    try:
        return canonical(text)
    except Broken:
        return None


@given(local_parts, domains)
@example("H\u0331", "example.com")
def test_the_canonical_form_of_a_canonical_form_is_itself(local: str, domain: str) -> None:
    once = canonical_or_refused(f"{local}@{domain}")
    assert once is None or canonical(once) == once


@pytest.mark.parametrize("capital", ["H\u0331", "T\u0308", "W\u030a", "Y\u030a", "J\u030c"])
def test_a_capital_letter_with_an_accent_that_only_the_small_one_composes_with_is_the_same_mailbox(
    capital: str,
) -> None:
    small = unicodedata.normalize("NFC", capital.lower())
    assert canonical(f"{capital}@example.com") == f"{small}@example.com"


@given(local_parts, domains)
def test_a_canonical_form_has_one_at_sign_and_nothing_that_a_mail_system_could_misread(local: str, domain: str) -> None:
    found = canonical_or_refused(f"{local}@{domain}")
    if found is None:
        return
    assert found.count("@") == 1
    assert not set(found) & set(' \t\r\n\x00"(),:;<>[\\]%!')
    assert not any(unicodedata.category(char) in ("Cc", "Cf", "Zs", "Zl", "Zp") for char in found)
    assert not any("A" <= char <= "Z" for char in found)
    assert found.partition("@")[2].isascii()
    assert "=?" not in found
    assert not found.startswith(("-", "."))


@given(st.text())
def test_any_text_at_all_is_either_an_address_or_refused_with_one_code(text: str) -> None:
    if canonical_or_refused(text) is None:
        with pytest.raises(Broken) as caught:
            EmailAddress.parse(text)
        assert caught.value.code == "invalid_email"


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ("ada.example.com", "An email address must have an @-sign."),
        ("ada lovelace@example.com", "The email address contains invalid characters before the @-sign: a space."),
        ("ada(x@example.com", "The email address contains invalid characters before the @-sign: '('."),
        ("ada\u200d@example.com", "The email address contains unsafe characters: ZERO WIDTH JOINER."),
        ("ada@exam_ple.com", "The part after the @-sign contains invalid characters: '_'."),
        ("ada@example.test", "The part after the @ is a name reserved for special use."),
        ("ada@localhost", "The part after the @ is a name reserved for special use."),
        ("ada@printer.local", "The part after the @ is a name reserved for special use."),
        ("Ada <ada@example.com>", "This e-mail address does not work here."),
        ("ada@[192.0.2.1]", "This e-mail address does not work here."),
    ],
)
def test_what_is_wrong_is_said(typed: str, said: str) -> None:
    with pytest.raises(Broken) as refused:
        EmailAddress.parse(typed)
    assert refused.value.message == said


@given(plain_local_parts, st.text(" \t\u00a0", max_size=3), st.randoms(use_true_random=False))
def test_space_around_and_letter_case_do_not_make_another_mailbox(local: str, space: str, chance: object) -> None:
    address = f"{local}@example.com"
    shouted = "".join(char.upper() if chance.random() < 0.5 else char for char in address)  # type: ignore[attr-defined]
    assert EmailAddress.parse(space + shouted + space) == EmailAddress.parse(address)


@given(accented_local_parts)
def test_composed_or_decomposed_a_mailbox_is_the_same_bytes(local: str) -> None:
    found = {canonical(f"{unicodedata.normalize(form, local)}@example.com") for form in FORMS}
    assert len(found) == 1


def key(local: str) -> str:
    """A local part that is accepted, as RFC 5321 and Unicode have it: composed, its ASCII letters small, no more."""
    composed = unicodedata.normalize("NFC", local)
    return unicodedata.normalize("NFC", "".join(char.lower() if char.isascii() else char for char in composed))


@given(local_parts, local_parts)
@example("KIM", "\u212aim")
@example("groß", "gross")
def test_two_spellings_are_one_mailbox_exactly_when_composition_and_ascii_case_make_them_so(
    one: str, other: str
) -> None:
    for different in (other, one.swapcase(), unicodedata.normalize("NFKC", one), one.casefold(), one.upper()):
        found, another = (canonical_or_refused(f"{local}@example.com") for local in (one, different))
        if found is not None and another is not None:
            assert (found == another) == (key(one.strip()) == key(different.strip()))


@given(st.text(st.characters(categories=["L", "M", "Nd", "Pd"]), min_size=1, max_size=10))
@example("faß")
@example("Σίσυφος")
@example("xn--bcher-kva")
def test_an_international_domain_is_the_same_as_u_label_and_as_a_label(label: str) -> None:
    found = canonical_or_refused(f"ada@{label}.example")
    if found is not None:
        domain = found.partition("@")[2]
        assert domain.isascii()
        assert domain == domain.lower()
        assert canonical(f"ada@{idna.decode(domain)}") == found


def test_no_character_becomes_another_one_in_the_local_part_but_an_ascii_capital() -> None:
    """Of all that Unicode has a mapping of any kind for."""
    mapped = [char for char in map(chr, range(0x110000)) if {char} != {mapping(char) for mapping in MAPPINGS}]
    assert len(mapped) > 5_000
    for char in mapped:
        found = canonical_or_refused(f"1{char}1@example.com")
        same = char.lower() if char.isascii() else unicodedata.normalize("NFC", char)
        assert found in (None, f"1{same}1@example.com")
        assert found is None or char.isascii() or not same.isascii()


@pytest.mark.parametrize(
    "spelling", ["bücher.de", "BÜCHER.DE", "bu\u0308cher.de", "xn--bcher-kva.de", "XN--BCHER-KVA.DE", "bücher。de"]
)
def test_every_spelling_of_an_international_domain_is_the_same_a_label(spelling: str) -> None:
    address = EmailAddress.parse(f"ada@{spelling}")
    assert address.canonical == "ada@xn--bcher-kva.de"
    assert (address.local_part, address.domain) == ("ada", "xn--bcher-kva.de")


@pytest.mark.parametrize(
    "domain", ["ｅｘａｍｐｌｅ.com", "example．com", "example｡com", "eXampLe.com", "ex\u1d43mple.com"]
)
def test_compatibility_characters_in_a_domain_are_what_dns_makes_of_them(domain: str) -> None:
    assert canonical(f"ada@{domain}") == "ada@example.com"


@pytest.mark.parametrize(
    ("imposter", "victim"),
    [
        ("\u0131da@x.io", "ida@x.io"),  # dotless i
        ("\u0130da@x.io", "ida@x.io"),  # capital I with a dot
        ("\u017fam@x.io", "sam@x.io"),  # long s
        ("\u212aim@x.io", "kim@x.io"),  # Kelvin sign
        ("\u212bsa@x.io", "åsa@x.io"),  # Angstrom sign
        ("groß@x.io", "gross@x.io"),
        ("GROẞ@x.io", "groß@x.io"),  # capital sharp s
        ("ﬁn@x.io", "fin@x.io"),  # ligature
        ("ａda@x.io", "ada@x.io"),  # full-width
        ("ªda@x.io", "ada@x.io"),  # feminine ordinal
        ("℀@x.io", "a/c@x.io"),
        ("①@x.io", "1@x.io"),
        ("аda@x.io", "ada@x.io"),  # Cyrillic a
        ("αda@x.io", "ada@x.io"),  # Greek alpha
        ("É@x.io", "é@x.io"),  # outside ASCII, case is the mail host's business
        ("ad\u200ba@x.io", "ada@x.io"),  # zero-width space
        ("ad\u200da@x.io", "ada@x.io"),  # zero-width joiner
        ("\ufeffada@x.io", "ada@x.io"),  # byte order mark
        ("ad\u00ada@x.io", "ada@x.io"),  # soft hyphen
        ("ada+news@x.io", "ada@x.io"),  # another mailbox as far as anybody but its host knows
        ("a.da@x.io", "ada@x.io"),
        ("ada@faß.de", "ada@fass.de"),
        ("ada@ехample.com", "ada@example.com"),  # Cyrillic e and x
    ],
)
def test_an_address_that_looks_like_mine_is_refused_or_another_one(imposter: str, victim: str) -> None:
    assert canonical_or_refused(imposter) != canonical(victim)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "   ",
        "ada",
        "@example.com",
        "ada@",
        "ada@@example.com",
        "ada@example",
        "ada@localhost",
        "ada@example.com.",
        "ada@.example.com",
        "ada@example..com",
        "ada@-example.com",
        "ada@exa_mple.com",
        "ada@[192.0.2.1]",
        "ada@[IPv6:2001:db8::1]",
        "ada＠example.com",
        '"ada"@example.com',
        '"ada lovelace"@example.com',
        "ada(comment)@example.com",
        "Ada <ada@example.com>",
        "ada@example.com, eve@example.com",
        "ada@example.com;eve@example.com",
        "eve%example.com@example.org",
        "example.com!eve@example.org",
        "@relay.example,:eve@example.com",
        "-froot@example.com",
        ".ada@example.com",
        "ada.@example.com",
        "a..da@example.com",
        "=?utf-8?q?victim=40corp.com=2C?=@example.com",
        "a=?b@example.com",
        "ada\r\nBcc: eve@example.com",
        "ada\r\n@example.com",
        "ada@exam\nple.com",
        "ada\x00@example.com",
        "ada@example.com\x00",
        "a da@example.com",
        "ada\u200b@example.com",
        "ada\u200c@example.com",
        "ada\u200d@example.com",
        "ada@exam\u202eple.com",
        "ada\u202e@example.com",
        "\u0301ada@example.com",
    ],
)
def test_what_mail_systems_would_misread_is_refused(text: str) -> None:
    assert canonical_or_refused(text) is None


def test_the_local_part_has_at_most_64_bytes() -> None:
    assert canonical(f"{'a' * 64}@example.com")
    assert canonical(f"{'é' * 32}@example.com")
    assert canonical_or_refused(f"{'a' * 65}@example.com") is None
    assert canonical_or_refused(f"{'é' * 33}@example.com") is None


def of_length(length: int) -> str:
    """An address of so many characters, each of its labels as long as DNS allows."""
    domain = ".".join(["d" * 63] * 3)
    return f"{'a' * (length - len(domain) - 1)}@{domain}"


def test_an_address_has_at_most_254_bytes() -> None:
    assert len(canonical(of_length(254))) == 254
    assert canonical_or_refused(of_length(255)) is None


def test_the_length_that_counts_is_that_of_the_canonical_form() -> None:
    international = "ada@" + ".".join(["ü" * 30] * 7) + ".de"
    assert len(international) <= 254
    assert canonical_or_refused(international) is None


def test_a_very_long_text_is_refused_without_work() -> None:
    assert canonical_or_refused("a" * 1_000_000 + "@" + "a." * 1_000_000) is None
