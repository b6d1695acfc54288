"""The contract of `application.ports.monitoring.OutboxReport`, on every store."""

from uuid import uuid4

from application.ports.monitoring import OutboxState
from domain.letters import Outcome
from tests.support.store_kinds import StoreUnderTest
from tests.support.store_samples import HOUR, NOW, SECOND, a_letter, queue


async def test_an_empty_outbox_has_nothing_to_say(store: StoreUnderTest) -> None:
    assert await store.outbox() == OutboxState(waiting=0, asked_for=None, due=None, abandoned=0)


async def test_what_waits_is_counted_with_the_oldest_request_and_the_first_that_is_due(store: StoreUnderTest) -> None:
    """The one need not be the other: a letter that is tried again is due later than one asked for after it."""
    await queue(
        store.units,
        a_letter(created_at=NOW - HOUR, due_at=NOW + HOUR),
        a_letter(created_at=NOW - SECOND, due_at=NOW - SECOND),
        a_letter(created_at=NOW, due_at=NOW),
    )
    assert await store.outbox() == OutboxState(waiting=3, asked_for=NOW - HOUR, due=NOW - SECOND, abandoned=0)


async def test_a_letter_in_hand_still_waits(store: StoreUnderTest) -> None:
    await queue(store.units, a_letter())
    async with store.units.delivery() as unit:
        await unit.letters.lease(uuid4(), NOW, 10)
        await unit.commit()
    assert (await store.outbox()).waiting == 1


async def test_what_left_is_forgotten_and_what_was_given_up_is_counted(store: StoreUnderTest) -> None:
    sent, given_up, lease_id = a_letter(), a_letter(), uuid4()
    await queue(store.units, sent, given_up)
    async with store.units.delivery() as unit:
        await unit.letters.lease(lease_id, NOW, 10)
        await unit.letters.mark_sent(sent.id, lease_id, Outcome.VERIFY_ADDRESS, NOW)
        await unit.letters.mark_abandoned(given_up.id, lease_id, NOW, "expired")
        await unit.commit()
    assert await store.outbox() == OutboxState(waiting=0, asked_for=None, due=None, abandoned=1)


async def test_what_is_not_committed_is_not_so(store: StoreUnderTest) -> None:
    async with store.units.intake() as unit:
        await unit.letters.enqueue(a_letter())
    assert (await store.outbox()).waiting == 0
