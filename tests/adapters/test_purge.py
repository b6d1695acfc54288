"""The contract of `application.ports.environment.Purge`, on every store."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from uuid import uuid4

import pytest

from domain.letters import Outcome
from domain.one_time_token import Purpose
from domain.session import SessionLifetimes
from domain.username import Username
from tests.support.store_kinds import StoreUnderTest
from tests.support.store_samples import (
    HOUR,
    NOW,
    TICK,
    a_letter,
    a_session,
    a_sign_up,
    a_token,
    a_user,
    charge,
    keep_session,
    mint,
    queue,
    settle_in,
    wait_in_line,
)

FAR = NOW + timedelta(days=3650)
KINDS = {"sign_ups", "username_claims", "one_time_tokens", "sessions", "limits", "letters"}


async def purge(store: StoreUnderTest, now: datetime, batch: int = 100) -> dict[str, int]:
    """What was deleted, without the zeroes."""
    counts: Mapping[str, int] = await store.purge(now, batch)
    return {kind: count for kind, count in counts.items() if count}


async def test_every_kind_that_serves_its_time_is_reported_even_when_nothing_was_deleted(store: StoreUnderTest) -> None:
    assert await store.purge(NOW, 10) == dict.fromkeys(KINDS, 0)


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
            await unit.letters.mark_sent(letter.id, lease_id, NOW)
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
