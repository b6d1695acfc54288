"""Deleting what has served its time."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime
from typing import TypeVar
from uuid import UUID

from adapters.memory.store import EventRow, MemoryStore
from domain.retention import Retention

Key = TypeVar("Key")
Row = TypeVar("Row")


class MemoryPurge:
    """`application.ports.environment.Purge`."""

    def __init__(self, store: MemoryStore) -> None:
        self._store = store

    async def __call__(self, now: datetime, batch: int, kept: Retention) -> Mapping[str, int]:
        async with self._store.writing() as transaction:
            tables = transaction.tables
            counts = {
                "sign_ups": _delete(tables.sign_ups, lambda row: row.expires_at <= now - kept.sign_ups, batch),
                "username_claims": _delete(
                    tables.claims,
                    lambda row: row.expires_at is not None and row.expires_at <= now - kept.username_claims,
                    batch,
                ),
                "one_time_tokens": _delete(tables.tokens, lambda row: row.expires_at <= now - kept.tokens, batch),
                "reversals": _delete(tables.reversals, lambda row: row.expires_at <= now, batch),
                "limits": _delete(
                    tables.limits, lambda taken: all(unit.expires_at <= now - kept.limits for unit in taken), batch
                ),
                "sessions": _delete(tables.sessions, lambda row: not row.alive(now - kept.sessions), batch),
                "letters": _delete(
                    tables.letters, lambda row: row.done_at is not None and row.done_at <= now - kept.letters, batch
                ),
                "suppressions": _delete(tables.suppressions, lambda row: row.suppression.until <= now, batch),
                "events": _delete(tables.events, lambda row: row.event.at <= now - kept.events, batch),
                "client_addresses": _shorten(tables.events, now - kept.client_addresses, batch),
            }
            await transaction.commit()
        return counts


def _shorten(events: dict[UUID, EventRow], until: datetime, batch: int) -> int:
    in_full = [row for row in events.values() if row.event.at <= until and row.event.address != row.masked_address]
    for row in in_full[:batch]:
        events[row.event.id] = replace(row, event=replace(row.event, address=row.masked_address))
    return len(in_full[:batch])


def _delete(table: dict[Key, Row], past_keeping: Callable[[Row], bool], batch: int) -> int:
    doomed = [key for key, row in table.items() if past_keeping(row)][:batch]
    for key in doomed:
        del table[key]
    return len(doomed)
