"""The contract of `application.ports.collections.Reversals`, on every store."""

import asyncio
from datetime import datetime
from uuid import UUID, uuid4

import pytest

from application.ports.units_of_work import Units
from domain.letters import NOTICE_TIME, Occasion
from domain.reversal import UNDO_TIME, Reversal
from tests.support.store_samples import HOUR, NOW, TICK, a_reversal, undoable

NOTICED = [occasion for occasion in Occasion if occasion.notice]


async def get(units: Units, reversal_id: UUID) -> Reversal | None:
    async with units.proof_reading() as unit:
        return await unit.reversals.get(reversal_id)


async def forget_since(units: Units, user_id: UUID, made_at: datetime) -> None:
    async with units.account_keeping() as unit:
        await unit.reversals.forget_since(user_id, made_at)
        await unit.commit()


async def deletion_of(units: Units, user_id: UUID) -> Reversal | None:
    async with units.account_keeping() as unit:
        return await unit.reversals.deletion_of(user_id)


@pytest.mark.parametrize("occasion", NOTICED)
async def test_every_field_of_a_reversal_comes_back_as_it_went_in(units: Units, occasion: Occasion) -> None:
    reversal = a_reversal(occasion=occasion, sealed=bytes(range(256)) * 8, now=NOW + TICK)
    await undoable(units, reversal)
    assert await get(units, reversal.id) == reversal
    assert reversal.expires_at == NOW + TICK + NOTICE_TIME + UNDO_TIME


async def test_an_unknown_reversal_is_none(units: Units) -> None:
    await undoable(units, a_reversal())
    assert await get(units, uuid4()) is None


async def test_a_reversal_needs_no_user_for_that_of_a_deletion_outlives_them(units: Units) -> None:
    reversal = a_reversal(occasion=Occasion.ACCOUNT_DELETED)
    await undoable(units, reversal)
    assert await deletion_of(units, reversal.user_id) == reversal


async def test_the_deletion_that_is_found_is_the_users_own_and_the_last(units: Units) -> None:
    user_id = uuid4()
    deletions = [
        a_reversal(user_id=user_id, occasion=Occasion.ACCOUNT_DELETED, now=NOW + HOUR * hour) for hour in (1, 3, 2)
    ]
    await undoable(
        units,
        *deletions,
        a_reversal(user_id=user_id, occasion=Occasion.PASSWORD_CHANGED, now=NOW + HOUR * 5),
        a_reversal(occasion=Occasion.ACCOUNT_DELETED, now=NOW + HOUR * 9),
    )
    assert await deletion_of(units, user_id) == deletions[1]
    assert await deletion_of(units, uuid4()) is None


async def test_what_was_made_then_or_later_is_forgotten_and_nothing_older_and_nobody_elses(units: Units) -> None:
    user_id = uuid4()
    before, then, later = (a_reversal(user_id=user_id, now=NOW + TICK * moment) for moment in (-1, 0, 1))
    others = a_reversal(now=NOW + HOUR)
    await undoable(units, before, then, later, others)
    await forget_since(units, user_id, NOW)
    assert [await get(units, each.id) for each in (before, then, later, others)] == [before, None, None, others]
    await forget_since(units, uuid4(), NOW - HOUR)
    assert await get(units, before.id) == before


async def test_forgetting_in_a_unit_left_without_commit_forgets_nothing(units: Units) -> None:
    reversal = a_reversal()
    await undoable(units, reversal)
    async with units.account_keeping() as unit:
        await unit.reversals.forget_since(reversal.user_id, NOW)
        assert await unit.reversals.get(reversal.id) is None
    assert await get(units, reversal.id) == reversal


async def test_many_may_be_kept_at_once_and_forgotten_at_once(units: Units) -> None:
    user_id = uuid4()
    reversals = [a_reversal(user_id=user_id, now=NOW + TICK * moment) for moment in range(20)]
    await asyncio.gather(*(undoable(units, reversal) for reversal in reversals))
    assert [await get(units, reversal.id) for reversal in reversals] == reversals
    await asyncio.gather(*(forget_since(units, user_id, NOW + TICK * moment) for moment in range(20)))
    assert [await get(units, reversal.id) for reversal in reversals] == [None] * 20


async def test_what_is_sealed_is_in_no_repr(units: Units) -> None:
    reversal = a_reversal(sealed=b"a canary")
    await undoable(units, reversal)
    assert "canary" not in repr(await get(units, reversal.id))
