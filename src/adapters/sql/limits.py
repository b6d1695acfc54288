"""Exact sliding windows in one statement (DESIGN section 4, M7).

A quota of up to 100 keeps the instants at which its last units were taken, as fixed-width text, oldest first: a unit
is granted when fewer than the quota are there, or the oldest of the last `quota` is out of the window. A larger quota
keeps one number instead, the time its next unit is due at an even pace (GCRA): as strict on the average, and cheap.
"""

import hmac
import secrets
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from functools import cache

from sqlalchemy import ColumnElement, Update, and_, bindparam, case, func, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.sql.dml import ReturningInsert

from adapters.sql.database import Database
from adapters.sql.tables import limits
from adapters.sql.upsert import upsert_in
from domain.errors import RateLimited
from domain.limits import Charge, Limit, Quota, Unit

EXACT_UP_TO = 100
"""The largest quota whose every instant is kept."""

_DIGITS = 16
_WIDTH = _DIGITS + 5
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class UnitLimits:
    """`application.ports.limits.Limits` within a transaction that is already open."""

    def __init__(self, connection: AsyncConnection, key: bytes) -> None:
        self._connection = connection
        self._key = key

    async def spend(self, charges: Sequence[Charge], now: datetime) -> list[Unit]:
        asked = _asked(charges, self._key, now)
        if not asked:
            return []
        statement = _spending(self._connection.dialect.name, len(asked))
        granted = set((await self._connection.scalars(statement, _parameters(asked, now))).all())
        refusals = [await self._refusal(unit, limit, now) for unit, limit in asked.items() if unit.key not in granted]
        if refusals:
            raise max(refusals, key=lambda refusal: refusal.retry_after)
        return list(asked)

    async def give_back(self, units: Sequence[Unit]) -> None:
        if not units:
            return
        stamps = {unit.key: unit.stamp for unit in units}
        parameters: dict[str, object] = {}
        for number, (key, stamp) in enumerate(stamps.items()):
            parameters |= {f"key_{number}": key, f"stamp_{number}": stamp}
        await self._connection.execute(_giving_back(len(stamps)), parameters)
        # One statement returns one unit of each key; more of one key, which nobody asks for yet, take another.
        await self.give_back([unit for unit in units if stamps[unit.key] != unit.stamp])

    async def _refusal(self, unit: Unit, limit: Limit, now: datetime) -> RateLimited:
        assert limit.quota is not None  # noqa: S101 - only limits with a quota are charged
        window, count = limit.quota.window, limit.quota.count
        if not limit.per_client:
            # When strangers tried is nobody's business: an address key always says the whole window.
            return RateLimited(limit=limit.name, retry_after=window, policy=None)
        statement = select(limits.c.stamps, limits.c.due).where(limits.c.key == unit.key)
        stamps, due = (await self._connection.execute(statement)).one()
        if count > EXACT_UP_TO:
            free_at = due - _pace(limit.quota) * (count - 1)
        else:
            free_at = int(stamps[-count * _WIDTH :][:_DIGITS]) + _micros_of(window)
        wait = timedelta(microseconds=max(free_at - _micros(now), 0))
        return RateLimited(limit=limit.name, retry_after=wait, policy=(count, window))


class SqlLimits:
    """`application.ports.limits.Limits`, each call in a short transaction of its own."""

    def __init__(self, database: Database, key: bytes) -> None:
        self._database = database
        self._key = key

    async def spend(self, charges: Sequence[Charge], now: datetime) -> list[Unit]:
        asked = _asked(charges, self._key, now)
        if not asked:
            return []
        statement = _spending(self._database.dialect.name, len(asked))
        if await self._database.whole(statement, len(asked), _parameters(asked, now)):
            return list(asked)
        async with self._database.writing() as transaction:  # the same again, to see which of them refuses and why
            # A refusal leaves without commit, which gives back the units of the keys that did not refuse.
            units = await UnitLimits(transaction.connection, self._key).spend(charges, now)
            await transaction.commit()
        return units

    async def give_back(self, units: Sequence[Unit]) -> None:
        if not units:
            return
        async with self._database.writing() as transaction:
            await UnitLimits(transaction.connection, self._key).give_back(units)
            await transaction.commit()


def _asked(charges: Sequence[Charge], key: bytes, now: datetime) -> dict[Unit, Limit]:
    """The units to take."""
    return {_unit(charge, key, now): charge.limit for charge in charges if charge.limit.quota is not None}


def _unit(charge: Charge, key: bytes, now: datetime) -> Unit:
    """What is stored says neither whom it is about nor what: a keyed hash, and a stamp nobody else will have."""
    digest = hmac.digest(key, f"{charge.limit.name} {charge.key}".encode(), "sha256")
    nonce = "".join(secrets.choice("abcdefghijklmnop") for _ in range(_WIDTH - _DIGITS))
    return Unit(charge.limit.name, digest, f"{_micros(now):0{_DIGITS}}{nonce}")


@cache
def _spending(dialect: str, count: int) -> ReturningInsert[bytes]:
    """Takes a unit of each of so many keys where one is free, and returns the keys where one was."""
    insert = upsert_in(dialect, limits).values(
        [
            {column.name: bindparam(f"{column.name}_of_{number}", type_=column.type) for column in limits.c}
            for number in range(count)
        ]
    )
    pace, due = insert.excluded.pace, insert.excluded.due
    kept, quota = limits.c.stamps, insert.excluded.quota
    next_due = case((limits.c.due > due - pace, limits.c.due), else_=due - pace) + pace
    return insert.on_conflict_do_update(
        index_elements=[limits.c.key],
        set_={
            "quota": quota,
            "stamps": _last(kept, quota - 1).concat(insert.excluded.stamps),
            "cutoff": insert.excluded.cutoff,
            "due": case((quota > EXACT_UP_TO, next_due), else_=due),
            "pace": pace,
            "expires_at": insert.excluded.expires_at,
        },
        where=case(
            (quota > EXACT_UP_TO, next_due <= due - pace + pace * quota),
            else_=or_(
                func.length(kept) < quota * _WIDTH,
                func.substr(_last(kept, quota), 1, _DIGITS) <= insert.excluded.cutoff,
            ),
        ),
    ).returning(limits.c.key)


@cache
def _giving_back(count: int) -> Update:
    """Returns one unit of each of so many keys. Locked in order first, as whoever spends them does."""
    keys = [bindparam(f"key_{number}", type_=limits.c.key.type) for number in range(count)]
    stamps = [bindparam(f"stamp_{number}", type_=limits.c.stamps.type) for number in range(count)]
    in_order = select(limits.c.key).where(limits.c.key.in_(keys)).order_by(limits.c.key).with_for_update()
    stamp = case(*((limits.c.key == key, stamp) for key, stamp in zip(keys, stamps, strict=True)))
    # A unit of an even pace that had left its window when the next was taken is in that number no more.
    counts = and_(limits.c.quota > EXACT_UP_TO, func.substr(stamp, 1, _DIGITS) > limits.c.cutoff)
    return (
        update(limits)
        .where(limits.c.key.in_(in_order))
        .values(
            stamps=func.replace(limits.c.stamps, stamp, ""),
            due=case((counts, limits.c.due - limits.c.pace), else_=limits.c.due),
        )
    )


def _parameters(asked: Mapping[Unit, Limit], now: datetime) -> dict[str, object]:
    """Sorted, because two requests that lock the same keys in different order wait for each other for ever."""
    in_order = sorted(asked.items(), key=lambda item: item[0].key)
    rows = (_row(unit, limit.quota, now) for unit, limit in in_order if limit.quota is not None)
    return {f"{name}_of_{number}": value for number, row in enumerate(rows) for name, value in row.items()}


def _row(unit: Unit, quota: Quota, now: datetime) -> dict[str, object]:
    pace = _pace(quota)
    return {
        "key": unit.key,
        "quota": quota.count,
        "stamps": unit.stamp if quota.count <= EXACT_UP_TO else "",
        "cutoff": f"{_micros(now - quota.window):0{_DIGITS}}",
        "due": _micros(now) + pace,
        "pace": pace,
        "expires_at": now + quota.window,
    }


def _last(stamps: ColumnElement[str], count: ColumnElement[int]) -> ColumnElement[str]:
    """The last `count` stamps."""
    start = func.length(stamps) - count * _WIDTH + 1
    return case((start > 1, func.substr(stamps, start)), else_=stamps)


def _pace(quota: Quota) -> int:
    return _micros_of(quota.window) // quota.count


def _micros_of(span: timedelta) -> int:
    return span // timedelta(microseconds=1)


def _micros(moment: datetime) -> int:
    return _micros_of(moment - _EPOCH)
