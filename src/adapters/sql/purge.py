"""Deleting what has served its time, in batches small enough that nobody waits for them."""

from collections.abc import Mapping
from datetime import datetime

from sqlalchemy import ColumnElement, Table, delete, or_, select, update

from adapters.sql.database import Database
from adapters.sql.tables import (
    events,
    letters,
    limits,
    one_time_tokens,
    reversals,
    sessions,
    sign_ups,
    suppressions,
    username_claims,
)
from domain.retention import Retention


class SqlPurge:
    """`application.ports.environment.Purge`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def __call__(self, now: datetime, batch: int, kept: Retention) -> Mapping[str, int]:
        past_keeping: list[tuple[Table, ColumnElement[bool]]] = [
            (sign_ups, sign_ups.c.expires_at <= now - kept.sign_ups),
            (username_claims, username_claims.c.expires_at <= now - kept.username_claims),
            (one_time_tokens, one_time_tokens.c.expires_at <= now - kept.tokens),
            (reversals, reversals.c.expires_at <= now),
            (
                sessions,
                or_(
                    sessions.c.idle_expires_at <= now - kept.sessions,
                    sessions.c.absolute_expires_at <= now - kept.sessions,
                ),
            ),
            (limits, limits.c.expires_at <= now - kept.limits),
            (letters, letters.c.done_at <= now - kept.letters),
            (suppressions, suppressions.c.until <= now),
            (events, events.c.at <= now - kept.events),
        ]
        counts = {}
        for table, condition in past_keeping:
            key = table.primary_key.columns[0]
            # Locked as it is chosen, and passed over where somebody is just renewing it. Chosen once: a subquery may be
            # run again for each row, and take as many again each time.
            doomed = select(key).where(condition).limit(batch).with_for_update(skip_locked=True).cte("doomed")
            async with self._database.writing() as transaction:
                result = await transaction.connection.execute(
                    delete(table).where(key.in_(select(doomed))).returning(key)
                )
                counts[table.name] = len(result.all())
                await transaction.commit()
        counts["client_addresses"] = await self._shorten_addresses(now - kept.client_addresses, batch)
        return counts

    async def _shorten_addresses(self, until: datetime, batch: int) -> int:
        # Locked and passed over like the others: whoever is deleting an account wipes many of these rows at once.
        in_full = select(events.c.id).where(events.c.at <= until, events.c.address.is_not(None)).limit(batch)
        chosen = in_full.with_for_update(skip_locked=True).cte("chosen")
        async with self._database.writing() as transaction:
            result = await transaction.connection.execute(
                update(events).where(events.c.id.in_(select(chosen))).values(address=None).returning(events.c.id)
            )
            shortened = len(result.all())
            await transaction.commit()
        return shortened
