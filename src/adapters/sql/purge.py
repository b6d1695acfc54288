"""Deleting what has served its time, in batches small enough that nobody waits for them."""

from collections.abc import Mapping
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, Table, delete, or_, select

from adapters.sql.database import Database
from adapters.sql.tables import letters, limits, one_time_tokens, sessions, sign_ups, username_claims

TOKENS_KEPT = timedelta(days=2)
"""After expiry, so that a late click reads `token_expired` for as long as its sign-up could have waited."""

LETTERS_KEPT = timedelta(days=30)
"""After they left or were given up, for the operator who is asked where a letter went."""


class SqlPurge:
    """`application.ports.environment.Purge`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def __call__(self, now: datetime, batch: int) -> Mapping[str, int]:
        past_keeping: list[tuple[Table, ColumnElement[bool]]] = [
            (sign_ups, sign_ups.c.expires_at <= now),
            (username_claims, username_claims.c.expires_at <= now),
            (one_time_tokens, one_time_tokens.c.expires_at <= now - TOKENS_KEPT),
            (sessions, or_(sessions.c.idle_expires_at <= now, sessions.c.absolute_expires_at <= now)),
            (limits, limits.c.expires_at <= now),
            (letters, letters.c.done_at <= now - LETTERS_KEPT),
        ]
        counts = {}
        for table, condition in past_keeping:
            key = table.primary_key.columns[0]
            # Locked as it is chosen, and passed over where somebody is just renewing it.
            doomed = select(key).where(condition).limit(batch).with_for_update(skip_locked=True)
            async with self._database.writing() as transaction:
                result = await transaction.connection.execute(delete(table).where(key.in_(doomed)))
                await transaction.commit()
            counts[table.name] = result.rowcount
        return counts
