"""What limits cost in storage, whatever strangers do (SECURITY 2.6): docs/limits.md."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from adapters.sql.database import Database
from adapters.sql.tables import limits as limits_table
from domain.errors import RateLimited
from domain.retention import Retention
from tests.support import postgresql
from tests.support.store_kinds import StoreUnderTest, fresh_file, open_database, over
from tests.support.store_samples import HOUR, NOW, SECOND, charge

AT_ONCE = 500


async def test_of_any_number_of_spent_keys_nothing_is_left_when_their_window_has_passed(
    store: StoreUnderTest, request: pytest.FixtureRequest
) -> None:
    keys = int(request.config.getoption("--keys"))
    for start in range(0, keys, AT_ONCE):
        await store.limits.spend([charge(f"k{number}", 5) for number in range(start, start + AT_ONCE)], NOW)
    assert (await store.purge(NOW + HOUR - SECOND, keys, Retention()))["limits"] == 0
    purged = [(await store.purge(NOW + HOUR, 1000, Retention()))["limits"] for _ in range(keys // 1000 + 1)]
    assert purged == [1000] * (keys // 1000) + [0]


@pytest.fixture(params=["sqlite", "postgresql"])
async def database(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Database]:
    """An empty database of each kind in turn, whose rows can be looked at."""
    opened = open_database(fresh_file(tmp_path)) if request.param == "sqlite" else postgresql.open_database()
    async with opened as database:
        yield database


async def rows(database: Database) -> list[Any]:
    async with database.reading() as connection:
        return list((await connection.execute(select(limits_table))).all())


async def test_no_row_is_left_of_what_is_purged(database: Database) -> None:
    store = over(database)
    await store.limits.spend([charge(f"k{number}", 5) for number in range(AT_ONCE)], NOW)
    assert len(await rows(database)) == AT_ONCE
    await store.purge(NOW + HOUR, AT_ONCE, Retention())
    assert await rows(database) == []


@pytest.mark.parametrize("count", [1, 5, 100, 101, 500])
async def test_hammering_a_key_that_refuses_writes_nothing_and_keeps_nothing_alive(
    database: Database, count: int
) -> None:
    store = over(database)
    async with store.units.delivery() as unit:
        for _ in range(count):
            await unit.limits.spend([charge("ada", count)], NOW)
        await unit.commit()
    [full] = await rows(database)
    assert len(full.stamps) <= 21 * 100
    for step in range(30):
        with pytest.raises(RateLimited):
            await store.limits.spend([charge("ada", count)], NOW + SECOND / 100 * step)
    assert await rows(database) == [full]
    assert (await store.purge(NOW + HOUR, 10, Retention()))["limits"] == 1
