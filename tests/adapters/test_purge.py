"""The contract of `application.ports.environment.Purge`, on every store."""

import asyncio
from collections.abc import Mapping
from dataclasses import fields, replace
from datetime import datetime, timedelta
from uuid import UUID, uuid4

import pytest

from domain.client import Client
from domain.events import Event, EventKind, RecordedEvent
from domain.letters import Occasion, Outcome
from domain.one_time_token import Purpose
from domain.retention import Retention
from domain.session import SessionLifetimes
from domain.username import Username
from tests.support.store_kinds import StoreUnderTest
from tests.support.store_samples import (
    HOUR,
    NOW,
    TICK,
    a_letter,
    a_reversal,
    a_session,
    a_sign_up,
    a_token,
    a_user,
    charge,
    keep_session,
    mint,
    queue,
    settle_in,
    undoable,
    wait_in_line,
)

HERE = Client("192.0.2.77", "Firefox")
FAR = NOW + timedelta(days=3650)
KINDS = {
    "sign_ups",
    "username_claims",
    "one_time_tokens",
    "reversals",
    "sessions",
    "limits",
    "letters",
    "suppressions",
    "events",
}
KINDS |= {"client_addresses"}


async def purge(store: StoreUnderTest, now: datetime, batch: int = 100) -> dict[str, int]:
    """What was deleted, without the zeroes."""
    counts: Mapping[str, int] = await store.purge(now, batch, Retention())
    return {kind: count for kind, count in counts.items() if count}


async def test_every_kind_that_serves_its_time_is_reported_even_when_nothing_was_deleted(store: StoreUnderTest) -> None:
    assert await store.purge(NOW, 10, Retention()) == dict.fromkeys(KINDS, 0)


async def test_a_sign_up_is_forgotten_when_it_expires_proven_or_not_and_not_a_moment_earlier(
    store: StoreUnderTest,
) -> None:
    waiting, proven = a_sign_up(expires_at=NOW), a_sign_up(expires_at=NOW, proven_at=NOW - HOUR)
    await wait_in_line(store.units, waiting, proven, a_sign_up(expires_at=NOW + TICK))
    assert await purge(store, NOW - TICK) == {}
    assert await purge(store, NOW) == {"sign_ups": 2}


async def test_a_claim_is_forgotten_when_it_expires_and_a_settled_one_never(store: StoreUnderTest) -> None:
    holder = uuid4()
    async with store.units.intake() as unit:
        for name in ("lapses", "lasts"):
            await unit.usernames.claim(Username(name), holder=holder, now=NOW - HOUR, expires_at=NOW)
        await unit.commit()
    async with store.units.proving() as unit:
        await unit.usernames.settle(Username("lasts"), holder=holder)
        await unit.commit()
    assert await purge(store, NOW - TICK) == {}
    assert await purge(store, FAR) == {"username_claims": 1}
    async with store.units.intake() as unit:
        assert not await unit.usernames.claim(Username("lasts"), holder=uuid4(), now=FAR, expires_at=FAR + HOUR)


async def test_a_token_is_kept_two_days_after_its_expiry_so_that_a_late_click_can_be_answered(
    store: StoreUnderTest,
) -> None:
    token = a_token(expires_at=NOW)
    await mint(store.units, token, a_token(expires_at=FAR))
    assert await purge(store, NOW + timedelta(days=2) - TICK) == {}
    async with store.units.proof_reading() as unit:
        assert await unit.tokens.find(token.digest, Purpose.VERIFY_ADDRESS) == token
    assert await purge(store, NOW + timedelta(days=2)) == {"one_time_tokens": 1}


async def test_a_session_is_forgotten_at_the_earlier_of_its_two_expiries(store: StoreUnderTest) -> None:
    user = await settle_in(store.units, a_user())
    idle = a_session(user.id, lifetimes=SessionLifetimes(idle=HOUR))
    outlived = replace(a_session(user.id), absolute_expires_at=NOW + HOUR)
    living = a_session(user.id)
    for session in (idle, outlived, living):
        await keep_session(store.units, session)
    assert await purge(store, NOW + HOUR - TICK) == {}
    assert await purge(store, NOW + HOUR) == {"sessions": 2}
    async with store.units.session_reading() as unit:
        assert await unit.sessions.find(living.id) == (living, user)


@pytest.mark.parametrize("sent", [True, False], ids=["sent", "abandoned"])
async def test_a_letter_is_kept_thirty_days_after_it_left_or_was_given_up(store: StoreUnderTest, sent: bool) -> None:
    letter, lease_id = a_letter(), uuid4()
    await queue(store.units, letter)
    async with store.units.delivery() as unit:
        await unit.letters.lease(lease_id, NOW, 1)
        if sent:
            await unit.letters.mark_sent(letter.id, lease_id, Outcome.VERIFY_ADDRESS, NOW)
        else:
            await unit.letters.mark_abandoned(letter.id, lease_id, NOW, "expired")
        await unit.commit()
    assert await purge(store, NOW + timedelta(days=30) - TICK) == {}
    assert await purge(store, NOW + timedelta(days=30)) == {"letters": 1}


async def test_a_letter_that_still_waits_is_never_forgotten(store: StoreUnderTest) -> None:
    letter = a_letter()
    await queue(store.units, letter)
    async with store.units.delivery() as unit:
        await unit.letters.decide(letter.id, Outcome.VERIFY_ADDRESS, letter.subject_id)
        await unit.commit()
    assert await purge(store, FAR) == {}


@pytest.mark.parametrize("count", [5, 500], ids=["exact", "paced"])
async def test_a_limit_is_forgotten_when_its_window_has_passed_and_not_a_moment_earlier(
    store: StoreUnderTest, count: int
) -> None:
    await store.limits.spend([charge("ada", count), charge("grace", count)], NOW)
    await store.limits.spend([charge("grace", count)], NOW + HOUR / 2)
    assert await purge(store, NOW + HOUR - TICK) == {}
    assert await purge(store, NOW + HOUR) == {"limits": 1}
    assert await purge(store, NOW + HOUR * 1.5) == {"limits": 1}


async def happened(store: StoreUnderTest, at: datetime, client: Client | None = HERE, count: int = 1) -> UUID:
    """Something happened to somebody, so often."""
    user_id = uuid4()
    async with store.units.own_request() as unit:
        for _ in range(count):
            await unit.events.add(Event(kind=EventKind.SIGNED_IN, client=client, user_id=user_id), at)
        await unit.commit()
    return user_id


async def record_of(store: StoreUnderTest, user_id: UUID) -> list[RecordedEvent]:
    async with store.units.own_reading() as unit:
        return await unit.events.of_user(user_id, before=None, most=100)


async def test_an_event_is_forgotten_after_a_year_and_not_a_moment_earlier(store: StoreUnderTest) -> None:
    user_id = await happened(store, NOW, client=None)
    later_id = await happened(store, NOW + TICK, client=None)
    assert await purge(store, NOW + timedelta(days=365) - TICK) == {}
    assert await purge(store, NOW + timedelta(days=365)) == {"events": 1}
    assert await record_of(store, user_id) == []
    assert len(await record_of(store, later_id)) == 1


@pytest.mark.parametrize(
    ("address", "shortened"),
    [("192.0.2.77", "192.0.2.0/24"), ("2001:db8:1:2:3:4:5:6", "2001:db8:1::/48"), ("not an address", "")],
)
async def test_a_clients_address_is_shortened_after_thirty_days_once_and_the_event_stays(
    store: StoreUnderTest, address: str, shortened: str
) -> None:
    """R66: enough to tell a network by, not a person."""
    user_id = await happened(store, NOW, Client(address, "Firefox"))
    [before] = await record_of(store, user_id)
    assert await purge(store, NOW + timedelta(days=30) - TICK) == {}
    assert await record_of(store, user_id) == [before]
    assert await purge(store, NOW + timedelta(days=30)) == {"client_addresses": 1}
    assert await record_of(store, user_id) == [replace(before, address=shortened)]
    assert await purge(store, NOW + timedelta(days=31)) == {}


async def test_an_event_without_an_address_has_none_to_shorten(store: StoreUnderTest) -> None:
    gone_id = await happened(store, NOW)
    await happened(store, NOW, client=None)
    async with store.units.account_keeping() as unit:
        await unit.events.pseudonymise(gone_id)
        await unit.commit()
    assert await purge(store, NOW + timedelta(days=30)) == {}


async def test_at_most_a_batch_of_addresses_is_shortened_and_of_events_deleted_at_a_time(store: StoreUnderTest) -> None:
    await happened(store, NOW, count=7)
    month, year = NOW + timedelta(days=30), NOW + timedelta(days=365)
    assert [await purge(store, month, batch=3) for _ in range(4)] == [
        {"client_addresses": 3},
        {"client_addresses": 3},
        {"client_addresses": 1},
        {},
    ]
    assert [await purge(store, year, batch=4) for _ in range(3)] == [{"events": 4}, {"events": 3}, {}]


async def test_what_can_no_longer_be_undone_is_forgotten_when_its_last_link_is_dead(store: StoreUnderTest) -> None:
    reversal = a_reversal(occasion=Occasion.ACCOUNT_DELETED)
    await undoable(store.units, reversal, a_reversal(now=NOW + TICK))
    assert await purge(store, reversal.expires_at - TICK) == {}
    async with store.units.proof_reading() as unit:
        assert await unit.reversals.get(reversal.id) == reversal
    assert await purge(store, reversal.expires_at) == {"reversals": 1}


DAY = timedelta(days=1)
MOMENTS = {
    "sign_ups": NOW,
    "username_claims": NOW,
    "tokens": NOW,
    "sessions": NOW + HOUR,
    "limits": NOW + HOUR,
    "letters": NOW,
    "events": NOW,
    "client_addresses": NOW,
}
"""For each kind that can be kept longer: when the one that `one_of_each` leaves has served its time."""


async def one_of_each(store: StoreUnderTest) -> None:
    user = await settle_in(store.units, a_user())
    await wait_in_line(store.units, a_sign_up(expires_at=NOW))
    await mint(store.units, a_token(expires_at=NOW))
    await keep_session(store.units, a_session(user.id, lifetimes=SessionLifetimes(idle=HOUR)))
    await store.limits.spend([charge("ada", 5)], NOW)
    await happened(store, NOW)
    letter, lease_id = a_letter(), uuid4()
    async with store.units.intake() as intake:
        await intake.usernames.claim(Username("ada"), holder=user.id, now=NOW - HOUR, expires_at=NOW)
        await intake.letters.enqueue(letter)
        await intake.commit()
    async with store.units.delivery() as unit:
        await unit.letters.lease(lease_id, NOW, 1)
        await unit.letters.mark_sent(letter.id, lease_id, Outcome.VERIFY_ADDRESS, NOW)
        await unit.commit()


def test_every_kind_that_can_be_kept_longer_is_tried_here() -> None:
    assert set(MOMENTS) == {each.name for each in fields(Retention)}


@pytest.mark.parametrize("kind", MOMENTS)
@pytest.mark.parametrize("days", [0, 1, 400])
async def test_each_kind_is_kept_for_as_long_as_is_said_and_no_other_is(
    store: StoreUnderTest, kind: str, days: int
) -> None:
    await one_of_each(store)
    for_ever = dict.fromkeys(MOMENTS, 10 * 365 * DAY)
    kept = Retention(**(for_ever | {kind: days * DAY}))
    served = MOMENTS[kind] + days * DAY
    name = {"tokens": "one_time_tokens"}.get(kind, kind)
    nothing = dict.fromkeys(KINDS, 0)
    assert await store.purge(served - TICK, 100, kept) == nothing
    assert await store.purge(served, 100, kept) == nothing | {name: 1}


async def test_two_who_purge_at_once_while_people_leave_are_in_nobodys_way(store: StoreUnderTest) -> None:
    """All of them touch many rows at once, each in an order of its own."""
    leaving = [await happened(store, NOW - DAY * 60, count=20) for _ in range(10)]

    async def leave(user_id: UUID) -> None:
        async with store.units.account_keeping() as unit:
            await unit.events.pseudonymise(user_id)
            await unit.commit()

    await asyncio.gather(*map(leave, leaving), *(store.purge(NOW, 50, Retention()) for _ in range(10)))
    await store.purge(NOW, 1000, Retention())
    assert await purge(store, NOW) == {}
    assert [await record_of(store, user_id) for user_id in leaving] == [[]] * 10


async def test_at_most_a_batch_of_each_kind_is_deleted_at_a_time(store: StoreUnderTest) -> None:
    await wait_in_line(store.units, *(a_sign_up(expires_at=NOW) for _ in range(7)))
    await mint(store.units, *(a_token(expires_at=NOW - timedelta(days=3)) for _ in range(4)))
    rounds = [await purge(store, NOW, batch=3) for _ in range(4)]
    assert rounds == [
        {"sign_ups": 3, "one_time_tokens": 3},
        {"sign_ups": 3, "one_time_tokens": 1},
        {"sign_ups": 1},
        {},
    ]


async def test_users_and_their_accounts_are_never_purged(store: StoreUnderTest) -> None:
    user = await settle_in(store.units, a_user())
    await purge(store, FAR)
    async with store.units.credential_reading() as unit:
        assert await unit.logins.by_email(user.email) is not None
