"""Sessions and their tokens (DESIGN section 3; SECURITY 1.4): docs/sessions.md."""

import base64
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.client import Client
from domain.session import Session, SessionLifetimes, SessionToken, Transport

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
MOMENT = timedelta(microseconds=1)


def session(*, remember: bool = True, transport: Transport = Transport.COOKIE) -> Session:
    return Session.begin(
        id=UUID(int=1),
        seed=bytes(16),
        user_id=UUID(int=2),
        credential_version=1,
        transport=transport,
        remember=remember,
        client=Client("192.0.2.77", "Firefox"),
        lifetimes=SessionLifetimes(),
        now=NOON,
    )


tokens = st.builds(SessionToken, st.uuids(), st.integers(0, 2**32 - 1), st.binary(min_size=32, max_size=32))


@given(tokens)
def test_a_session_token_reads_as_it_is_written(token: SessionToken) -> None:
    assert len(token.text) == 71
    assert SessionToken.parse(token.text) == token


@given(tokens, st.integers(0, 70), st.sampled_from(ALPHABET))
def test_a_changed_character_is_refused_or_makes_another_token(token: SessionToken, place: int, char: str) -> None:
    changed = token.text[:place] + char + token.text[place + 1 :]
    assert changed == token.text or SessionToken.parse(changed) != token


@given(tokens, st.integers(0, 71), st.sampled_from(["=", "+", "/", " ", "\n", "\x00", ".", "A", "é"]))
def test_padding_and_anything_else_put_in_is_refused(token: SessionToken, place: int, char: str) -> None:
    assert SessionToken.parse(token.text[:place] + char + token.text[place:]) is None


@given(tokens, st.integers(0, 70))
def test_anything_cut_off_is_refused(token: SessionToken, length: int) -> None:
    assert SessionToken.parse(token.text[:length]) is None


@given(tokens, st.integers(0, 255).filter(lambda version: version != 1))
def test_a_token_of_another_version_is_refused(token: SessionToken, version: int) -> None:
    packed = base64.urlsafe_b64decode(token.text + "=")
    other = base64.urlsafe_b64encode(bytes([version]) + packed[1:]).rstrip(b"=").decode()
    assert SessionToken.parse(other) is None


@given(st.text())
def test_arbitrary_text_is_refused_without_an_error(text: str) -> None:
    assert SessionToken.parse(text) is None


def test_what_is_sealed_differs_with_session_counter_transport_and_seed() -> None:
    one = session()
    others = [
        replace(one, id=UUID(int=3)),
        replace(one, counter=1),
        replace(one, transport=Transport.TOKEN),
        replace(one, seed=bytes(15) + b"1"),
    ]
    assert len({SessionToken.sealed_part(each, each.counter) for each in (one, *others)}) == 5


def test_neither_seed_nor_mac_shows_itself() -> None:
    assert "seed" not in repr(session())
    assert "mac" not in repr(SessionToken(UUID(int=1), 0, bytes(32)))


def test_a_remembered_session_ends_14_days_unused_or_30_days_old() -> None:
    remembered = session()
    assert remembered.idle_expires_at == NOON + timedelta(days=14)
    assert remembered.absolute_expires_at == NOON + timedelta(days=30)
    assert remembered.idle_time == timedelta(days=14)


def test_a_session_that_is_not_to_be_remembered_ends_after_24_hours() -> None:
    short = session(remember=False)
    assert short.idle_expires_at == short.absolute_expires_at == NOON + timedelta(hours=24)


SOON = NOON + timedelta(hours=1)


@pytest.mark.parametrize(
    "ending", [replace(session(), idle_expires_at=SOON), replace(session(), absolute_expires_at=SOON)]
)
def test_a_session_is_alive_until_either_expiry_and_not_at_it(ending: Session) -> None:
    assert ending.alive(NOON)
    assert ending.alive(SOON - MOMENT)
    assert not ending.alive(SOON)
    assert not ending.alive(SOON + timedelta(days=1))


def test_the_current_counter_is_accepted_however_old() -> None:
    refreshed = replace(session(), counter=7)
    assert refreshed.accepts(7, NOON)
    assert refreshed.accepts(7, NOON + timedelta(days=10))


def test_the_parent_of_the_current_counter_is_accepted_for_30_seconds() -> None:
    refreshed = replace(session(), counter=7, refreshed_at=NOON)
    assert refreshed.accepts(6, NOON)
    assert refreshed.accepts(6, NOON + timedelta(seconds=30))
    assert not refreshed.accepts(6, NOON + timedelta(seconds=30) + MOMENT)


@given(st.integers(0, 2**32 - 1).filter(lambda counter: counter not in (6, 7)))
def test_no_other_counter_is_ever_accepted(counter: int) -> None:
    assert not replace(session(), counter=7).accepts(counter, NOON)


def test_a_session_remembers_enough_to_be_recognised_and_not_the_whole_address() -> None:
    begun = session()
    assert begun.masked_address == "192.0.2.0/24"
    assert begun.user_agent == "Firefox"
