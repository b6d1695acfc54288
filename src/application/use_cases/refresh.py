"""Refresh: a session token becomes a new access token and, once in a while, a new session token (R57)."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import assert_never

from application.admission import Admission, SignedIn
from application.ports.environment import Clock, EventLog
from application.ports.tokens import SessionSeal
from application.ports.units_of_work import Opens, SessionKeeping, SessionReading
from domain.client import Client
from domain.errors import Unauthenticated
from domain.events import Event, EventKind
from domain.session import Moved, Replayed, Session, SessionToken, Transport, Unmoved
from domain.user import User


@dataclass(frozen=True, slots=True, kw_only=True)
class RefreshCommand:
    """The session token, and how it travelled."""

    session_token: str | None = field(repr=False)
    transport: Transport
    client: Client


@dataclass(frozen=True, kw_only=True)
class Refresh:
    """Renews what a browser or client holds, without ever signing two tabs, a late or a lost answer out.

    The counter moves on by one conditional UPDATE, at most once per grace; within it, everybody who shows the current
    token or its parent gets the current one, computed again. Any other token under a good seal is a copy: its session
    ends. A token that was not sealed for this session and transport touches nothing. Raises `Unauthenticated` without
    a reason, and `Unavailable`.
    """

    reading: Opens[SessionReading]
    keeping: Opens[SessionKeeping]
    seal: SessionSeal
    admission: Admission
    clock: Clock
    events: EventLog
    verification_required: bool
    """Whether a user whose mailbox is not proven is refused; there are such once it was optional (R47)."""

    async def __call__(self, command: RefreshCommand) -> SignedIn:
        # One moment for all that follows: however long a loser waits, it showed its token while that was good.
        now = self.clock.now()
        token = SessionToken.parse(command.session_token or "")
        if token is None:
            raise Unauthenticated
        # A turn is lost only to somebody who moved the session on or ended it, so the next one ends this.
        while True:
            session, user = await self._find(token, command.transport, now)
            match session.refreshed_by(token.counter, now):
                case Unmoved():
                    return self.admission.admit(user, session)
                case Moved(successor):
                    if await self._advance(successor):
                        return self.admission.admit(user, successor)
                case Replayed():
                    await self._end(session, command.client)
                    raise Unauthenticated
                case never:
                    assert_never(never)

    async def _find(self, token: SessionToken, transport: Transport, now: datetime) -> tuple[Session, User]:
        async with self.reading() as unit:
            found = await unit.sessions.find(token.session_id)
        if found is None:
            raise Unauthenticated
        session, user = found
        if self.verification_required and not user.email_verified:
            raise Unauthenticated
        if session.transport is not transport or not self.seal.opens(token, session) or not session.alive(now):
            raise Unauthenticated
        return found

    async def _advance(self, successor: Session) -> bool:
        async with self.keeping() as unit:
            advanced = await unit.sessions.advance(successor)
            await unit.commit()
        return advanced

    async def _end(self, session: Session, client: Client) -> None:
        async with self.keeping() as unit:
            await unit.sessions.end(session.id)
            await unit.commit()
        self.events.record(Event(kind=EventKind.REFRESH_REUSED, client=client, user_id=session.user_id))
