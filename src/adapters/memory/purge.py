"""Deleting what has served its time."""

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import TypeVar

from adapters.memory.store import MemoryStore

TOKENS_KEPT = timedelta(days=2)
LETTERS_KEPT = timedelta(days=30)

Key = TypeVar("Key")
Row = TypeVar("Row")


class MemoryPurge:
    """`application.ports.environment.Purge`."""

    def __init__(self, store: MemoryStore) -> None:
        self._store = store

    async def __call__(self, now: datetime, batch: int) -> Mapping[str, int]:
        async with self._store.writing() as transaction:
            tables = transaction.tables
            counts = {
                "sign_ups": _delete(tables.sign_ups, lambda row: row.expires_at <= now, batch),
                "username_claims": _delete(
                    tables.claims, lambda row: row.expires_at is not None and row.expires_at <= now, batch
                ),
                "one_time_tokens": _delete(tables.tokens, lambda row: row.expires_at <= now - TOKENS_KEPT, batch),
                "limits": _delete(tables.limits, lambda taken: all(unit.expires_at <= now for unit in taken), batch),
                "sessions": _delete(tables.sessions, lambda row: not row.alive(now), batch),
                "letters": _delete(
                    tables.letters, lambda row: row.done_at is not None and row.done_at <= now - LETTERS_KEPT, batch
                ),
            }
            await transaction.commit()
        return counts


def _delete(table: dict[Key, Row], past_keeping: Callable[[Row], bool], batch: int) -> int:
    doomed = [key for key, row in table.items() if past_keeping(row)][:batch]
    for key in doomed:
        del table[key]
    return len(doomed)
