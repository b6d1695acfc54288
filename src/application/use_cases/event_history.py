"""What happened: to an account, for its owner to see; to everybody, for administrators."""

from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from application.administrators import Administrator, demand_administrator
from application.ports.administration import EventFilter, Oversight
from application.ports.units_of_work import Opens, OwnReading
from application.recognition import Caller
from domain.errors import Violation
from domain.events import EventKind, RecordedEvent
from domain.violations import Violations

MOST_EVENTS = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class ListEventsCommand:
    """Who asks, and after which event to go on; at most `MOST_EVENTS` at a time."""

    caller: Caller
    before: UUID | None = None
    most: int = MOST_EVENTS


@dataclass(frozen=True, kw_only=True)
class ListEvents:
    """The caller's own events, newest first; what an administrator did comes without their address and browser.
    Raises `Unavailable`."""

    reading: Opens[OwnReading]

    async def __call__(self, command: ListEventsCommand) -> list[RecordedEvent]:
        own = command.caller.user.id
        async with self.reading() as unit:
            most = min(command.most, MOST_EVENTS)
            found = await unit.events.of_user(own, before=command.before, most=most)
        return [
            event if event.actor_id in (None, own) else replace(event, address="", user_agent="") for event in found
        ]


@dataclass(frozen=True, slots=True, kw_only=True)
class ListAllEventsCommand:
    """Who asks, for which events, and after which to go on; at most `MOST_EVENTS` at a time. `malformed` is what the
    edge could not read."""

    caller: Administrator
    user_id: UUID | None = None
    kind: EventKind | None = None
    failed: bool | None = None
    since: datetime | None = None
    before: UUID | None = None
    most: int = MOST_EVENTS
    malformed: tuple[Violation, ...] = ()


@dataclass(frozen=True, kw_only=True)
class ListAllEvents:
    """Everybody's events, newest first, for administrators. Raises `Forbidden`, `ValidationError`, `Unavailable`."""

    oversight: Opens[Oversight]

    async def __call__(self, command: ListAllEventsCommand) -> list[RecordedEvent]:
        demand_administrator(command.caller)
        Violations(command.malformed).settle()
        which = EventFilter(user_id=command.user_id, kind=command.kind, failed=command.failed, since=command.since)
        async with self.oversight() as unit:
            return await unit.events.find(which, before=command.before, most=min(command.most, MOST_EVENTS))
