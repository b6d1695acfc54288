"""What limits cost in storage, whatever strangers do (SECURITY 2.6): docs/limits.md."""

from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select

from adapters.sql.limits import SqlLimits
from adapters.sql.tables import limits as limits_table
from domain.errors import RateLimited
from tests.support.store_kinds import LIMITS_KEY, StoreUnderTest, fresh_file, open_database, over
from tests.support.store_samples import HOUR, NOW, SECOND, charge

AT_ONCE = 500


async def test_of_any_number_of_spent_keys_nothing_is_left_when_their_window_has_passed(
    store: StoreUnderTest, request: pytest.FixtureRequest
) -> None:
    keys = int(request.config.getoption("--keys"))
    for start in range(0, keys, AT_ONCE):
        await store.limits.spend([charge(f"k{number}", 5) for number in range(start, start + AT_ONCE)], NOW)
    assert (await store.purge(NOW + HOUR - SECOND, keys))["limits"] == 0
    purged = [(await store.purge(NOW + HOUR, 1000))["limits"] for _ in range(keys // 1000 + 1)]
    assert purged == [1000] * (keys // 1000) + [0]


async def test_no_row_is_left_in_a_sqlite_file(tmp_path: Path) -> None:
    async with open_database(fresh_file(tmp_path)) as database:
        store = over(database)
        await store.limits.spend([charge(f"k{number}", 5) for number in range(AT_ONCE)], NOW)
        await store.purge(NOW + HOUR, AT_ONCE)
        async with database.reading() as connection:
            assert await connection.scalar(select(func.count()).select_from(limits_table)) == 0


@pytest.mark.parametrize("count", [1, 5, 100, 101, 5000])
async def test_hammering_a_key_that_refuses_writes_nothing_and_keeps_nothing_alive(tmp_path: Path, count: int) -> None:
    async with open_database(fresh_file(tmp_path)) as database:
        store = over(database)
        async with store.units.delivery() as unit:
            for _ in range(count):
                await unit.limits.spend([charge("ada", count)], NOW)
            await unit.commit()
        alone = SqlLimits(database, LIMITS_KEY)

        async def row() -> Any:
            async with database.reading() as connection:
                return (await connection.execute(select(limits_table))).one()

        full = await row()
        assert len(full.stamps) <= 21 * 100
        for step in range(30):
            with pytest.raises(RateLimited):
                await alone.spend([charge("ada", count)], NOW + SECOND / 100 * step)
        assert await row() == full
        assert (await store.purge(NOW + HOUR, 10))["limits"] == 1
