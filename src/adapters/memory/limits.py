"""Sliding windows over lists."""

from collections.abc import Sequence
from datetime import datetime
from itertools import count

from adapters.memory.store import MemoryStore, Tables, Taken
from domain.errors import RateLimited
from domain.limits import Charge, Unit

_serial = count()


class MemoryUnitLimits:
    """`application.ports.limits.Limits` within a transaction that is already open."""

    def __init__(self, tables: Tables) -> None:
        self._tables = tables

    async def spend(self, charges: Sequence[Charge], now: datetime) -> list[Unit]:
        units, refusals = [], []
        for charge in charges:
            limit = charge.limit
            if limit.quota is None:
                continue
            count, window = limit.quota.count, limit.quota.window
            taken = self._tables.limits.setdefault((limit.name, charge.key), [])
            if len(taken) >= count and taken[-count].moment > now - window:
                free_in = taken[-count].moment + window - now if limit.per_client else window
                policy = (count, window) if limit.per_client else None
                refusals.append(RateLimited(limit=limit.name, retry_after=free_in, policy=policy))
                continue
            stamp = str(next(_serial))
            # As many are kept as may count, also those whose window has passed: the clock may step back.
            taken[:] = [*taken, Taken(now, now + window, stamp)][-count:]
            units.append(Unit(limit.name, charge.key.encode(), stamp))
        if refusals:
            raise max(refusals, key=lambda refusal: refusal.retry_after)
        return units

    async def give_back(self, units: Sequence[Unit]) -> None:
        for unit in units:
            taken = self._tables.limits.get((unit.limit, unit.key.decode()), [])
            taken[:] = [each for each in taken if each.stamp != unit.stamp]


class MemoryLimits:
    """`application.ports.limits.Limits`, each call in a transaction of its own."""

    def __init__(self, store: MemoryStore) -> None:
        self._store = store

    async def spend(self, charges: Sequence[Charge], now: datetime) -> list[Unit]:
        async with self._store.writing() as transaction:
            units = await MemoryUnitLimits(transaction.tables).spend(charges, now)
            await transaction.commit()
        return units

    async def give_back(self, units: Sequence[Unit]) -> None:
        async with self._store.writing() as transaction:
            await MemoryUnitLimits(transaction.tables).give_back(units)
            await transaction.commit()
