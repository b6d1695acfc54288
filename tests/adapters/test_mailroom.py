"""The contract of `application.ports.mailroom`, on every store."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from uuid import UUID, uuid4

import pytest

from application.ports.mailroom import LetterFilter, LetterRecord, LetterState
from application.ports.units_of_work import Units
from domain.email_address import EmailAddress
from domain.letters import LEASE, Occasion, Outcome, QueuedLetter
from domain.retention import Retention
from domain.suppression import Suppression, SuppressionReason
from tests.support.store_kinds import StoreUnderTest
from tests.support.store_samples import (
    ADA,
    GRACE,
    HOUR,
    NOW,
    ODD,
    SECOND,
    TICK,
    a_letter,
    a_reversal,
    a_user,
    queue,
    settle_in,
    undoable,
)

EVERY = LetterFilter()
DAY = 24 * HOUR


async def find(units: Units, which: LetterFilter = EVERY, **page: object) -> list[LetterRecord]:
    async with units.mailroom() as unit:
        return await unit.letters.find(which, NOW, **({"after": None, "most": 100} | page))  # type: ignore[arg-type]


async def get(units: Units, letter_id: UUID, now: datetime = NOW) -> LetterRecord:
    async with units.mailroom() as unit:
        record = await unit.letters.get(letter_id, now)
    assert record is not None
    return record


async def requeue(units: Units, letter: QueuedLetter, now: datetime = NOW) -> bool:
    async with units.mailroom() as unit:
        done = await unit.letters.requeue(letter.id, now)
        await unit.commit()
    return done


async def abandon(units: Units, letter: QueuedLetter, now: datetime = NOW) -> bool:
    async with units.mailroom() as unit:
        done = await unit.letters.abandon(letter.id, now, "by hand")
        await unit.commit()
    return done


async def lease(units: Units, now: datetime = NOW, lease_id: UUID | None = None) -> list[QueuedLetter]:
    async with units.delivery() as unit:
        letters = await unit.letters.lease(lease_id or uuid4(), now, 100)
        await unit.commit()
    return letters


async def in_state(units: Units, state: str, letter: QueuedLetter | None = None) -> QueuedLetter:
    """A letter that is there: `queued`, `delayed`, `in hand`, `sent`, `abandoned`."""
    letter, lease_id = letter or a_letter(), uuid4()
    await queue(units, letter)
    if state != "queued":
        await lease(units, lease_id=lease_id)
    async with units.delivery() as unit:
        if state == "sent":
            await unit.letters.mark_sent(letter.id, lease_id, Outcome.VERIFY_ADDRESS, NOW + SECOND)
        elif state == "abandoned":
            await unit.letters.mark_abandoned(letter.id, lease_id, NOW + SECOND, "550")
        elif state == "delayed":
            await unit.letters.mark_delayed(letter.id, lease_id, NOW + HOUR, "451")
        await unit.commit()
    return letter


@pytest.mark.parametrize(
    ("state", "shown"),
    [
        ("queued", (LetterState.QUEUED, None, False, None)),
        ("in hand", (LetterState.QUEUED, None, True, None)),
        ("delayed", (LetterState.QUEUED, "451", False, None)),
        ("sent", (LetterState.SENT, None, False, NOW + SECOND)),
        ("abandoned", (LetterState.ABANDONED, "550", False, NOW + SECOND)),
    ],
)
async def test_a_letter_is_shown_where_it_is(units: Units, state: str, shown: tuple[object, ...]) -> None:
    letter = await in_state(units, state)
    record = await get(units, letter.id)
    assert (record.state, record.reason, record.in_hand, record.done_at) == shown
    became = Outcome.VERIFY_ADDRESS if state == "sent" else None
    assert replace(record.letter, due_at=NOW, attempts=0) == replace(letter, outcome=became)
    assert await find(units) == [record]


async def test_a_letter_is_in_hand_until_its_lease_runs_out(units: Units) -> None:
    letter = await in_state(units, "in hand")
    assert (await get(units, letter.id, NOW + LEASE - TICK)).in_hand
    assert not (await get(units, letter.id, NOW + LEASE)).in_hand


async def test_there_is_no_letter_that_nobody_asked_for(units: Units) -> None:
    async with units.mailroom() as unit:
        assert await unit.letters.get(uuid4(), NOW) is None
    assert await find(units) == []
    assert not await requeue(units, a_letter())
    assert not await abandon(units, a_letter())


async def test_letters_come_page_by_page_asked_for_last_first_also_those_of_one_moment(units: Units) -> None:
    letters = [a_letter(created_at=NOW - SECOND * age) for age in (2, 0, 1, 0, 1, 2, 3)]
    await queue(units, *letters)
    last, pages = None, []
    while page := await find(units, after=last, most=2):
        pages += page
        last = page[-1]
    assert len(pages) == 7
    assert {each.letter.id for each in pages} == {letter.id for letter in letters}
    assert [each.letter.created_at for each in pages] == sorted((letter.created_at for letter in letters), reverse=True)


async def test_letters_are_found_by_state_and_by_recipient_and_by_both(units: Units) -> None:
    sent = await in_state(units, "sent", a_letter(recipient=ODD))
    dead = await in_state(units, "abandoned", a_letter(recipient=ODD))
    waiting = await in_state(units, "queued", a_letter(recipient=GRACE))

    async def found(**which: object) -> set[UUID]:
        return {each.letter.id for each in await find(units, LetterFilter(**which))}  # type: ignore[arg-type]

    assert await found(state=LetterState.SENT) == {sent.id}
    assert await found(state=LetterState.ABANDONED) == {dead.id}
    assert await found(state=LetterState.QUEUED) == {waiting.id}
    assert await found(recipient=ODD) == {sent.id, dead.id}
    assert await found(recipient=ODD, state=LetterState.SENT) == {sent.id}
    assert await found(recipient=ADA) == set()


# Tried again


@pytest.mark.parametrize("state", ["queued", "delayed", "sent", "abandoned"])
async def test_a_letter_is_tried_at_once_with_all_its_attempts_wherever_it_is(units: Units, state: str) -> None:
    letter = await in_state(units, state, a_letter(locale="de"))
    letter = replace(letter, outcome=Outcome.VERIFY_ADDRESS if state == "sent" else None)
    later = NOW + SECOND * 30
    assert await requeue(units, letter, later)
    assert await get(units, letter.id) == LetterRecord(
        letter=replace(letter, due_at=later), state=LetterState.QUEUED, reason=None, in_hand=False, done_at=None
    )
    assert await lease(units, later - TICK) == []
    assert await lease(units, later) == [replace(letter, due_at=later, attempts=1)]


async def test_what_a_letter_became_before_is_known_when_it_is_tried_again(units: Units) -> None:
    letter = await in_state(units, "queued")
    async with units.delivery() as unit:
        await unit.letters.decide(letter.id, Outcome.ACCOUNT_EXISTS, letter.subject_id)
        await unit.commit()
    assert await requeue(units, letter)
    assert [each.outcome for each in await lease(units)] == [Outcome.ACCOUNT_EXISTS]


async def test_a_letter_that_was_suppressed_is_decided_anew(units: Units) -> None:
    """The workers of the version before, which may run beside, could not read what it was."""
    letter, lease_id = a_letter(), uuid4()
    await queue(units, letter)
    await lease(units, lease_id=lease_id)
    async with units.delivery() as unit:
        await unit.letters.mark_sent(letter.id, lease_id, Outcome.SUPPRESSED, NOW)
        await unit.commit()
    assert (await get(units, letter.id)).letter.outcome is Outcome.SUPPRESSED
    assert await requeue(units, letter)
    assert [each.outcome for each in await lease(units)] == [None]


async def test_a_letter_in_a_workers_hands_is_not_taken_out_of_them(units: Units) -> None:
    letter = await in_state(units, "in hand")
    before = await get(units, letter.id)
    assert not await requeue(units, letter, NOW + LEASE - TICK)
    assert await get(units, letter.id) == before
    assert await requeue(units, letter, NOW + LEASE)


async def test_a_worker_that_comes_back_late_has_no_say_over_a_letter_that_was_requeued(units: Units) -> None:
    letter, lost = a_letter(), uuid4()
    await queue(units, letter)
    await lease(units, lease_id=lost)
    assert await requeue(units, letter, NOW + LEASE)
    async with units.delivery() as unit:
        await unit.letters.mark_sent(letter.id, lost, Outcome.VERIFY_ADDRESS, NOW)
        await unit.letters.mark_abandoned(letter.id, lost, NOW, "late")
        await unit.commit()
    assert (await get(units, letter.id)).state is LetterState.QUEUED


async def test_a_letter_whose_time_is_over_is_not_tried_again(units: Units) -> None:
    letter = await in_state(units, "abandoned")
    assert not await requeue(units, letter, letter.expires_at)
    assert (await get(units, letter.id)).state is LetterState.ABANDONED
    assert await requeue(units, letter, letter.expires_at - TICK)


async def test_a_letter_whose_recipient_is_forgotten_is_not_tried_again(units: Units) -> None:
    letter = await in_state(units, "sent")
    async with units.delivery() as unit:
        await unit.letters.forget(uuid4(), letter.recipient, NOW)
        await unit.commit()
    assert (await get(units, letter.id)).letter.recipient.canonical == ""
    assert not await requeue(units, letter)


async def test_of_a_worker_and_the_operator_at_once_nobody_loses_a_letter(units: Units) -> None:
    letters = [a_letter() for _ in range(8)]
    await queue(units, *letters)
    operator = asyncio.gather(*(requeue(units, letter) for letter in letters))
    taken = await lease(units)
    await operator
    left = await lease(units)
    # Whatever the order, each is in exactly one pair of hands: requeued before it was taken, or not at all.
    assert sorted(each.id for each in [*taken, *left]) == sorted(each.id for each in letters)


# Given up


@pytest.mark.parametrize("state", ["queued", "delayed", "in hand"])
async def test_a_letter_that_has_not_left_can_be_given_up(units: Units, state: str) -> None:
    letter = await in_state(units, state)
    assert await abandon(units, letter, NOW + HOUR)
    record = await get(units, letter.id)
    assert (record.state, record.reason, record.done_at) == (LetterState.ABANDONED, "by hand", NOW + HOUR)
    assert not record.in_hand
    assert record.letter.recipient == letter.recipient
    assert await lease(units, NOW + DAY) == []


@pytest.mark.parametrize("state", ["sent", "abandoned"])
async def test_a_letter_that_is_done_with_cannot_be_given_up(units: Units, state: str) -> None:
    letter = await in_state(units, state)
    before = await get(units, letter.id)
    assert not await abandon(units, letter)
    assert await get(units, letter.id) == before


async def test_a_letter_given_up_while_it_is_sent_stays_given_up(units: Units) -> None:
    letter, held = a_letter(), uuid4()
    await queue(units, letter)
    await lease(units, lease_id=held)
    assert await abandon(units, letter)
    async with units.delivery() as unit:
        await unit.letters.mark_sent(letter.id, held, Outcome.VERIFY_ADDRESS, NOW)
        await unit.letters.mark_delayed(letter.id, held, NOW, "451")
        await unit.commit()
    assert (await get(units, letter.id)).state is LetterState.ABANDONED


@pytest.mark.parametrize("deleted", [True, False])
async def test_the_last_letter_to_somebody_who_is_gone_takes_their_address_along(units: Units, deleted: bool) -> None:
    user = await settle_in(units, a_user())
    reversal = a_reversal(user_id=uuid4() if deleted else user.id, occasion=Occasion.ACCOUNT_DELETED)
    await undoable(units, reversal)
    letter = a_letter(occasion=Occasion.ACCOUNT_DELETED, subject_id=reversal.id, recipient=user.email)
    await queue(units, letter)
    assert await abandon(units, letter)
    assert (await get(units, letter.id)).letter.recipient.canonical == ("" if deleted else user.email.canonical)


# Suppressions


def a_suppression(since: datetime = NOW, email: EmailAddress = ADA, **fields: object) -> Suppression:
    of = {"reason": SuppressionReason.HARD_BOUNCE, "source": "postmark", "until": since + DAY * 30, **fields}
    return Suppression(email=email, since=since, **of)  # type: ignore[arg-type]


async def add(units: Units, *suppressions: Suppression) -> list[bool]:
    async with units.mailroom() as unit:
        added = [await unit.suppressions.add(each) for each in suppressions]
        await unit.commit()
    return added


async def lift(units: Units, now: datetime, email: EmailAddress = ADA) -> bool:
    async with units.mailroom() as unit:
        done = await unit.suppressions.lift(email, now, now + DAY * 30)
        await unit.commit()
    return done


async def of(units: Units, now: datetime = NOW, email: EmailAddress = ADA) -> Suppression | None:
    async with units.delivery() as unit:
        return await unit.suppressed.of(email, now)


@pytest.mark.parametrize("reason", list(SuppressionReason))
async def test_every_field_of_a_suppression_comes_back_as_it_went_in(units: Units, reason: SuppressionReason) -> None:
    suppression = a_suppression(email=ODD, reason=reason, source="sendgrid")
    assert await add(units, suppression) == [True]
    assert await of(units, email=ODD) == suppression
    assert await of(units, email=ADA) is None


async def test_a_suppression_ends(units: Units) -> None:
    suppression = a_suppression()
    await add(units, suppression)
    assert await of(units, suppression.until - TICK) == suppression
    assert await of(units, suppression.until) is None
    assert await find_suppressed(units, suppression.until) == []
    assert not await lift(units, suppression.until)


async def test_of_two_reports_the_later_end_is_in_force_in_whatever_order_they_come(units: Units) -> None:
    older = a_suppression(NOW - DAY, reason=SuppressionReason.COMPLAINT)
    newer = a_suppression(NOW)
    assert await add(units, older, newer, older, newer) == [True, True, False, False]
    assert await of(units) == newer
    assert await add(units, a_suppression(email=GRACE), a_suppression(NOW - DAY, email=GRACE)) == [True, False]


async def test_one_that_is_over_gives_way_to_a_new_one(units: Units) -> None:
    await add(units, a_suppression(NOW - DAY * 60))
    assert await of(units) is None
    assert await add(units, a_suppression()) == [True]
    assert await of(units) == a_suppression()


async def test_what_is_lifted_stays_lifted_for_all_that_happened_before(units: Units) -> None:
    await add(units, a_suppression())
    assert await lift(units, NOW + HOUR)
    assert await of(units, NOW + HOUR) is None
    assert not await lift(units, NOW + HOUR)
    assert await add(units, a_suppression(), a_suppression(NOW + HOUR)) == [False, False]
    assert await of(units, NOW + HOUR) is None
    again = a_suppression(NOW + HOUR + TICK)
    assert await add(units, again) == [True]
    assert await of(units, NOW + HOUR * 2) == again


async def test_nobody_but_the_one_who_is_suppressed_can_be_let_off(units: Units) -> None:
    await add(units, a_suppression())
    assert not await lift(units, NOW, GRACE)
    assert await of(units) is not None


async def test_those_in_force_are_found_by_address_page_by_page(units: Units) -> None:
    addresses = [EmailAddress(f"{name}@example.com") for name in "dacbe"]
    await add(units, *(a_suppression(email=email) for email in addresses))
    await add(units, a_suppression(NOW - DAY * 60, GRACE))
    await lift(units, NOW, addresses[0])
    assert await find_suppressed(units, NOW, most=2) == ["a@example.com", "b@example.com"]
    assert await find_suppressed(units, NOW, after="b@example.com") == ["c@example.com", "e@example.com"]


async def find_suppressed(units: Units, now: datetime, after: str | None = None, most: int = 10) -> Sequence[str]:
    async with units.mailroom() as unit:
        behind = EmailAddress(after) if after else None
        return [str(each.email) for each in await unit.suppressions.find(now, after=behind, most=most)]


async def test_many_reports_of_one_address_at_once_count_once(units: Units) -> None:
    added = await asyncio.gather(*(add(units, a_suppression()) for _ in range(8)))
    assert [one for [one] in added].count(True) == 1


async def test_a_suppression_is_deleted_when_it_is_over_and_a_lifting_when_no_old_report_can_count(
    store: StoreUnderTest,
) -> None:
    await add(store.units, a_suppression(), a_suppression(email=GRACE))
    await lift(store.units, NOW + DAY)
    assert await deleted(store, NOW + DAY * 30 - TICK) == 0
    assert await deleted(store, NOW + DAY * 30) == 1
    assert await add(store.units, a_suppression(NOW + DAY)) == [False]
    assert await deleted(store, NOW + DAY * 31) == 1


async def deleted(store: StoreUnderTest, now: datetime) -> int:
    return (await store.purge(now, 100, Retention())).get("suppressions", 0)
