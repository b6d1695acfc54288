"""Every form of stored hash that people bring, held against the software it comes from (R32, R33, R34)."""

import unicodedata

import bcrypt
import pytest

from adapters.hashing.scrypt import ScryptHash
from application.ports.stored_hashes import Unusable
from domain.password import Password
from tests.support.hash_vectors import BY_FORM, TYPED, UNICODE, VECTORS, Vector
from tests.support.hashing import read


def matches(vector: Vector, text: str) -> bool:
    """What a person types comes in through `parse`."""
    return read(vector.encoded).matches(Password.parse(text))


def named(vector: Vector) -> str:
    return f"{vector.form}, {vector.origin}"


@pytest.mark.parametrize("vector", VECTORS, ids=named)
def test_the_password_matches(vector: Vector) -> None:
    assert matches(vector, vector.password)


@pytest.mark.parametrize("vector", BY_FORM.values(), ids=lambda vector: vector.form)
def test_no_other_password_matches(vector: Vector) -> None:
    text = vector.password.strip("\ufeff\u00a0 \u2029\t")
    for other in (text[:-1], text.upper(), "x" + text, text + "x", ""):
        assert not matches(vector, other)
    if vector.form != "scrypt-node-trim":
        assert not matches(vector, text + " ")
        assert not matches(vector, " " + text)


NFKC = {"scrypt-better-auth"}
"""Forms whose original normalises."""


@pytest.mark.parametrize("vector", [vector for vector in VECTORS if vector.password == UNICODE], ids=named)
def test_a_password_is_normalised_as_the_original_did(vector: Vector) -> None:
    spellings = {unicodedata.normalize(form, UNICODE) for form in ("NFC", "NFD", "NFKC", "NFKD")} - {UNICODE}
    assert len(spellings) == 3
    assert {matches(vector, spelling) for spelling in spellings} == {vector.form in NFKC}


def test_every_form_but_a_few_is_shown_to_take_unicode_as_its_original_did() -> None:
    shown = {vector.form for vector in VECTORS if vector.password == UNICODE}
    published_only = {"argon2i", "argon2id", "phpass H", "sha512crypt without rounds", "sha256crypt without rounds"}
    assert set(BY_FORM) - shown - published_only == {
        "scrypt-node-trim",
        "ASP.NET Identity sha1",
        "ASP.NET Identity sha256",
        "ASP.NET Identity sha512",
    }


@pytest.mark.parametrize("form", ["bcrypt 2b", "bcrypt 2y", "Django bcrypt"])
def test_bcrypt_reads_72_bytes_and_no_more_as_its_originals_do(form: str) -> None:
    long = next(vector for vector in VECTORS if vector.form == "bcrypt 2b" and vector.password == TYPED * 5)
    assert matches(long, long.password[:72])
    assert matches(long, long.password[:72] + "whatever")
    assert not matches(long, long.password[:71])
    for password in ("x" * 73, "é" * 36 + "x", "é" * 512, "x" + "é" * 36):
        assert not matches(BY_FORM[form], password), "no error either"


def test_djangos_digest_before_bcrypt_lets_every_byte_count() -> None:
    long = next(v for v in VECTORS if v.form == "Django bcrypt_sha256" and v.password == TYPED * 5)
    assert not matches(long, long.password[:72])
    assert not matches(long, long.password[:-1])


@pytest.mark.parametrize("form", ["bcrypt 2b", "bcrypt 2y", "Django bcrypt", "sha512crypt", "sha256crypt"])
def test_a_nul_ends_no_password(form: str) -> None:
    """Where C code would stop reading, so that the beginning of a password would do."""
    vector = BY_FORM[form]
    assert not matches(vector, vector.password + "\x00")
    assert not matches(vector, vector.password + "\x00" + "x")
    assert not matches(vector, "\x00")


def test_bcrypt_salts_need_not_be_canonical() -> None:
    """Two bits of a salt's last character mean nothing, and not everybody leaves them out."""
    vector = BY_FORM["bcrypt 2b"]
    alphabet = "./ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
    last = alphabet.index(vector.encoded[28])
    for character in alphabet:
        same = alphabet.index(character) // 16 == last // 16
        encoded = vector.encoded[:28] + character + vector.encoded[29:]
        assert read(encoded).matches(Password(vector.password)) is same


def test_bcrypt_2x_is_refused() -> None:
    with pytest.raises(Unusable):
        read(BY_FORM["bcrypt 2b"].encoded.replace("$2b$", "$2x$"))


def test_bcrypt_takes_no_password_with_a_nul_at_all() -> None:
    made = bcrypt.hashpw(b"engine\x00of difference", bcrypt.gensalt(4)).decode()
    for text in ("engine\x00of difference", "engine", "engine\x00"):
        assert not read(made).matches(Password(text))


def test_sha_crypt_takes_no_password_that_would_take_longer_than_its_rounds_say() -> None:
    """Both made by libpass 1.9.4, which takes longer ones; each of up to a million rounds would read them all."""
    setting = "$6$rounds=1000$saltsaltsaltsalt$"
    longest = setting + "5LNdhQNS3sY/.oeUAeITVa2xPq3rDmztulfJden7BuVPx0zNcQzaiA.4xuQaAzC2EaIlbPkRb2IOp2MkR/XUb/"
    too_long = setting + "EB0GjK04/qiEvmdZIVvpfYB42QJArpCtdX9jC7cvMyl8onbn7fV1zj67koYVkq/3OU839w4TbAYFK7eu5Qzvw/"
    assert read(longest).matches(Password("x" * 128))
    assert not read(too_long).matches(Password("x" * 129))


JAVASCRIPTS = [*range(0x9, 0xE), 0x20, 0xA0, 0x1680, *range(0x2000, 0x200B), 0x2028, 0x2029, 0x202F, 0x205F]
JAVASCRIPTS += [0x3000, 0xFEFF]
"""What Node.js 20's `trim` takes off, tried on every character of the first plane."""


def test_what_javascript_trims_is_trimmed_and_nothing_else() -> None:
    """Python would take off U+001C to U+001F and U+0085, and leave U+FEFF."""
    found = read(BY_FORM["scrypt-node-trim"].encoded)
    assert isinstance(found, ScryptHash)
    trimmed = [at for at in range(0x11000) if found.prepare(chr(at) + "a" + chr(at)) == "a"]
    assert trimmed == JAVASCRIPTS
    assert found.prepare("\u00a0 a\tb\n") == "a\tb"


def test_a_hash_does_not_show_itself() -> None:
    for vector in VECTORS:
        shown = repr(read(vector.encoded))
        assert not any(part in shown for part in vector.encoded.split("$") if len(part) > 12)
