"""Sessions as their owner sees them: listed, and ended (R56)."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import assert_never
from uuid import UUID

from application.owner_notices import OwnerNotices
from application.ports.environment import Clock, DeviceNames, EventLog
from application.ports.units_of_work import Opens, OwnReading, SessionKeeping
from application.recognition import Caller
from domain.client import Client
from domain.errors import NotFound, Unauthenticated
from domain.events import Event, EventKind
from domain.letters import Occasion
from domain.session import Session, Transport


class Scope(StrEnum):
    """Which of the caller's sessions to end."""

    THIS = "this"
    OTHERS = "others"
    ALL = "all"


@dataclass(frozen=True, slots=True, kw_only=True)
class SignOutCommand:
    """Who signs out, and of what."""

    caller: Caller
    scope: Scope = Scope.THIS
    client: Client


@dataclass(frozen=True, kw_only=True)
class SignOut:
    """Ends sessions at once and for good, access tokens issued under them included. The owner is told when others are
    ended, since it takes no more than a session to do it. Raises `Unauthenticated` for a session that is over by now,
    and `Unavailable`."""

    keeping: Opens[SessionKeeping]
    notices: OwnerNotices
    clock: Clock
    events: EventLog

    async def __call__(self, command: SignOutCommand) -> None:
        session, now = command.caller.session, self.clock.now()
        event = Event(
            kind=EventKind.SIGNED_OUT, client=command.client, user_id=session.user_id, reason=command.scope.value
        )
        async with self.keeping() as unit:
            match command.scope:
                case Scope.THIS:
                    ended = await unit.sessions.end_of(session.user_id, session.id)
                case Scope.OTHERS | Scope.ALL:
                    ended = await self._end_others(unit, command, now)
                case _:
                    assert_never(command.scope)
            if not ended:
                return
            await unit.events.add(event, now)
            await unit.commit()
        self.events.record(event)

    async def _end_others(self, unit: SessionKeeping, command: SignOutCommand, now: datetime) -> bool:
        """Only for a session that counts when it comes to it; whether there were any."""
        session, others_only = command.caller.session, command.scope is Scope.OTHERS
        credential = await unit.accounts.hold(session.user_id)
        current = credential is not None and credential.version == session.credential_version
        if not current or not await unit.sessions.move(session.id, session.credential_version):
            raise Unauthenticated
        others = await unit.sessions.end_all(session.user_id, keep=session.id)
        if others:
            version = session.credential_version
            await self.notices.tell(unit, Occasion.SESSIONS_ENDED, session.user_id, version, command.client, now)
        return others > 0 if others_only else await unit.sessions.end_of(session.user_id, session.id)


@dataclass(frozen=True, slots=True, kw_only=True)
class ListedSession:
    """A session as it is shown: enough to recognise it by."""

    id: UUID
    current: bool
    device: str
    masked_address: str
    transport: Transport
    remember: bool
    created_at: datetime
    last_seen_at: datetime
    expires_at: datetime

    @classmethod
    def of(cls, session: Session, device_names: DeviceNames, *, current: bool) -> "ListedSession":
        """What is shown of it."""
        return cls(
            id=session.id,
            current=current,
            device=device_names.describe(session.user_agent),
            masked_address=session.masked_address,
            transport=session.transport,
            remember=session.remember,
            created_at=session.created_at,
            last_seen_at=session.last_seen_at,
            expires_at=min(session.idle_expires_at, session.absolute_expires_at),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class ListSessionsCommand:
    """Who asks."""

    caller: Caller


@dataclass(frozen=True, kw_only=True)
class ListSessions:
    """The caller's living sessions, last seen first. Raises `Unavailable`."""

    reading: Opens[OwnReading]
    device_names: DeviceNames
    clock: Clock

    async def __call__(self, command: ListSessionsCommand) -> list[ListedSession]:
        async with self.reading() as unit:
            sessions = await unit.sessions.of_user(command.caller.user.id, self.clock.now())
        own = command.caller.session.id
        return [ListedSession.of(session, self.device_names, current=session.id == own) for session in sessions]


@dataclass(frozen=True, slots=True, kw_only=True)
class EndSessionCommand:
    """Who asks, and which session to end."""

    caller: Caller
    session_id: UUID
    client: Client


@dataclass(frozen=True, kw_only=True)
class EndSession:
    """Ends one of the caller's sessions; the owner is told when it is another than this one. Raises `NotFound` for
    every other id, whoever's it is, and `Unavailable`."""

    keeping: Opens[SessionKeeping]
    notices: OwnerNotices
    clock: Clock
    events: EventLog

    async def __call__(self, command: EndSessionCommand) -> None:
        user, session, now = command.caller.user, command.caller.session, self.clock.now()
        event = Event(kind=EventKind.SESSION_ENDED, client=command.client, user_id=user.id)
        async with self.keeping() as unit:
            await unit.accounts.hold(user.id)
            if not await unit.sessions.end_of(user.id, command.session_id):
                raise NotFound
            if command.session_id != session.id:
                version = session.credential_version
                await self.notices.tell(unit, Occasion.SESSIONS_ENDED, user.id, version, command.client, now)
            await unit.events.add(event, now)
            await unit.commit()
        self.events.record(event)
