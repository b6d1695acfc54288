"""The contract of `application.ports.collections.Sessions`, on every store."""

import asyncio
from contextlib import AsyncExitStack
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from uuid import UUID, uuid4

import pytest
from sqlalchemy import delete, update
from sqlalchemy.sql import Executable

from adapters.memory.store import MemoryStore
from adapters.memory.units_of_work import MemoryUnits
from adapters.sql.database import Database
from adapters.sql.tables import accounts, users
from application.ports.units_of_work import Units
from domain.client import Client
from domain.session import Session, SessionLifetimes, Transport
from domain.user import Credential, User
from tests.support import postgresql
from tests.support.store_kinds import STORES, fresh_file, open_database, over
from tests.support.store_samples import HASH, HOUR, NOW, TICK, a_session, a_user, keep_session, settle_in


async def find(units: Units, session_id: UUID) -> tuple[Session, User] | None:
    async with units.session_reading() as unit:
        return await unit.sessions.find(session_id)


async def touch(units: Units, session: Session, now: datetime) -> None:
    async with units.session_keeping() as unit:
        await unit.sessions.touch(session, now)
        await unit.commit()


async def advance(units: Units, successor: Session) -> bool:
    async with units.session_keeping() as unit:
        advanced = await unit.sessions.advance(successor)
        await unit.commit()
    return advanced


def successor_of(session: Session) -> Session:
    later = NOW + timedelta(minutes=7, microseconds=1)
    return replace(
        session,
        counter=session.counter + 1,
        refreshed_at=later,
        last_seen_at=later + TICK,
        idle_expires_at=later + HOUR,
    )


async def signed_in(units: Units, user: User | None = None) -> Session:
    user = user or await settle_in(units, a_user())
    session = a_session(user.id)
    assert await keep_session(units, session)
    return session


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"transport": Transport.TOKEN, "remember": False},
        {"client": Client("2001:db8:1:2::3", "Ünïcødé 🦊 ' \" %" + "x" * 300)},
        {"client": Client("not an address", "")},
        {"seed": b"\x00" * 16},
        {"now": NOW.replace(microsecond=0)},
    ],
    ids=["cookie", "token", "odd browser", "nothing known", "zero seed", "whole second"],
)
async def test_every_field_of_a_session_comes_back_as_it_went_in(units: Units, fields: dict[str, object]) -> None:
    user = await settle_in(units, a_user())
    session = replace(a_session(user.id, **fields), counter=2**32 - 1, refreshed_at=NOW + TICK, signed_in_at=NOW - TICK)
    assert await keep_session(units, session)
    assert await find(units, session.id) == (session, user)


async def test_an_unknown_session_is_none(units: Units) -> None:
    await signed_in(units)
    assert await find(units, uuid4()) is None


async def test_a_session_is_not_added_under_a_version_that_is_no_longer_the_accounts(units: Units) -> None:
    user = a_user()
    await settle_in(units, user, Credential(user_id=user.id, password_hash=HASH, version=2))
    stale, current = a_session(user.id, credential_version=1), a_session(user.id, credential_version=2)
    assert not await keep_session(units, stale)
    assert await keep_session(units, current)
    assert await find(units, stale.id) is None
    assert await find(units, current.id) is not None


async def test_a_session_is_not_added_for_a_user_who_is_disabled(units: Units) -> None:
    user = await settle_in(units, a_user(disabled_at=NOW))
    session = a_session(user.id)
    assert not await keep_session(units, session)
    assert await find(units, session.id) is None


async def test_a_session_is_not_added_for_somebody_who_is_no_user(units: Units) -> None:
    session = a_session(uuid4())
    assert not await keep_session(units, session)
    assert await find(units, session.id) is None


async def test_a_user_may_have_any_number_of_sessions_each_found_with_its_own_user(units: Units) -> None:
    user, other = await settle_in(units, a_user()), await settle_in(units, a_user())
    sessions = [await signed_in(units, user), await signed_in(units, user), await signed_in(units, other)]
    assert [await find(units, session.id) for session in sessions] == [
        (sessions[0], user),
        (sessions[1], user),
        (sessions[2], other),
    ]


async def test_being_used_is_noted_and_pushes_the_idle_expiry_out_by_the_idle_time(units: Units) -> None:
    session = await signed_in(units)
    later = NOW + timedelta(hours=3, microseconds=7)
    await touch(units, session, later)
    found = await find(units, session.id)
    assert found is not None
    assert found[0] == replace(session, last_seen_at=later, idle_expires_at=later + session.idle_time)
    assert found[0].absolute_expires_at == session.absolute_expires_at


async def test_a_session_of_a_day_is_pushed_out_by_a_day(units: Units) -> None:
    user = await settle_in(units, a_user())
    session = a_session(user.id, remember=False, lifetimes=SessionLifetimes(short=HOUR))
    await keep_session(units, session)
    await touch(units, session, NOW + HOUR / 2)
    found = await find(units, session.id)
    assert found is not None
    assert found[0].idle_expires_at == NOW + HOUR * 1.5
    assert not found[0].alive(NOW + HOUR)


async def test_presence_never_goes_back_in_time(units: Units) -> None:
    session = await signed_in(units)
    await touch(units, session, NOW + HOUR)
    await touch(units, session, NOW + HOUR / 2)
    found = await find(units, session.id)
    assert found is not None
    assert found[0].last_seen_at == NOW + HOUR


async def test_noting_the_presence_of_a_session_that_has_ended_does_not_revive_it(units: Units) -> None:
    session = await signed_in(units)
    async with units.session_keeping() as unit:
        await unit.sessions.end(session.id)
        await unit.commit()
    await touch(units, session, NOW + HOUR)
    assert await find(units, session.id) is None


async def test_the_successor_of_a_session_takes_its_place(units: Units) -> None:
    user = await settle_in(units, a_user())
    session, other = await signed_in(units, user), await signed_in(units, user)
    assert await advance(units, successor_of(session))
    assert await find(units, session.id) == (successor_of(session), user)
    assert await find(units, other.id) == (other, user)


async def test_of_fifty_successors_put_in_place_at_once_one_is(units: Units) -> None:
    session = await signed_in(units)
    outcomes = await asyncio.gather(*(advance(units, successor_of(session)) for _ in range(50)))
    assert sorted(outcomes) == [False] * 49 + [True]
    found = await find(units, session.id)
    assert found is not None
    assert found[0].counter == 1


@pytest.mark.parametrize("step", [-1, 0, 2, 3])
async def test_only_the_next_counter_is_put_in_place(units: Units, step: int) -> None:
    user = await settle_in(units, a_user())
    session = replace(a_session(user.id), counter=7)
    await keep_session(units, session)
    assert not await advance(units, replace(successor_of(session), counter=7 + step))
    assert await find(units, session.id) == (session, user)


async def test_advancing_changes_counter_and_times_and_nothing_else(units: Units) -> None:
    user = await settle_in(units, a_user())
    session = await signed_in(units, user)
    elsewhere = replace(
        successor_of(session),
        seed=b"\x07" * 16,
        transport=Transport.TOKEN,
        remember=False,
        absolute_expires_at=NOW + HOUR * 24 * 365,
        signed_in_at=NOW + HOUR,
    )
    assert await advance(units, elsewhere)
    assert await find(units, session.id) == (successor_of(session), user)


async def test_a_session_that_has_ended_does_not_advance_and_is_not_revived(units: Units) -> None:
    session = await signed_in(units)
    async with units.session_keeping() as unit:
        await unit.sessions.end(session.id)
        await unit.commit()
    assert not await advance(units, successor_of(session))
    assert await find(units, session.id) is None


@pytest.mark.parametrize("store_kind", sorted(STORES))
@pytest.mark.parametrize("ending", ["disabled", "newer version", "no account"])
async def test_a_session_does_not_advance_once_its_user_is_disabled_or_its_version_is_old(
    store_kind: str, ending: str, tmp_path: Path
) -> None:
    """Done behind the ports, for want of one that does it."""
    async with AsyncExitStack() as stack:
        if store_kind == "memory":
            memory = MemoryStore()
            units: Units = MemoryUnits(memory)
        else:
            opened = postgresql.open_database() if store_kind == "postgresql" else open_database(fresh_file(tmp_path))
            database: Database = await stack.enter_async_context(opened)
            units = over(database).units
        user = await settle_in(units, a_user())
        session = await signed_in(units, user)
        if store_kind == "memory":
            end_in_memory(memory, user, ending)
        else:
            async with database.writing() as transaction:
                await transaction.connection.execute(ENDINGS[ending])
                await transaction.commit()
        assert not await advance(units, successor_of(session))


ENDINGS: dict[str, Executable] = {
    "disabled": update(users).values(disabled_at=NOW),
    "newer version": update(accounts).values(credential_version=2),
    "no account": delete(accounts),
}


def end_in_memory(store: MemoryStore, user: User, ending: str) -> None:
    """What `ENDINGS` do, over dicts."""
    match ending:
        case "disabled":
            store.tables.users[user.id] = replace(user, disabled_at=NOW)
        case "newer version":
            credential = store.tables.credentials[user.id]
            store.tables.credentials[user.id] = replace(credential, version=2)
        case _:
            del store.tables.credentials[user.id]


async def test_ending_a_session_ends_that_one_and_may_be_done_twice(units: Units) -> None:
    user = await settle_in(units, a_user())
    session, other = await signed_in(units, user), await signed_in(units, user)
    for _ in range(2):
        async with units.session_keeping() as unit:
            await unit.sessions.end(session.id)
            await unit.commit()
    assert await find(units, session.id) is None
    assert await find(units, other.id) is not None


@pytest.mark.parametrize("keep_one", [False, True])
async def test_ending_all_sessions_of_a_user_may_spare_one_and_touches_nobody_else(
    units: Units, keep_one: bool
) -> None:
    user, other = await settle_in(units, a_user()), await settle_in(units, a_user())
    first, second, foreign = await signed_in(units, user), await signed_in(units, user), await signed_in(units, other)
    async with units.session_keeping() as unit:
        await unit.sessions.end_all(user.id, keep=first.id if keep_one else None)
        await unit.commit()
    found = [await find(units, session.id) is not None for session in (first, second, foreign)]
    assert found == [keep_one, False, True]


async def test_a_foreign_session_to_keep_keeps_nothing(units: Units) -> None:
    session, foreign = await signed_in(units), await signed_in(units)
    async with units.session_keeping() as unit:
        await unit.sessions.end_all(session.user_id, keep=foreign.id)
        await unit.commit()
    assert await find(units, session.id) is None


async def end_of(units: Units, user_id: UUID, session_id: UUID) -> bool:
    async with units.session_keeping() as unit:
        ended = await unit.sessions.end_of(user_id, session_id)
        await unit.commit()
    return ended


async def test_a_user_ends_a_session_of_their_own_once_and_none_of_anybody_else(units: Units) -> None:
    """R56: for every other id the same answer, whoever's it is."""
    user, other = await settle_in(units, a_user()), await settle_in(units, a_user())
    session, neighbour, foreign = [await signed_in(units, each) for each in (user, user, other)]
    assert not await end_of(units, user.id, foreign.id)
    assert not await end_of(units, user.id, uuid4())
    assert not await end_of(units, uuid4(), session.id)
    assert [await end_of(units, user.id, session.id) for _ in range(2)] == [True, False]
    assert await find(units, session.id) is None
    assert await find(units, neighbour.id) == (neighbour, user)
    assert await find(units, foreign.id) == (foreign, other)


async def test_of_twenty_who_end_one_session_at_once_exactly_one_did(units: Units) -> None:
    session = await signed_in(units)
    assert sum(await asyncio.gather(*(end_of(units, session.user_id, session.id) for _ in range(20)))) == 1


async def another_password(units: Units, user_id: UUID, *, moving: UUID) -> None:
    async with units.account_keeping() as unit:
        credential = await unit.accounts.hold(user_id)
        assert credential is not None
        await unit.accounts.replace(credential, HASH, NOW)
        await unit.sessions.move(moving, credential.version + 1)
        await unit.commit()


async def test_a_session_that_is_moved_goes_on_under_the_newer_version_and_the_others_do_not(units: Units) -> None:
    user = await settle_in(units, a_user())
    session, left_behind = await signed_in(units, user), await signed_in(units, user)
    await another_password(units, user.id, moving=session.id)
    assert await find(units, session.id) == (replace(session, credential_version=2), user)
    assert await find(units, left_behind.id) is None
    assert await advance(units, successor_of(session))
    assert not await advance(units, successor_of(left_behind))


async def test_moving_a_session_that_is_gone_is_no_error_and_revives_nothing(units: Units) -> None:
    session = await signed_in(units)
    assert await end_of(units, session.user_id, session.id)
    await another_password(units, session.user_id, moving=session.id)
    assert await find(units, session.id) is None


async def test_fifty_refreshes_and_a_change_of_password_leave_one_successor_under_the_new_version(
    units: Units,
) -> None:
    user = await settle_in(units, a_user())
    session = await signed_in(units, user)
    refreshes = [advance(units, successor_of(session)) for _ in range(50)]
    *outcomes, _ = await asyncio.gather(*refreshes, another_password(units, user.id, moving=session.id))
    found = await find(units, session.id)
    assert found is not None
    assert (found[0].credential_version, found[0].counter) == (2, sum(map(bool, outcomes)))


# -- One's own --


async def own(units: Units, user_id: UUID, now: datetime = NOW) -> list[Session]:
    async with units.own_reading() as unit:
        return await unit.sessions.of_user(user_id, now)


async def test_everybody_sees_their_own_sessions_last_seen_first_with_every_field(units: Units) -> None:
    user, other = await settle_in(units, a_user()), await settle_in(units, a_user())
    sessions = [
        replace(a_session(user.id, transport=Transport.TOKEN, remember=False), last_seen_at=NOW + TICK * moment)
        for moment in (2, 0, 3, 1)
    ]
    for session in (*sessions, a_session(other.id)):
        assert await keep_session(units, session)
    assert await own(units, user.id) == [sessions[2], sessions[0], sessions[3], sessions[1]]
    assert await own(units, uuid4()) == []


async def test_sessions_seen_at_the_same_moment_are_always_shown_in_the_same_order(units: Units) -> None:
    user = await settle_in(units, a_user())
    sessions = [await signed_in(units, user) for _ in range(10)]
    assert await own(units, user.id) == sorted(sessions, key=lambda session: session.id)


async def test_a_session_is_shown_until_either_expiry_and_not_then(units: Units) -> None:
    user = await settle_in(units, a_user())
    idle = a_session(user.id, lifetimes=SessionLifetimes(idle=HOUR))
    outlived = replace(a_session(user.id), absolute_expires_at=NOW + HOUR, last_seen_at=NOW - TICK)
    for session in (idle, outlived):
        await keep_session(units, session)
    assert await own(units, user.id, NOW + HOUR - TICK) == [idle, outlived]
    assert await own(units, user.id, NOW + HOUR) == []


async def test_a_session_of_an_older_version_is_not_shown(units: Units) -> None:
    user = await settle_in(units, a_user())
    session, _ = await signed_in(units, user), await signed_in(units, user)
    await another_password(units, user.id, moving=session.id)
    assert await own(units, user.id) == [replace(session, credential_version=2)]


async def test_nobody_who_is_disabled_has_sessions_to_show(units: Units) -> None:
    user = await settle_in(units, a_user())
    session = await signed_in(units, user)
    for disabled_at, shown in ((NOW, []), (None, [session])):
        async with units.account_keeping() as unit:
            held = await unit.users.hold(user.id)
            assert held is not None
            assert await unit.users.save(replace(held, disabled_at=disabled_at))
            await unit.commit()
        assert await own(units, user.id) == shown


async def test_a_seed_is_in_no_repr(units: Units) -> None:
    session = await signed_in(units)
    assert repr(session.seed) not in repr(await find(units, session.id))
