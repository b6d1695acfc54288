"""Connections to PostgreSQL: closed, killed, silent, too few; each is `Unavailable` at worst, once, and replaced."""

import asyncio
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack
from datetime import timedelta
from pathlib import Path

import pytest

from adapters.sql import postgresql as module
from adapters.sql import short_road
from adapters.sql.postgresql import PostgresqlDatabase
from domain.errors import Unavailable
from tests.support.postgresql import fresh_database, open_database
from tests.support.postgresql_roads import (
    SOON,
    WRITES,
    Way,
    blocked,
    close_behind_our_back,
    connections,
    each_way,
    locked,
    outside,
    proof_reading,
    quick_read,
    sign_up,
    spend,
    wire_to,
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
@pytest.mark.parametrize("pooled", [False, True], ids=["direct", "behind a pooler"])
async def test_an_idle_connection_that_is_closed_behind_our_back_is_replaced_and_nobody_notices(
    url: str, way: Way, pooled: bool
) -> None:
    async with open_database(url, pooled=pooled) as database:
        for _ in range(3):
            await asyncio.gather(*(way(database) for _ in range(5)))
            await close_behind_our_back(url)
        await way(database)


async def test_a_connection_killed_in_mid_statement_is_one_unavailable(url: str, database: PostgresqlDatabase) -> None:
    async with locked(url, "sign_ups"), locked(url, "sessions"), locked(url, "limits"):
        caught = [asyncio.create_task(way(database)) for way in (sign_up, proof_reading, quick_read, spend)]
        await blocked(url, 4)
        await close_behind_our_back(url)
        outcomes = await asyncio.gather(*caught, return_exceptions=True)
    assert [type(outcome) for outcome in outcomes] == [Unavailable] * 4
    for way in (sign_up, proof_reading, quick_read, spend):
        await way(database)
    assert await outside(url, "SELECT count(*) FROM ostiary.sign_ups") == [(1,)], "the killed one left nothing"


@each_way
async def test_connections_that_a_firewall_forgot_in_a_pause_are_replaced_before_they_are_relied_on(
    url: str, tmp_path: Path, way: Way, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No network tells; so after a pause we ask first, and do not wait long for the answer."""
    monkeypatch.setattr(module, "_ASK_AFTER_SECONDS", 0.05)
    monkeypatch.setattr(short_road, "_IDLE_SECONDS", 0.05)
    async with wire_to(url, tmp_path) as (wire, over_wire), open_database(over_wire) as database:
        await asyncio.gather(*(way(database) for _ in range(3)))
        wire.forget()
        await asyncio.sleep(0.1)
        started = time.monotonic()
        await asyncio.gather(*(way(database) for _ in range(3)))
        assert time.monotonic() - started < 4, "less than one that is silent from the start is given"


@each_way
async def test_connections_that_fall_silent_while_they_are_used_are_unavailable_once_each(
    url: str, tmp_path: Path, way: Way
) -> None:
    async with (
        wire_to(url, tmp_path) as (wire, over_wire),
        open_database(over_wire, patience=SOON, statement_timeout=SOON) as database,
    ):
        await way(database)
        wire.forget()
        started = time.monotonic()
        with pytest.raises(Unavailable):
            await way(database)
        await way(database)
        assert time.monotonic() - started < 4


@each_way
async def test_who_waits_too_long_for_a_connection_is_told_unavailable_and_the_next_is_served(
    url: str, way: Way
) -> None:
    async with open_database(url, connections=2, patience=SOON) as database:
        async with locked(url, "sign_ups"), locked(url, "sessions"), locked(url, "limits"):
            holding = asyncio.create_task(way(database))
            await blocked(url, 1)
            started = time.monotonic()
            with pytest.raises(Unavailable):
                await way(database)
            assert SOON.total_seconds() * 0.5 < time.monotonic() - started < 1.5
        await asyncio.gather(holding, return_exceptions=True)
        await asyncio.gather(*(way(database) for _ in range(5)))
        assert await connections(url) <= 2


@pytest.mark.parametrize("pooled", [False, True], ids=["direct", "behind a pooler"])
async def test_there_are_never_more_connections_than_said(url: str, pooled: bool) -> None:
    async with open_database(url, connections=4, pooled=pooled) as database:
        await asyncio.gather(*(way(database) for way in (*WRITES, proof_reading, quick_read) for _ in range(10)))
        assert 0 < await every_connection(url) <= 4
    assert await every_connection(url) == 0


async def every_connection(url: str) -> int:
    others = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
    ((count,),) = await outside(url, others)
    return int(count)


@each_way
async def test_a_request_that_is_given_up_gives_its_connection_back(url: str, way: Way) -> None:
    async with open_database(url, connections=2, patience=timedelta(seconds=2)) as database:
        await way(database)
        for _ in range(5):
            async with AsyncExitStack() as stack:
                for table in ("sign_ups", "limits", "installation", "sessions"):
                    await stack.enter_async_context(locked(url, table))
                task = asyncio.create_task(way(database))
                await blocked(url, 1)
                task.cancel()
                with pytest.raises(asyncio.CancelledError):
                    await task
        await way(database)
        await asyncio.gather(*(way(database) for _ in range(5)))
