"""The record of events."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Row, ScalarSelect, Select, and_, insert, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from adapters.environment import RandomIds
from adapters.sql.tables import events, users
from application.ports.administration import EventFilter
from domain.client import Client
from domain.events import Event, RecordedEvent, pseudonym_of

_NOBODY = Client("")
_ADDRESS_LENGTH = 64
_NO_USER = UUID(int=0)


def event_values(event: Event, now: datetime, about: UUID | ScalarSelect[UUID] | None) -> dict[str, Any]:
    """An event as columns."""
    client = event.client or _NOBODY
    return {
        "id": RandomIds().new(),
        "at": now,
        "kind": event.kind.value,
        "failed": event.kind.failed,
        "user_id": about,
        "actor_id": event.actor_id,
        "reason": event.reason,
        "address": client.address[:_ADDRESS_LENGTH] or None,
        "masked_address": client.masked_address,
        "user_agent": client.browser,
    }


class SqlEvents:
    """`application.ports.collections.Events`."""

    def __init__(self, connection: AsyncConnection, pseudonym_key: bytes) -> None:
        self._connection = connection
        self._key = pseudonym_key

    async def add(self, event: Event, now: datetime) -> None:
        await self._add(event, now, event.user_id)

    async def _add(self, event: Event, now: datetime, about: UUID | ScalarSelect[UUID] | None) -> None:
        await self._connection.execute(insert(events).values(event_values(event, now, about)))

    async def pseudonymise(self, user_id: UUID) -> None:
        pseudonym = pseudonym_of(user_id, self._key)
        for whose in (events.c.user_id, events.c.actor_id):
            await self._connection.execute(
                update(events)
                .where(whose == user_id)
                .values({whose.name: pseudonym, "address": None, "masked_address": "", "user_agent": ""})
            )

    async def reclaim(self, user_id: UUID) -> None:
        pseudonym = pseudonym_of(user_id, self._key)
        for whose in (events.c.user_id, events.c.actor_id):
            await self._connection.execute(update(events).where(whose == pseudonym).values({whose.name: user_id}))


class SqlJournalEvents(SqlEvents):
    """The same for a `Journal`: whoever failed while somebody left finds nobody to write about."""

    async def add(self, event: Event, now: datetime) -> None:
        # Looked for also where it is about nobody, so that it takes the same time.
        sought = select(users.c.id).where(users.c.id == (event.user_id or _NO_USER))
        await self._add(event, now, sought.scalar_subquery())


class SqlEventHistory:
    """`application.ports.collections.EventHistory`."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def of_user(self, user_id: UUID, *, before: UUID | None, most: int) -> list[RecordedEvent]:
        return await self._page(select(events).where(events.c.user_id == user_id), before, most)

    async def _page(self, statement: Select[tuple[object, ...]], before: UUID | None, most: int) -> list[RecordedEvent]:
        if before is not None:
            read_last = select(events.c.at).where(events.c.id == before).scalar_subquery()
            statement = statement.where(
                or_(events.c.at < read_last, and_(events.c.at == read_last, events.c.id < before))
            )
        statement = statement.order_by(events.c.at.desc(), events.c.id.desc()).limit(most)
        return [_event_from(row) for row in await self._connection.execute(statement)]


class SqlEventRecord:
    """`application.ports.administration.EventRecord`."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._history = SqlEventHistory(connection)

    async def find(self, which: EventFilter, *, before: UUID | None, most: int) -> list[RecordedEvent]:
        statement = select(events)
        if which.user_id is not None:
            statement = statement.where(events.c.user_id == which.user_id)
        if which.kind is not None:
            statement = statement.where(events.c.kind == which.kind.value)
        if which.failed is not None:
            statement = statement.where(events.c.failed.is_(which.failed))
        if which.since is not None:
            statement = statement.where(events.c.at >= which.since)
        return await self._history._page(statement, before, most)


def _event_from(row: Row[tuple[object, ...]]) -> RecordedEvent:
    return RecordedEvent(
        id=row.id,
        at=row.at,
        kind=row.kind,
        failed=row.failed,
        user_id=row.user_id,
        actor_id=row.actor_id,
        reason=row.reason,
        address=row.masked_address if row.address is None else row.address,
        user_agent=row.user_agent,
    )
