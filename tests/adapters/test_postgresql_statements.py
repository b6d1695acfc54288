"""Statements on PostgreSQL: too slow, refused, in each other's way; `Unavailable`, and nothing half written."""

import asyncio
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack
from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

import pytest
from sqlalchemy import select, text
from sqlalchemy.exc import IntegrityError

from adapters.sql import postgresql as module
from adapters.sql.installation import installation_key
from adapters.sql.postgresql import PostgresqlDatabase
from adapters.sql.tables import sign_ups
from domain.errors import Unavailable
from domain.retention import Retention
from tests.support.postgresql import fresh_database, open_database, run
from tests.support.postgresql_roads import (
    CANARY,
    OURS,
    SOON,
    Way,
    each_way,
    each_write,
    everything_said_about,
    locked,
    outside,
    proof_reading,
    quick_read,
    sign_up,
    until,
)
from tests.support.store_kinds import over
from tests.support.store_samples import (
    HOUR,
    NOW,
    a_letter,
    a_session,
    a_sign_up,
    a_user,
    keep_session,
    queue,
    settle_in,
    wait_in_line,
)


@pytest.fixture
def url() -> Iterator[str]:
    with fresh_database() as fresh:
        yield fresh


@pytest.fixture
async def database(url: str) -> AsyncIterator[PostgresqlDatabase]:
    async with open_database(url) as opened:
        yield opened


@each_way
async def test_a_statement_that_takes_too_long_is_unavailable_and_holds_nobody_up(url: str, way: Way) -> None:
    async with open_database(url, statement_timeout=SOON) as database:
        await way(database)
        async with AsyncExitStack() as stack:
            for table in ("sign_ups", "limits", "installation", "sessions"):
                await stack.enter_async_context(locked(url, table))
            started = time.monotonic()
            with pytest.raises(Unavailable):
                await way(database)
            assert time.monotonic() - started < 2
        await way(database)


@each_way
async def test_the_same_behind_a_pooler_that_takes_no_settings(url: str, way: Way) -> None:
    async with open_database(url, statement_timeout=SOON, pooled=True) as database:
        async with AsyncExitStack() as stack:
            for table in ("sign_ups", "limits", "installation", "sessions"):
                await stack.enter_async_context(locked(url, table))
            started = time.monotonic()
            with pytest.raises(Unavailable):
                await way(database)
            assert time.monotonic() - started < 3
        await way(database)


async def test_a_transaction_of_somebody_who_vanished_is_ended_and_its_locks_with_it(
    url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of a process that was frozen, or a machine that lost its power: the server would wait for hours."""
    monkeypatch.setattr(module, "_IDLE_TRANSACTION_SECONDS", 0.3)
    waiting = a_sign_up()

    async def vanish(vanished: PostgresqlDatabase, done: asyncio.Event) -> None:
        async with over(vanished).units.intake() as unit:
            await unit.sign_ups.add(waiting)
            await done.wait()
            await unit.commit()

    async with open_database(url) as vanished, open_database(url) as database:
        done = asyncio.Event()
        gone = asyncio.create_task(vanish(vanished, done))
        await until(lambda: idle_in_transaction(url), "the transaction to begin")
        await wait_in_line(over(database).units, waiting)
        done.set()
        with pytest.raises(Unavailable):
            await gone
    assert await outside(url, "SELECT count(*) FROM ostiary.sign_ups") == [(1,)]


async def idle_in_transaction(url: str) -> bool:
    return bool((await outside(url, f"SELECT count(*) {OURS} AND state = 'idle in transaction'"))[0][0])


@each_write
async def test_a_server_that_may_only_be_read_is_unavailable_to_writers(url: str, write: Way) -> None:
    """A hot standby, after a failover that the address has not followed; or a disk that is nearly full."""
    name = urlsplit(url).path.strip("/")
    await outside(url, f"ALTER DATABASE {name} SET default_transaction_read_only = on")
    async with open_database(url) as database:
        with pytest.raises(Unavailable):
            await write(database)
        await proof_reading(database)
        await quick_read(database)
        assert await database.answers(), "who is signed in can still be read"
    await outside(url, "SET default_transaction_read_only = off", f"ALTER DATABASE {name} RESET ALL")
    async with open_database(url) as database:
        await write(database)


async def test_of_two_that_wait_for_each_other_one_is_unavailable_and_leaves_nothing(
    database: PostgresqlDatabase, url: str
) -> None:
    one, other = a_sign_up(), a_sign_up()
    both_began = asyncio.Barrier(2)

    async def write(first: Any, second: Any) -> None:
        async with over(database).units.intake() as unit:
            await unit.sign_ups.add(first)
            await both_began.wait()
            await unit.sign_ups.add(second)
            await unit.commit()

    outcomes = await asyncio.gather(write(one, other), write(other, one), return_exceptions=True)
    assert {type(outcome) for outcome in outcomes} <= {Unavailable, IntegrityError, type(None)}
    assert Unavailable in {type(outcome) for outcome in outcomes}
    kept = await outside(url, "SELECT count(*) FROM ostiary.sign_ups")
    assert kept == [(2 * outcomes.count(None),)], "both rows of one, or nothing"
    await sign_up(database)


async def test_a_serialization_failure_is_unavailable_and_leaves_nothing(url: str) -> None:
    """Nothing of ours asks for that isolation; an administrator may."""
    name = urlsplit(url).path.strip("/")
    await outside(url, f"ALTER DATABASE {name} SET default_transaction_isolation = 'repeatable read'")
    waiting = a_sign_up()
    async with open_database(url) as database:
        await wait_in_line(over(database).units, waiting)

        async def overtaken() -> None:
            async with over(database).units.intake() as slow:
                await slow.sign_ups.add(a_sign_up())
                await outside(url, "UPDATE ostiary.sign_ups SET name = 'Changed meanwhile'")
                await slow.sign_ups.delete_waiting(waiting.email, keep=uuid4())
                await slow.commit()

        with pytest.raises(Unavailable):
            await overtaken()
        await sign_up(database)
    assert await outside(url, "SELECT count(*) FROM ostiary.sign_ups") == [(2,)]


async def test_a_transaction_that_fails_is_not_in_the_way_of_the_next(url: str) -> None:
    async with open_database(url, connections=2) as database:
        units, waiting = over(database).units, a_sign_up()
        await wait_in_line(units, waiting)
        for _ in range(3):
            with pytest.raises(IntegrityError):
                await wait_in_line(units, a_sign_up(), waiting)
        await wait_in_line(units, a_sign_up())
    assert await outside(url, "SELECT count(*) FROM ostiary.sign_ups") == [(2,)]


async def test_a_foreign_key_is_kept(database: PostgresqlDatabase) -> None:
    async with database.writing() as transaction:
        with pytest.raises(IntegrityError):
            await transaction.connection.execute(
                text(
                    "INSERT INTO ostiary.accounts "
                    "VALUES (gen_random_uuid(), gen_random_uuid(), 'credential', 'x', 1, now(), now())"
                )
            )


async def test_an_error_message_carries_no_parameters(url: str) -> None:
    async with open_database(url, statement_timeout=SOON) as database:
        async with locked(url, "sign_ups"):
            with pytest.raises(Unavailable) as unavailable:
                await sign_up(database)
        twice = a_sign_up(email=CANARY)
        with pytest.raises(IntegrityError) as mistake:
            await wait_in_line(over(database).units, twice, twice)
        await outside(url, "ALTER TABLE ostiary.users ADD CHECK (name <> 'Ada')")
        with pytest.raises(IntegrityError) as check:
            await settle_in(over(database).units, a_user(email=CANARY))
        await outside(url, "DROP TABLE ostiary.users CASCADE")
        with pytest.raises(Unavailable) as gone:
            await settle_in(over(database).units, a_user(email=CANARY))
    for caught in (unavailable, mistake, check, gone):
        assert CANARY.local_part not in everything_said_about(caught.value)


async def test_the_installation_key_is_whoevers_came_first_and_stays(url: str) -> None:
    async with open_database(url) as one, open_database(url) as other:
        fresh = [bytes([number]) * 32 for number in range(8)]
        keys = await asyncio.gather(
            *(installation_key((one, other)[number % 2], each) for number, each in enumerate(fresh))
        )
        assert len(set(keys)) == 1
        assert keys[0] in fresh
        assert await installation_key(one, b"x" * 32) == keys[0]


async def test_what_is_durable_is_not_ours_to_weaken(database: PostgresqlDatabase) -> None:
    async with database.writing() as transaction:
        assert await transaction.connection.scalar(text("SHOW synchronous_commit")) == "on"
        assert await transaction.connection.scalar(text("SHOW transaction_isolation")) == "read committed"
        assert await transaction.connection.scalar(select(sign_ups.c.id)) is None


async def test_no_more_rows_are_taken_than_asked_for_however_the_server_goes_about_it(url: str) -> None:
    """A subquery with a limit may be run again for each row: here the server has no other plan left."""
    plans = ("hashjoin", "mergejoin", "hashagg", "material", "sort", "memoize", "indexscan", "bitmapscan")
    await asyncio.to_thread(
        run, url, *(f'ALTER DATABASE "{urlsplit(url).path[1:]}" SET enable_{plan} = off' for plan in plans)
    )
    async with open_database(url) as database:
        store = over(database)
        await wait_in_line(store.units, *(a_sign_up(expires_at=NOW) for _ in range(7)))
        await queue(store.units, *(a_letter() for _ in range(7)))
        assert (await store.purge(NOW, 3, Retention()))["sign_ups"] == 3
        async with store.units.delivery() as unit:
            assert len(await unit.letters.lease(uuid4(), NOW + HOUR, 3)) == 3
        user = await settle_in(store.units, a_user())
        for _ in range(7):
            await keep_session(store.units, a_session(user.id))
        async with store.units.administration() as unit:
            assert await unit.everybodys_sessions.end(3) == 3
