"""Sessions and their tokens (DESIGN section 3; SECURITY 1.4): docs/sessions.md."""

import base64
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.client import Client
from domain.session import (
    REFRESH_GRACE,
    Moved,
    Replayed,
    Session,
    SessionLifetimes,
    SessionToken,
    Transport,
    Unmoved,
)

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


# Refreshing (DESIGN section 3)

counters = st.integers(0, 2**31)
times = st.timedeltas(min_value=timedelta(0), max_value=timedelta(days=13))
within_grace = st.timedeltas(min_value=-timedelta(hours=1), max_value=REFRESH_GRACE)
after_grace = st.timedeltas(min_value=REFRESH_GRACE + MOMENT, max_value=timedelta(days=13))


def at(counter: int, **fields: Any) -> Session:
    return replace(session(), counter=counter, **fields)


@given(counters, after_grace)
def test_the_current_token_moves_a_session_on_once_the_grace_is_over(counter: int, since: timedelta) -> None:
    now = NOON + since
    outcome = at(counter).refreshed_by(counter, now)
    assert outcome == Moved(
        replace(
            at(counter, refreshed_at=now, last_seen_at=now, idle_expires_at=now + timedelta(days=14)),
            counter=counter + 1,
        )
    )


@given(counters, within_grace)
def test_within_the_grace_the_current_token_and_its_parent_are_answered_with_the_current_one(
    counter: int, since: timedelta
) -> None:
    """A clock put back by an hour is within it too: nobody is taken for a thief because of a clock."""
    current = at(counter + 1)
    assert current.refreshed_by(counter + 1, NOON + since) == Unmoved()
    assert current.refreshed_by(counter, NOON + since) == Unmoved()


@given(counters, after_grace)
def test_after_the_grace_the_parent_is_a_replay(counter: int, since: timedelta) -> None:
    assert at(counter + 1).refreshed_by(counter, NOON + since) == Replayed()


@given(counters, counters, st.one_of(within_grace, after_grace))
def test_any_other_counter_is_a_replay_at_any_time(counter: int, other: int, since: timedelta) -> None:
    outcome = at(counter).refreshed_by(other, NOON + since)
    assert (outcome == Replayed()) or other in (counter, counter - 1)


@given(st.lists(st.tuples(times, st.booleans()), max_size=12), st.timedeltas(-timedelta(hours=1), timedelta(days=1)))
def test_however_often_a_session_is_refreshed_only_two_counters_are_alive_and_both_at_either_door(
    history: list[tuple[timedelta, bool]], since: timedelta
) -> None:
    """What refreshing takes, and what recognising takes, are the same two; the rest is refused at both."""
    refreshed, now = session(), NOON
    for step, by_parent in history:
        now += step
        match refreshed.refreshed_by(max(refreshed.counter - by_parent, 0), now):
            case Moved(successor):
                refreshed = successor
    now = refreshed.refreshed_at + since
    alive = {counter for counter in range(15) if refreshed.accepts(counter, now)}
    assert refreshed.counter in alive
    assert alive <= {refreshed.counter, refreshed.counter - 1}
    assert alive == {counter for counter in range(15) if refreshed.refreshed_by(counter, now) != Replayed()}


def test_a_session_moves_on_30_seconds_after_it_last_did_and_not_sooner() -> None:
    begun = session()
    assert begun.refreshed_by(0, NOON + timedelta(seconds=30)) == Unmoved()
    assert isinstance(begun.refreshed_by(0, NOON + timedelta(seconds=30) + MOMENT), Moved)


@given(st.lists(times, min_size=1, max_size=8), st.booleans())
def test_refreshing_pushes_the_idle_expiry_out_and_never_past_the_absolute_one(
    steps: list[timedelta], remember: bool
) -> None:
    refreshed, now = session(remember=remember), NOON
    absolute = refreshed.absolute_expires_at
    for step in steps:
        now += step
        if not refreshed.alive(now):
            return
        match refreshed.refreshed_by(refreshed.counter, now):
            case Moved(successor):
                idle = timedelta(days=14) if remember else timedelta(hours=24)
                assert successor.idle_expires_at == min(now + idle, absolute)
                refreshed = successor
    assert refreshed.absolute_expires_at == absolute


def test_presence_does_not_go_back_when_a_session_seen_by_a_faster_clock_is_refreshed() -> None:
    seen = at(0, last_seen_at=NOON + timedelta(hours=1), idle_expires_at=NOON + timedelta(days=14, hours=1))
    match seen.refreshed_by(0, NOON + timedelta(minutes=1)):
        case Moved(successor):
            assert successor.last_seen_at == seen.last_seen_at
            assert successor.idle_expires_at == seen.idle_expires_at
        case outcome:
            raise AssertionError(outcome)


def test_a_session_remembers_enough_to_be_recognised_and_not_the_whole_address() -> None:
    begun = session()
    assert begun.masked_address == "192.0.2.0/24"
    assert begun.user_agent == "Firefox"
