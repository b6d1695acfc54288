"""The contract of `application.ports.tokens.SessionSeal`, and the keys that come from the master secret."""

import hashlib
import hmac
from dataclasses import replace
from typing import Any
from uuid import UUID, uuid4

import pytest

from adapters.signing import HmacSessionSeal, MasterSecret
from domain.session import Session, SessionToken, Transport
from tests.support.store_samples import a_session

SECRET = MasterSecret(b"an example of a secret, 32 bytes or more")
OTHER = MasterSecret(b"another example of a secret of 32 bytes")
RETIRED = MasterSecret(b"the secret of last year, 32 bytes or more")


@pytest.fixture
def seal() -> HmacSessionSeal:
    return HmacSessionSeal([SECRET])


@pytest.fixture
def session() -> Session:
    return replace(a_session(uuid4()), counter=7)


def rfc_5869(secret: bytes, purpose: bytes, length: int) -> bytes:
    """HKDF with SHA-256, spelt out."""
    pseudorandom_key = hmac.digest(b"ostiary", secret, hashlib.sha256)
    output, block, index = b"", b"", 1
    while len(output) < length:
        block = hmac.digest(pseudorandom_key, block + purpose + bytes([index]), hashlib.sha256)
        output, index = output + block, index + 1
    return output[:length]


@pytest.mark.parametrize("length", [16, 32, 48, 100])
def test_a_key_is_derived_by_hkdf_as_rfc_5869_has_it(length: int) -> None:
    assert SECRET.derive("session tokens", length) == rfc_5869(SECRET.value, b"session tokens", length)


def test_keys_differ_by_purpose_and_by_secret() -> None:
    purposes = ["session tokens", "access tokens ES256", "limits", "", "Session tokens"]
    keys = {secret.derive(purpose) for secret in (SECRET, OTHER, RETIRED) for purpose in purposes}
    assert len(keys) == 3 * len(purposes)
    assert not any(secret.value in key for secret in (SECRET, OTHER) for key in keys)


def test_a_secret_is_in_no_repr() -> None:
    assert repr(SECRET) == "MasterSecret()"


def test_a_seal_opens_what_it_sealed(seal: HmacSessionSeal, session: Session) -> None:
    token = seal.token_for(session)
    assert (token.session_id, token.counter) == (session.id, 7)
    assert seal.opens(token, session)


def test_a_token_survives_being_written_and_read(seal: HmacSessionSeal, session: Session) -> None:
    read = SessionToken.parse(seal.token_for(session).text)
    assert read is not None
    assert seal.opens(read, session)


def test_a_token_of_an_older_counter_still_opens_because_whether_it_is_good_is_not_for_the_seal_to_say(
    seal: HmacSessionSeal, session: Session
) -> None:
    assert seal.opens(seal.token_for(replace(session, counter=6)), session)


def test_any_flipped_bit_of_a_token_is_refused(seal: HmacSessionSeal, session: Session) -> None:
    token = seal.token_for(session)
    packed = bytes([1]) + token.session_id.bytes + token.counter.to_bytes(4) + token.mac
    for position in range(1, len(packed)):
        for bit in range(8):
            broken = bytearray(packed)
            broken[position] ^= 1 << bit
            forged = SessionToken(UUID(bytes=bytes(broken[1:17])), int.from_bytes(broken[17:21]), bytes(broken[21:]))
            assert not seal.opens(forged, session), (position, bit)


@pytest.mark.parametrize("length", [0, 1, 16, 31, 33, 64])
def test_a_mac_of_another_length_is_refused(seal: HmacSessionSeal, session: Session, length: int) -> None:
    token = seal.token_for(session)
    assert not seal.opens(replace(token, mac=(token.mac * 2)[:length]), session)


@pytest.mark.parametrize(
    "difference",
    [{"transport": Transport.TOKEN}, {"seed": b"\x01" * 16}, {"id": uuid4()}],
    ids=["transport", "seed", "session"],
)
def test_a_token_of_another_transport_seed_or_session_is_refused(
    seal: HmacSessionSeal, session: Session, difference: dict[str, Any]
) -> None:
    other = replace(session, **difference)
    assert not seal.opens(seal.token_for(other), session)
    assert not seal.opens(seal.token_for(session), other)
    assert not seal.opens(replace(seal.token_for(other), session_id=session.id), session)


def test_a_mac_is_not_moved_to_another_counter(seal: HmacSessionSeal, session: Session) -> None:
    token = seal.token_for(session)
    for counter in (0, 6, 8, 2**32 - 1):
        assert not seal.opens(replace(token, counter=counter), session)


def test_a_token_under_another_secret_is_refused(seal: HmacSessionSeal, session: Session) -> None:
    assert not seal.opens(HmacSessionSeal([OTHER]).token_for(session), session)


def test_an_accepted_secret_opens_and_does_not_seal(session: Session) -> None:
    rotated = HmacSessionSeal([SECRET, RETIRED])
    assert rotated.opens(HmacSessionSeal([RETIRED]).token_for(session), session)
    assert rotated.token_for(session) == HmacSessionSeal([SECRET]).token_for(session)
    assert not HmacSessionSeal([RETIRED]).opens(rotated.token_for(session), session)
    assert not HmacSessionSeal([SECRET]).opens(HmacSessionSeal([RETIRED]).token_for(session), session)


def test_what_is_sealed_names_one_thing_only(seal: HmacSessionSeal, session: Session) -> None:
    """No part can borrow bytes from its neighbour: all but the transport's name are of fixed width."""
    sealed = {
        SessionToken.sealed_part(replace(session, transport=transport, seed=seed), counter)
        for transport in Transport
        for counter in (0, 1, 2**32 - 1)
        for seed in (b"|" * 16, b"\x00" * 16)
    }
    assert len(sealed) == 12
