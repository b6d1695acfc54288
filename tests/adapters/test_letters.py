"""The contract of `application.ports.collections.Letters`, the outbox, on every store."""

import asyncio
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from uuid import UUID, uuid4

import pytest
from sqlalchemy import update

from adapters.sql.migrations import migrate
from adapters.sql.tables import letters
from application.ports.units_of_work import Units
from domain.letters import LEASE, Occasion, Outcome, QueuedLetter
from domain.one_time_token import Purpose
from tests.support.store_kinds import open_database, over
from tests.support.store_samples import GRACE, HOUR, NOW, ODD, SECOND, TICK, a_letter, a_token, mint, queue


async def lease(units: Units, now: datetime = NOW, most: int = 100, lease_id: UUID | None = None) -> list[QueuedLetter]:
    async with units.delivery() as unit:
        letters = await unit.letters.lease(lease_id or uuid4(), now, most)
        await unit.commit()
    return letters


async def delay(units: Units, letter_id: UUID, lease_id: UUID, due_at: datetime, reason: str = "later") -> None:
    async with units.delivery() as unit:
        await unit.letters.mark_delayed(letter_id, lease_id, due_at, reason)
        await unit.commit()


async def finish(units: Units, letter_id: UUID, lease_id: UUID, *, sent: bool = True) -> None:
    async with units.delivery() as unit:
        if sent:
            await unit.letters.mark_sent(letter_id, lease_id, Outcome.VERIFY_ADDRESS, NOW)
        else:
            await unit.letters.mark_abandoned(letter_id, lease_id, NOW, "expired")
        await unit.commit()


@pytest.mark.parametrize(
    "letter",
    [
        a_letter(),
        a_letter(occasion=Occasion.RESEND, recipient=ODD),
        a_letter(subject_id=None, attempts=5),
        a_letter(occasion=Occasion.CHANGE_EMAIL, credential_version=2**31 - 1),
        a_letter(created_at=NOW.replace(microsecond=0), due_at=NOW - TICK, expires_at=NOW.replace(year=9999)),
    ],
    ids=["sign-up", "resend", "about nobody", "under a version", "far away"],
)
async def test_every_field_of_a_letter_comes_back_as_it_went_in_with_the_attempt_counted(
    units: Units, letter: QueuedLetter
) -> None:
    await queue(units, letter)
    assert await lease(units) == [replace(letter, attempts=letter.attempts + 1)]


@pytest.mark.parametrize("outcome", list(Outcome))
async def test_what_an_attempt_made_of_a_letter_is_known_to_the_next(units: Units, outcome: Outcome) -> None:
    letter, lease_id = a_letter(), uuid4()
    await queue(units, letter)
    await lease(units, lease_id=lease_id)
    async with units.delivery() as unit:
        await unit.letters.decide(letter.id, outcome, letter.subject_id)
        await unit.letters.mark_delayed(letter.id, lease_id, NOW, "later")
        await unit.commit()
    assert await lease(units) == [replace(letter, attempts=2, outcome=outcome)]


async def test_a_letter_leaves_from_the_moment_it_is_due_and_not_before(units: Units) -> None:
    await queue(units, a_letter(due_at=NOW + SECOND))
    assert await lease(units, NOW + SECOND - TICK) == []
    assert len(await lease(units, NOW + SECOND)) == 1


async def test_letters_are_leased_oldest_first(units: Units) -> None:
    letters = [a_letter(due_at=NOW - SECOND * age) for age in (3, 9, 1, 7, 5, 8, 2, 6, 4, 10)]
    await queue(units, *letters)
    taken = [letter.due_at for letter in await lease(units)]
    assert taken == sorted(letter.due_at for letter in letters)


async def test_when_not_all_are_taken_the_oldest_are(units: Units) -> None:
    letters = [a_letter(due_at=NOW - SECOND * age) for age in (3, 9, 1, 7, 5, 8, 2, 6, 4, 10)]
    await queue(units, *letters)
    oldest = sorted(letters, key=lambda letter: letter.due_at)
    for batch in (oldest[:4], oldest[4:8], oldest[8:]):
        assert {letter.id for letter in await lease(units, most=4)} == {letter.id for letter in batch}


async def test_nobody_else_gets_a_leased_letter_until_the_lease_runs_out(units: Units) -> None:
    await queue(units, a_letter())
    assert len(await lease(units, NOW)) == 1
    assert await lease(units, NOW + LEASE - TICK) == []
    taken_over = await lease(units, NOW + LEASE)
    assert [letter.attempts for letter in taken_over] == [2]


async def test_many_workers_at_once_each_get_letters_of_their_own(units: Units) -> None:
    letters = [a_letter() for _ in range(40)]
    await queue(units, *letters)
    taken = [letter.id for batch in await asyncio.gather(*(lease(units, most=7) for _ in range(8))) for letter in batch]
    assert sorted(taken) == sorted(letter.id for letter in letters)


@pytest.mark.parametrize("sent", [True, False], ids=["sent", "abandoned"])
async def test_a_letter_that_is_done_with_never_leaves_again(units: Units, sent: bool) -> None:
    letter, lease_id = a_letter(), uuid4()
    await queue(units, letter)
    await lease(units, lease_id=lease_id)
    await finish(units, letter.id, lease_id, sent=sent)
    assert await lease(units, NOW + timedelta(days=1)) == []


async def test_a_delayed_letter_is_tried_again_when_it_is_due(units: Units) -> None:
    letter, lease_id = a_letter(), uuid4()
    await queue(units, letter)
    await lease(units, lease_id=lease_id)
    await delay(units, letter.id, lease_id, NOW + SECOND, reason="x" * 10_000)
    assert await lease(units, NOW + SECOND - TICK) == []
    assert await lease(units, NOW + SECOND) == [replace(letter, attempts=2, due_at=NOW + SECOND)]


async def test_a_worker_that_lost_its_lease_changes_nothing(units: Units) -> None:
    letter, lost, held = a_letter(), uuid4(), uuid4()
    await queue(units, letter)
    await lease(units, NOW, lease_id=lost)
    await lease(units, NOW + LEASE, lease_id=held)
    await finish(units, letter.id, lost)
    await finish(units, letter.id, lost, sent=False)
    await delay(units, letter.id, lost, NOW - HOUR)
    assert await lease(units, NOW + LEASE * 2 - TICK) == []
    assert [taken.attempts for taken in await lease(units, NOW + LEASE * 2)] == [3]


async def test_a_letter_that_is_sent_stays_sent_whatever_a_late_worker_says(units: Units) -> None:
    letter, lease_id = a_letter(), uuid4()
    await queue(units, letter)
    await lease(units, lease_id=lease_id)
    await finish(units, letter.id, lease_id)
    await delay(units, letter.id, lease_id, NOW)
    assert await lease(units, NOW + HOUR) == []


async def test_a_delayed_letter_is_no_longer_held_by_the_worker_that_delayed_it(units: Units) -> None:
    letter, lease_id = a_letter(), uuid4()
    await queue(units, letter)
    await lease(units, lease_id=lease_id)
    await delay(units, letter.id, lease_id, NOW)
    await finish(units, letter.id, lease_id)
    assert len(await lease(units)) == 1


async def test_marking_a_letter_that_is_gone_is_no_error(units: Units) -> None:
    async with units.delivery() as unit:
        await unit.letters.decide(uuid4(), Outcome.NONE, None)
        await unit.letters.mark_sent(uuid4(), uuid4(), Outcome.NONE, NOW)
        await unit.letters.mark_delayed(uuid4(), uuid4(), NOW, "later")
        await unit.letters.mark_abandoned(uuid4(), uuid4(), NOW, "expired")
        await unit.commit()


async def test_marking_one_letter_leaves_its_neighbours_alone(units: Units) -> None:
    letter, neighbour, lease_id = a_letter(), a_letter(recipient=GRACE), uuid4()
    await queue(units, letter, neighbour)
    await lease(units, lease_id=lease_id)
    await finish(units, letter.id, lease_id)
    assert [taken.id for taken in await lease(units, NOW + LEASE)] == [neighbour.id]


async def test_a_letter_is_the_newest_until_a_newer_one_is_asked_for_about_the_same_subject(units: Units) -> None:
    letter = a_letter()
    older = a_letter(subject_id=letter.subject_id, created_at=NOW - TICK)
    await queue(units, letter, older, a_letter(created_at=NOW + HOUR))
    async with units.delivery() as unit:
        assert await unit.letters.is_newest(letter)
        assert not await unit.letters.is_newest(older)
    await queue(units, a_letter(subject_id=letter.subject_id, created_at=NOW + TICK))
    async with units.delivery() as unit:
        assert not await unit.letters.is_newest(letter)


async def test_letters_about_nobody_are_not_about_the_same_subject(units: Units) -> None:
    letter = a_letter(subject_id=None)
    await queue(units, letter, a_letter(subject_id=None, recipient=GRACE, created_at=NOW + TICK))
    async with units.delivery() as unit:
        assert await unit.letters.is_newest(letter)


async def test_a_letter_that_turns_out_to_be_about_somebody_supersedes_their_older_one(units: Units) -> None:
    """One that was asked for by the address alone: whose it is only delivery may know."""
    older = a_letter()
    newer = a_letter(subject_id=None, occasion=Occasion.RESEND, created_at=NOW + TICK)
    await queue(units, older, newer)
    async with units.delivery() as unit:
        assert await unit.letters.is_newest(older)
        await unit.letters.decide(newer.id, Outcome.VERIFY_ADDRESS, older.subject_id)
        await unit.commit()
    async with units.delivery() as unit:
        assert not await unit.letters.is_newest(older)


async def test_a_letter_is_found_by_its_token_expired_or_used_though_it_be(units: Units) -> None:
    letter = a_letter(recipient=ODD)
    token = a_token(subject_id=letter.subject_id, expires_at=NOW - HOUR, used_at=NOW - HOUR)
    nothing = a_token(subject_id=letter.subject_id, purpose=Purpose.NOTHING)
    await queue(units, a_letter(), letter, a_letter(subject_id=letter.subject_id, recipient=ODD))
    await mint(units, token, nothing, a_token())
    async with units.intake() as unit:
        assert await unit.letters.by_token(token.digest, Purpose.VERIFY_ADDRESS) == (letter.subject_id, ODD)
        assert await unit.letters.by_token(token.digest, Purpose.NOTHING) is None
        assert await unit.letters.by_token(nothing.digest, Purpose.VERIFY_ADDRESS) is None
        assert await unit.letters.by_token(bytes(32), Purpose.VERIFY_ADDRESS) is None


async def test_a_lease_in_a_unit_left_without_commit_was_never_taken(units: Units) -> None:
    letter = a_letter()
    await queue(units, letter)
    async with units.delivery() as unit:
        assert len(await unit.letters.lease(uuid4(), NOW, 10)) == 1
    assert await lease(units) == [replace(letter, attempts=1)]


@pytest.mark.parametrize("occasion", list(Occasion))
async def test_a_letter_of_every_occasion_is_taken_up_again_as_what_it_is(units: Units, occasion: Occasion) -> None:
    letter = a_letter(occasion=occasion)
    await queue(units, letter)
    assert await lease(units) == [replace(letter, attempts=1)]


async def test_only_a_newer_letter_of_the_same_purpose_supersedes(units: Units) -> None:
    letter = a_letter(occasion=Occasion.CHANGE_EMAIL)
    later = NOW + TICK
    await queue(units, letter, a_letter(subject_id=letter.subject_id, created_at=later))
    async with units.delivery() as unit:
        assert await unit.letters.is_newest(letter)
    await queue(units, a_letter(subject_id=letter.subject_id, occasion=Occasion.CHANGE_EMAIL, created_at=later))
    async with units.delivery() as unit:
        assert not await unit.letters.is_newest(letter)


async def forget(units: Units, until: datetime = NOW) -> None:
    async with units.account_keeping() as unit:
        await unit.letters.forget(uuid4(), ODD, until)
        await unit.commit()


async def addresses_of(units: Units, *letters: QueuedLetter) -> list[str | None]:
    """Where each letter went, as far as anybody can tell by its token."""
    tokens = [a_token(subject_id=letter.subject_id, purpose=letter.purpose) for letter in letters]
    await mint(units, *tokens)
    async with units.intake() as unit:
        found = [await unit.letters.by_token(token.digest, token.purpose) for token in tokens]
    return [str(place[1]) if place else None for place in found]


@pytest.mark.parametrize("sent", [True, False], ids=["sent", "abandoned"])
async def test_an_address_is_forgotten_in_letters_that_have_left_or_were_given_up(units: Units, sent: bool) -> None:
    letter, strangers, lease_id = a_letter(recipient=ODD), a_letter(recipient=GRACE), uuid4()
    await queue(units, letter, strangers)
    await lease(units, lease_id=lease_id)
    for each in (letter, strangers):
        await finish(units, each.id, lease_id, sent=sent)
    await forget(units)
    assert await addresses_of(units, letter, strangers) == [None, str(GRACE)]


async def test_a_letter_that_still_waits_keeps_its_address_and_leaves(units: Units) -> None:
    waiting, taken, lease_id = a_letter(recipient=ODD), a_letter(recipient=ODD, due_at=NOW - HOUR), uuid4()
    await queue(units, taken)
    await lease(units, lease_id=lease_id)
    await queue(units, waiting)
    await forget(units, until=NOW + HOUR)
    assert await lease(units) == [replace(waiting, attempts=1)]
    assert await addresses_of(units, taken, waiting) == [str(ODD)] * 2


async def test_what_was_asked_for_later_is_not_forgotten(units: Units) -> None:
    """The address may be somebody else's by then, or theirs again."""
    letters = [a_letter(recipient=ODD, created_at=NOW + TICK * moment) for moment in (-1, 0, 1)]
    lease_id = uuid4()
    await queue(units, *letters)
    await lease(units, lease_id=lease_id)
    for letter in letters:
        await finish(units, letter.id, lease_id)
    await forget(units, until=NOW)
    assert await addresses_of(units, *letters) == [None, None, str(ODD)]


async def test_a_forgotten_letter_still_supersedes_the_tokens_of_older_ones(units: Units) -> None:
    letter, lease_id = a_letter(recipient=ODD), uuid4()
    older = a_token(subject_id=letter.subject_id, requested_at=NOW - TICK)
    await mint(units, older)
    await queue(units, letter)
    await lease(units, lease_id=lease_id)
    await finish(units, letter.id, lease_id)
    await forget(units)
    async with units.proof_reading() as unit:
        assert await unit.tokens.find(older.digest, older.purpose) == replace(older, superseded=True)


async def test_what_a_newer_version_made_of_a_letter_keeps_nobody_elses_waiting(tmp_path: Path) -> None:
    async with open_database(tmp_path / "db") as database:
        await migrate(database)
        units = over(database).units
        await queue(units, a_letter(), a_letter())
        async with database.writing() as transaction:
            await transaction.connection.execute(update(letters).values(outcome="sung at the door"))
            await transaction.commit()
        assert [letter.outcome for letter in await lease(units)] == [None, None]
