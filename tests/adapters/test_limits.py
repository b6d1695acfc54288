"""The contract of `application.ports.limits.Limits`, on every store, alone and within a unit of work."""

import asyncio
import subprocess
import sys
from collections.abc import Sequence
from contextlib import AsyncExitStack
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import func, select

from adapters.sql.limits import SqlLimits
from adapters.sql.tables import limits as limits_table
from application.ports.limits import Limits
from application.ports.units_of_work import Units
from domain.errors import RateLimited
from domain.limits import Charge, Unit
from tests.support.store_kinds import LIMITS_KEY, StoreUnderTest, fresh_file, open_database, over
from tests.support.store_samples import HOUR, NOW, SECOND, TICK, charge


class LimitsInUnits:
    """The limits that Delivery holds, each call in a unit that is committed: one contract, two adapters."""

    def __init__(self, units: Units) -> None:
        self._units = units

    async def spend(self, charges: Sequence[Charge], now: datetime) -> list[Unit]:
        async with self._units.delivery() as unit:
            taken = await unit.limits.spend(charges, now)
            await unit.commit()
        return taken

    async def give_back(self, units: Sequence[Unit]) -> None:
        async with self._units.delivery() as unit:
            await unit.limits.give_back(units)
            await unit.commit()


@pytest.fixture(params=["alone", "in a unit"])
async def limits(request: pytest.FixtureRequest, store: StoreUnderTest) -> Limits:
    return store.limits if request.param == "alone" else LimitsInUnits(store.units)


async def grants(limits: Limits, *charges: Charge, now: datetime = NOW) -> bool:
    try:
        await limits.spend(charges, now)
    except RateLimited:
        return False
    return True


async def fill(units: Units, charge: Charge, count: int, now: datetime = NOW) -> list[Unit]:
    """Take that many units, in one transaction because a hundred of them take their time."""
    async with units.delivery() as unit:
        taken = [(await unit.limits.spend([charge], now))[0] for _ in range(count)]
        await unit.commit()
    return taken


async def how_many(units: Units, charge: Charge, now: datetime = NOW) -> int:
    """How many more are granted."""
    granted = 0
    async with units.delivery() as unit:
        while await grants(unit.limits, charge, now=now):
            granted += 1
        await unit.commit()
    return granted


async def refusal(limits: Limits, *charges: Charge, now: datetime = NOW) -> RateLimited:
    with pytest.raises(RateLimited) as caught:
        await limits.spend(charges, now)
    return caught.value


@pytest.mark.parametrize("count", [1, 2, 5, 100])
async def test_exactly_the_quota_is_granted_at_one_instant(limits: Limits, count: int) -> None:
    assert [await grants(limits, charge("ada", count)) for _ in range(count + 3)] == [True] * count + [False] * 3


@pytest.mark.parametrize("count", [101, 102])
async def test_exactly_the_quota_is_granted_at_one_instant_where_it_is_paced(
    units: Units, limits: Limits, count: int
) -> None:
    await fill(units, charge("ada", count), count - 2)
    assert [await grants(limits, charge("ada", count)) for _ in range(4)] == [True, True, False, False]


async def test_a_unit_falls_free_a_whole_window_after_it_was_taken_and_not_a_microsecond_earlier(
    units: Units,
    limits: Limits,
) -> None:
    await fill(units, charge("ada", 2), 2)
    assert not await grants(limits, charge("ada", 2), now=NOW + HOUR - TICK)
    assert [await grants(limits, charge("ada", 2), now=NOW + HOUR) for _ in range(3)] == [True, True, False]


async def test_the_window_slides_and_does_not_restart_at_an_edge(limits: Limits) -> None:
    for minutes in (0, 50, 55):
        assert await grants(limits, charge("ada", 3), now=NOW + timedelta(minutes=minutes))
    seen = [await grants(limits, charge("ada", 3), now=NOW + timedelta(minutes=m)) for m in (59, 60, 61, 109, 110, 111)]
    assert seen == [False, True, False, False, True, False]


async def test_in_no_stretch_of_one_window_is_more_than_the_quota_granted(limits: Limits) -> None:
    moments = [NOW + timedelta(minutes=step * 7 % 240 + step // 240) for step in range(0, 240, 3)]
    granted = [moment for moment in sorted(moments) if await grants(limits, charge("ada", 4), now=moment)]
    assert len(granted) >= 12
    for moment in granted:
        assert sum(moment <= other < moment + HOUR for other in granted) <= 4


async def test_a_refusal_costs_nothing_however_often_it_is_repeated(units: Units, limits: Limits) -> None:
    await fill(units, charge("ada", 2), 2)
    for minute in range(59):
        assert not await grants(limits, charge("ada", 2), now=NOW + timedelta(minutes=minute))
    assert await grants(limits, charge("ada", 2), now=NOW + HOUR)


async def test_a_limit_without_a_quota_takes_nothing_and_refuses_nothing(limits: Limits) -> None:
    assert await limits.spend([charge("ada", None)] * 3, NOW) == []
    assert [unit.limit for unit in await limits.spend([charge("a", None, name="off"), charge("a", 1)], NOW)] == [
        "tries"
    ]


async def test_nothing_asked_is_nothing_taken(limits: Limits) -> None:
    assert await limits.spend([], NOW) == []
    await limits.give_back([])


async def test_keys_and_limits_are_apart_from_each_other(limits: Limits) -> None:
    assert await grants(limits, charge("ada", 1))
    assert await grants(limits, charge("grace", 1))
    assert await grants(limits, charge("ada", 1, name="other"))
    assert await grants(limits, charge("Ada", 1))
    assert not await grants(limits, charge("ada", 1))


@pytest.mark.parametrize("key", ["", "x" * 10_000, "ünï 🦊", "' OR 1=1 --", "a\x00b", "% _ \\"])
async def test_any_text_is_a_key(limits: Limits, key: str) -> None:
    assert await grants(limits, charge(key, 1))
    assert not await grants(limits, charge(key, 1))
    assert await grants(limits, charge(key + "!", 1))


async def test_one_unit_of_each_is_taken_and_said_in_the_order_asked(limits: Limits) -> None:
    asked = [charge("k", 3, name=name) for name in ("zeta", "alpha", "mid")]
    assert [unit.limit for unit in await limits.spend(asked, NOW)] == ["zeta", "alpha", "mid"]


async def test_when_one_key_refuses_the_others_keep_their_units(limits: Limits) -> None:
    free = [charge("free", 1, name=name) for name in ("first", "last")]
    full = charge("full", 1, name="middle")
    await limits.spend([full], NOW)
    refused = await refusal(limits, free[0], full, free[1])
    assert refused.limit == "middle"
    assert await grants(limits, *free)


async def test_when_a_paced_key_refuses_the_exact_ones_keep_their_units_and_the_other_way_round(
    units: Units, limits: Limits
) -> None:
    await fill(units, charge("paced", 101), 101)
    assert not await grants(limits, charge("exact", 1), charge("paced", 101))
    assert await grants(limits, charge("exact", 1))
    await fill(units, charge("other", 101), 100)
    assert not await grants(limits, charge("other", 101), charge("exact", 1))
    assert await grants(limits, charge("other", 101))


@pytest.mark.parametrize("position", range(5))
async def test_exactly_one_unit_is_given_back_wherever_it_stands(limits: Limits, position: int) -> None:
    taken = [(await limits.spend([charge("ada", 5)], NOW + SECOND * step))[0] for step in range(5)]
    await limits.give_back([taken[position]])
    later = NOW + SECOND * 5
    assert [await grants(limits, charge("ada", 5), now=later) for _ in range(2)] == [True, False]
    stay = [step for step in range(5) if step != position]
    assert not await grants(limits, charge("ada", 5), now=NOW + SECOND * stay[0] + HOUR - TICK)
    assert await grants(limits, charge("ada", 5), now=NOW + SECOND * stay[0] + HOUR)


async def test_a_unit_of_a_paced_limit_is_given_back_once(units: Units, limits: Limits) -> None:
    taken = await fill(units, charge("ada", 101), 101)
    await limits.give_back([taken[50]])
    assert [await grants(limits, charge("ada", 101)) for _ in range(2)] == [True, False]


async def test_a_unit_of_an_exact_limit_given_back_twice_is_one_unit(units: Units, limits: Limits) -> None:
    taken = await fill(units, charge("ada", 5), 5)
    await limits.give_back([taken[0]])
    await limits.give_back([taken[0]])
    assert [await grants(limits, charge("ada", 5)) for _ in range(2)] == [True, False]


@pytest.mark.parametrize("count", [5, 101], ids=["exact", "paced"])
async def test_several_units_of_one_key_given_back_together_are_all_given_back(
    units: Units, limits: Limits, count: int
) -> None:
    taken = await fill(units, charge("ada", count), count)
    await limits.give_back(taken[:2])
    assert [await grants(limits, charge("ada", count)) for _ in range(3)] == [True, True, False]


async def test_units_of_several_keys_are_given_back_together(limits: Limits) -> None:
    asked = [charge("ada", 1, name=name) for name in ("one", "two", "three")]
    taken = await limits.spend(asked, NOW)
    await limits.give_back(taken[:2])
    assert [await grants(limits, each) for each in asked] == [True, True, False]


async def test_unknown_units_are_ignored(limits: Limits) -> None:
    (unit,) = await limits.spend([charge("ada", 1)], NOW)
    await limits.give_back([Unit("tries", b"nobody", unit.stamp), Unit("tries", unit.key, "x" * 21)])
    assert not await grants(limits, charge("ada", 1))


async def test_a_unit_that_has_left_its_window_gives_nothing_back(limits: Limits) -> None:
    (old,) = await limits.spend([charge("ada", 1)], NOW)
    assert await grants(limits, charge("ada", 1), now=NOW + HOUR)
    await limits.give_back([old])
    assert not await grants(limits, charge("ada", 1), now=NOW + HOUR)


async def test_a_unit_of_a_paced_limit_that_has_left_its_window_gives_nothing_back(
    units: Units, limits: Limits
) -> None:
    (old, *_) = await fill(units, charge("ada", 101), 101)
    await fill(units, charge("ada", 101), 101, now=NOW + HOUR)
    await limits.give_back([old])
    assert not await grants(limits, charge("ada", 101), now=NOW + HOUR)


async def test_of_several_that_are_used_up_the_one_to_wait_for_longest_is_named(limits: Limits) -> None:
    short, long = charge("ada", 1, SECOND, name="short"), charge("ada", 1, HOUR, name="long")
    other = charge("ada", 1, HOUR * 2, name="address", client=False)
    await limits.spend([short, long, other], NOW)
    for asked in ([short, long], [long, short]):
        refused = await refusal(limits, *asked, now=NOW + SECOND / 2)
        assert (refused.limit, refused.retry_after) == ("long", HOUR - SECOND / 2)
    refused = await refusal(limits, long, other, short)
    assert (refused.limit, refused.retry_after, refused.policy) == ("address", HOUR * 2, None)
    assert await grants(limits, short, other, long, now=NOW + refused.retry_after)


async def test_two_units_taken_at_the_same_instant_are_told_apart(limits: Limits) -> None:
    first, second = [(await limits.spend([charge("ada", 2)], NOW))[0] for _ in range(2)]
    assert first != second
    await limits.give_back([first])
    await limits.give_back([second])
    assert [await grants(limits, charge("ada", 2)) for _ in range(3)] == [True, True, False]


async def test_a_client_is_told_exactly_when_the_next_unit_falls_free(limits: Limits) -> None:
    for minute in (0, 10, 20):
        await limits.spend([charge("ada", 3)], NOW + timedelta(minutes=minute))
    refused = await refusal(limits, charge("ada", 3), now=NOW + timedelta(minutes=30, microseconds=1))
    assert refused.retry_after == timedelta(minutes=30) - TICK
    assert refused.policy == (3, HOUR)
    assert refused.limit == "tries"


@pytest.mark.parametrize(("count", "window"), [(5, HOUR), (100, HOUR), (101, HOUR), (150, HOUR), (101, HOUR / 4)])
async def test_a_client_that_waits_as_told_gets_a_unit_and_a_little_earlier_none(
    units: Units, limits: Limits, count: int, window: timedelta
) -> None:
    await fill(units, charge("ada", count, window), count)
    refused = await refusal(limits, charge("ada", count, window), now=NOW + SECOND)
    told = NOW + SECOND + refused.retry_after
    assert not await grants(limits, charge("ada", count, window), now=told - timedelta(milliseconds=1))
    assert await grants(limits, charge("ada", count, window), now=told)


@pytest.mark.parametrize("count", [3, 101], ids=["exact", "paced"])
async def test_whoever_asks_about_an_address_is_told_the_whole_window_and_no_numbers(
    units: Units, limits: Limits, count: int
) -> None:
    await fill(units, charge("ada", count, client=False), count)
    for moment in (NOW, NOW + SECOND, NOW + timedelta(seconds=30)):
        refused = await refusal(limits, charge("ada", count, client=False), now=moment)
        assert refused.retry_after == HOUR
        assert refused.policy is None


async def test_a_quota_that_was_lowered_holds_at_once(limits: Limits) -> None:
    for minute in range(4):
        await limits.spend([charge("ada", 5)], NOW + timedelta(minutes=minute))
    assert not await grants(limits, charge("ada", 3), now=NOW + timedelta(minutes=4))
    assert not await grants(limits, charge("ada", 3), now=NOW + timedelta(minutes=60))
    assert await grants(limits, charge("ada", 3), now=NOW + timedelta(minutes=61))


async def test_a_quota_that_was_raised_grants_the_difference(units: Units, limits: Limits) -> None:
    await fill(units, charge("ada", 3), 3)
    assert not await grants(limits, charge("ada", 3))
    assert [await grants(limits, charge("ada", 5)) for _ in range(3)] == [True, True, False]


async def test_a_quota_that_was_lowered_and_raised_again_forgets_nothing_it_needs(units: Units, limits: Limits) -> None:
    await fill(units, charge("ada", 5), 5)
    assert not await grants(limits, charge("ada", 2))
    assert not await grants(limits, charge("ada", 5))


async def test_a_quota_that_was_raised_from_exact_to_paced_or_lowered_back_holds_from_then_on(
    units: Units, limits: Limits
) -> None:
    await fill(units, charge("ada", 5), 5)
    assert 0 < await how_many(units, charge("ada", 101)) <= 101
    assert await how_many(units, charge("ada", 5)) <= 5
    assert not await grants(limits, charge("ada", 5))


async def test_a_window_that_was_shortened_counts_by_the_new_one(limits: Limits) -> None:
    await limits.spend([charge("ada", 1, HOUR)], NOW)
    assert not await grants(limits, charge("ada", 1, SECOND), now=NOW + SECOND - TICK)
    assert await grants(limits, charge("ada", 1, SECOND), now=NOW + SECOND)


async def test_a_client_is_told_the_wait_under_a_quota_that_was_lowered(limits: Limits) -> None:
    for minute in range(4):
        await limits.spend([charge("ada", 5)], NOW + timedelta(minutes=minute))
    refused = await refusal(limits, charge("ada", 2), now=NOW + timedelta(minutes=4))
    assert refused.retry_after == timedelta(minutes=58)


@pytest.mark.parametrize("count", [5, 101], ids=["exact", "paced"])
async def test_of_many_who_spend_at_once_exactly_the_quota_is_granted(units: Units, limits: Limits, count: int) -> None:
    await fill(units, charge("ada", count), count - 5)
    assert sum(await asyncio.gather(*(grants(limits, charge("ada", count)) for _ in range(50)))) == 5


async def test_requests_that_share_keys_in_different_order_all_get_an_answer(limits: Limits) -> None:
    keys = [charge("k", 1000, name=name) for name in "abcdef"]
    orders = [keys[step % 6 :] + keys[: step % 6] for step in range(30)]
    assert all(await asyncio.gather(*(grants(limits, *order) for order in orders)))


async def test_units_spent_within_a_unit_of_work_are_taken_with_its_commit_and_not_without(units: Units) -> None:
    async with units.delivery() as unit:
        assert len(await unit.limits.spend([charge("ada", 1)], NOW)) == 1
    async with units.delivery() as unit:
        assert len(await unit.limits.spend([charge("ada", 1)], NOW)) == 1
        await unit.commit()
    async with units.delivery() as unit:
        with pytest.raises(RateLimited):
            await unit.limits.spend([charge("ada", 1)], NOW)


async def test_a_refusal_within_a_unit_of_work_does_not_undo_what_else_the_unit_does(units: Units) -> None:
    async with units.delivery() as unit:
        await unit.limits.spend([charge("ada", 1)], NOW)
        await unit.commit()
    async with units.delivery() as unit:
        with pytest.raises(RateLimited):
            await unit.limits.spend([charge("ada", 1)], NOW)
        await unit.limits.spend([charge("grace", 1)], NOW)
        await unit.commit()
    async with units.delivery() as unit:
        with pytest.raises(RateLimited):
            await unit.limits.spend([charge("grace", 1)], NOW)


async def test_limits_alone_and_in_a_unit_count_together(store: StoreUnderTest) -> None:
    await store.limits.spend([charge("ada", 1)], NOW)
    async with store.units.delivery() as unit:
        with pytest.raises(RateLimited):
            await unit.limits.spend([charge("ada", 1)], NOW)


async def test_fifty_at_once_over_two_databases_on_one_sqlite_file_get_exactly_five(tmp_path: Path) -> None:
    file = fresh_file(tmp_path)
    async with AsyncExitStack() as stack:
        databases = [await stack.enter_async_context(open_database(file)) for _ in range(2)]
        both = [SqlLimits(database, LIMITS_KEY) for database in databases]
        tries = await asyncio.gather(*(grants(both[step % 2], charge("ada", 5)) for step in range(50)))
    assert sum(tries) == 5


def test_fifty_at_once_over_two_processes_on_one_sqlite_file_get_exactly_five(tmp_path: Path) -> None:
    file = fresh_file(tmp_path)
    command = [sys.executable, "-m", "tests.support.store_spender", str(file), "25", "5"]
    root = Path(__file__).parents[2]
    processes = [
        subprocess.Popen(command, cwd=root, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) for _ in range(2)
    ]
    for process in processes:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
    answers = []
    for process in processes:
        assert process.stdin is not None
        process.stdin.write("go\n")
        process.stdin.flush()
    for process in processes:
        output, _ = process.communicate(timeout=30)
        answers.append(int(output))
    assert sum(answers) == 5


async def test_a_sqlite_file_holds_neither_the_key_nor_the_limits_name(tmp_path: Path) -> None:
    file = fresh_file(tmp_path)
    async with open_database(file) as database:
        await SqlLimits(database, LIMITS_KEY).spend([charge("ada@example.com", 5, name="sign_in_pair")], NOW)
        async with database.reading() as connection:
            assert len((await connection.execute(select(limits_table))).all()) == 1
    stored = everything_in(tmp_path)
    assert b"ada@example" not in stored
    assert b"sign_in_pair" not in stored


def everything_in(folder: Path) -> bytes:
    return b"".join(path.read_bytes() for path in folder.iterdir())


async def test_the_same_key_under_another_installations_key_is_another_row(tmp_path: Path) -> None:
    async with open_database(fresh_file(tmp_path)) as database:
        assert await grants(SqlLimits(database, b"a" * 32), charge("ada", 1))
        assert await grants(SqlLimits(database, b"b" * 32), charge("ada", 1))


async def test_a_quota_above_a_hundred_is_paced_a_unit_falls_free_at_every_even_step(tmp_path: Path) -> None:
    async with open_database(fresh_file(tmp_path)) as database:
        units, step = over(database).units, timedelta(seconds=18)  # 200 an hour
        assert await how_many(units, charge("ada", 200)) == 200
        assert await how_many(units, charge("ada", 200), NOW + step - TICK) == 0
        assert await how_many(units, charge("ada", 200), NOW + step) == 1
        assert await how_many(units, charge("ada", 200), NOW + step * 11) == 10
        assert await how_many(units, charge("ada", 200), NOW + HOUR * 9) == 200


async def test_over_many_windows_a_paced_limit_is_as_strict_as_its_quota_and_one_burst(tmp_path: Path) -> None:
    async with open_database(fresh_file(tmp_path)) as database:
        units, window = over(database).units, timedelta(seconds=101)
        granted = [await how_many(units, charge("ada", 101, window), NOW + SECOND * at) for at in range(0, 202, 5)]
    assert sum(granted) == 101 + 200


async def test_a_row_never_holds_more_instants_than_its_quota(tmp_path: Path) -> None:
    longest = select(func.max(func.length(limits_table.c.stamps)))
    async with open_database(fresh_file(tmp_path)) as database:
        alone = SqlLimits(database, LIMITS_KEY)
        (unit,) = await alone.spend([charge("ada", 1)], NOW)
        for step in range(1, 20):
            await alone.spend([charge("ada", 3, SECOND)], NOW + SECOND * step)
        async with database.reading() as connection:
            assert await connection.scalar(longest) == 3 * len(unit.stamp)
