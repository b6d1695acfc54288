"""The record of events, and what may be undone, over dicts."""

from dataclasses import replace
from datetime import datetime
from uuid import UUID

from adapters.environment import RandomIds
from adapters.memory.store import EventRow, Tables
from application.ports.administration import EventFilter
from domain.client import Client
from domain.events import Event, RecordedEvent, pseudonym_of
from domain.letters import Occasion
from domain.reversal import Reversal

_NOBODY = Client("")
KEY = bytes(32)
_ADDRESS_LENGTH = 64


class MemoryEvents:
    """`Events`."""

    def __init__(self, tables: Tables) -> None:
        self._tables = tables

    async def add(self, event: Event, now: datetime) -> None:
        client = event.client or _NOBODY
        recorded = RecordedEvent(
            id=RandomIds().new(),
            at=now,
            kind=event.kind.value,
            failed=event.kind.failed,
            user_id=event.user_id,
            actor_id=event.actor_id,
            reason=event.reason,
            address=client.address[:_ADDRESS_LENGTH],
            user_agent=client.browser,
        )
        self._tables.events[recorded.id] = EventRow(recorded, client.masked_address)

    async def pseudonymise(self, user_id: UUID) -> None:
        pseudonym = pseudonym_of(user_id, KEY)
        for row in list(self._tables.events.values()):
            event = row.event
            if event.user_id == user_id:
                event = replace(event, user_id=pseudonym, address="", user_agent="")
            if event.actor_id == user_id:
                event = replace(event, actor_id=pseudonym, address="", user_agent="")
            if event is not row.event:
                self._tables.events[event.id] = EventRow(event, "")

    async def reclaim(self, user_id: UUID) -> None:
        pseudonym = pseudonym_of(user_id, KEY)
        for row in list(self._tables.events.values()):
            event = row.event
            if event.user_id == pseudonym:
                event = replace(event, user_id=user_id)
            if event.actor_id == pseudonym:
                event = replace(event, actor_id=user_id)
            self._tables.events[event.id] = replace(row, event=event)


class MemoryJournalEvents(MemoryEvents):
    """The same for a `Journal`."""

    async def add(self, event: Event, now: datetime) -> None:
        await super().add(event if event.user_id in self._tables.users else replace(event, user_id=None), now)


class MemoryEventHistory:
    """`EventHistory`."""

    def __init__(self, tables: Tables) -> None:
        self._tables = tables

    async def of_user(self, user_id: UUID, *, before: UUID | None, most: int) -> list[RecordedEvent]:
        return self._page([row.event for row in self._tables.events.values() if row.event.user_id == user_id], before)[
            :most
        ]

    def _page(self, events: list[RecordedEvent], before: UUID | None) -> list[RecordedEvent]:
        def place(event: RecordedEvent) -> tuple[datetime, UUID]:
            return event.at, event.id

        if before is not None:
            row = self._tables.events.get(before)
            events = [event for event in events if row is not None and place(event) < place(row.event)]
        return sorted(events, key=place, reverse=True)


class MemoryEventRecord:
    """`EventRecord`."""

    def __init__(self, tables: Tables) -> None:
        self._tables = tables

    async def find(self, which: EventFilter, *, before: UUID | None, most: int) -> list[RecordedEvent]:
        found = [
            row.event
            for row in self._tables.events.values()
            if which.user_id in (None, row.event.user_id)
            and (which.kind is None or which.kind.value == row.event.kind)
            and which.failed in (None, row.event.failed)
            and (which.since is None or which.since <= row.event.at)
        ]
        return MemoryEventHistory(self._tables)._page(found, before)[:most]


class MemoryReversals:
    """`Reversals`."""

    def __init__(self, tables: Tables) -> None:
        self._tables = tables

    async def add(self, reversal: Reversal) -> None:
        self._tables.reversals[reversal.id] = reversal

    async def get(self, reversal_id: UUID) -> Reversal | None:
        return self._tables.reversals.get(reversal_id)

    async def deletion_of(self, user_id: UUID) -> Reversal | None:
        deletions = [
            reversal
            for reversal in self._tables.reversals.values()
            if reversal.user_id == user_id and reversal.occasion is Occasion.ACCOUNT_DELETED
        ]
        return max(deletions, key=lambda reversal: reversal.made_at, default=None)

    async def last_made_at(self, user_id: UUID) -> datetime | None:
        made = (reversal.made_at for reversal in self._tables.reversals.values() if reversal.user_id == user_id)
        return max(made, default=None)

    async def forget_since(self, user_id: UUID, made_at: datetime) -> None:
        for reversal in list(self._tables.reversals.values()):
            if reversal.user_id == user_id and reversal.made_at >= made_at:
                del self._tables.reversals[reversal.id]
