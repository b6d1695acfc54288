"""The contract of `application.ports.sealing.RecordSeal`."""

from dataclasses import replace
from uuid import UUID, uuid4

import pytest

from adapters.environment import SystemRandomness
from adapters.sealing import AesRecordSeal
from adapters.signing import MasterSecret
from domain.display_name import DisplayName
from domain.reversal import AsItWas
from domain.username import Username
from tests.support.store_samples import ADA, NOW, ODD, TICK, a_user

SECRET = MasterSecret(b"an example of a secret, 32 bytes or more")
OTHER = MasterSecret(b"another example of a secret of 32 bytes")

FULL = AsItWas(
    user=a_user(
        email=ADA,
        name=DisplayName("Ada Łovelace 🧮"),
        username=Username("countess"),
        role="admin",
        fields={"company": "Analytical Engines", "seats": 3, "newsletter": True, "notes": ""},
        disabled_at=NOW + TICK,
        first_signed_in_at=NOW,
    ),
    credential_version=7,
    browser="Mozilla/5.0 (X11; Linux x86_64)",
    masked_address="192.0.2.0/24",
)


def sealing(*secrets: MasterSecret) -> AesRecordSeal:
    return AesRecordSeal(secrets, SystemRandomness())


@pytest.mark.parametrize(
    "record",
    [
        FULL,
        AsItWas(
            user=a_user(email=ODD, name=None, email_verified=False),
            credential_version=1,
            browser="",
            masked_address="",
        ),
        AsItWas(
            user=a_user(created_at=NOW.replace(microsecond=0), name=DisplayName("𝒜" * 64)),
            credential_version=2**31,
            browser="b" * 256,
            masked_address="2001:db8:1::/48",
        ),
    ],
    ids=["full", "nothing optional", "longest"],
)
def test_what_was_sealed_is_opened_as_it_was_to_the_last_field(record: AsItWas) -> None:
    about = uuid4()
    assert sealing(SECRET).open(sealing(SECRET).seal(record, about), about) == record


def test_truth_and_numbers_in_declared_fields_are_still_that_and_not_each_other() -> None:
    about = uuid4()
    opened = sealing(SECRET).open(sealing(SECRET).seal(FULL, about), about)
    assert opened is not None
    assert {name: type(value) for name, value in opened.user.fields.items()} == {
        "company": str,
        "seats": int,
        "newsletter": bool,
        "notes": str,
    }


def test_nothing_personal_can_be_read_in_what_is_stored() -> None:
    sealed = sealing(SECRET).seal(FULL, uuid4())
    for secret in (b"ada", b"example", b"vela", "Ł".encode(), b"countess", b"admin", b"Analytical", b"email", b"2026"):
        assert secret not in sealed
    assert FULL.user.id.bytes not in sealed


def test_the_same_record_is_sealed_differently_each_time() -> None:
    about = uuid4()
    seals = {sealing(SECRET).seal(FULL, about) for _ in range(100)}
    assert len({sealed[:12] for sealed in seals}) == len({sealed[12:] for sealed in seals}) == 100


@pytest.mark.parametrize("other", [uuid4(), UUID(int=0)])
def test_a_record_moved_to_another_row_does_not_open_there(other: UUID) -> None:
    assert sealing(SECRET).open(sealing(SECRET).seal(FULL, uuid4()), other) is None


def test_no_byte_can_be_changed_cut_off_or_added() -> None:
    about, seal = uuid4(), sealing(SECRET)
    sealed = seal.seal(FULL, about)
    for place in range(len(sealed)):
        flipped = bytearray(sealed)
        flipped[place] ^= 0x01
        assert seal.open(bytes(flipped), about) is None
        assert seal.open(sealed[:place], about) is None
    assert seal.open(sealed + b"\x00", about) is None
    assert seal.open(sealed, about) == FULL


def test_what_another_secret_sealed_stays_shut_and_an_accepted_one_opens() -> None:
    """Rotation: the secret of last year opens, and seals no more."""
    about = uuid4()
    sealed = sealing(OTHER).seal(FULL, about)
    assert sealing(SECRET).open(sealed, about) is None
    assert sealing(SECRET, OTHER).open(sealed, about) == FULL
    assert sealing(OTHER).open(sealing(SECRET, OTHER).seal(FULL, about), about) is None


def test_a_record_of_a_form_that_this_version_does_not_know_is_none_and_no_error() -> None:
    about, seal = uuid4(), sealing(SECRET)
    strange = replace(FULL, credential_version="seven")  # type: ignore[arg-type]
    assert seal.open(seal.seal(strange, about), about) is None
