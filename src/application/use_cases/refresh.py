"""Refresh: a session token becomes a new access token and, once in a while, a new session token (R57)."""

from dataclasses import dataclass, field
from typing import assert_never

from application.admission import Admission, SignedIn
from application.owner_notices import OwnerNotices
from application.ports.environment import Clock, EventLog
from application.ports.units_of_work import Opens, SessionKeeping
from application.recognition import Recognition
from domain.client import Client
from domain.errors import Unauthenticated
from domain.events import Event, EventKind
from domain.letters import Occasion
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
    ends, and the owner is told if the copy came from another address and browser than it began on. A token that was not
    sealed for this session and transport touches nothing. Raises `Unauthenticated` without a reason, and `Unavailable`.
    """

    recognition: Recognition
    keeping: Opens[SessionKeeping]
    admission: Admission
    notices: OwnerNotices
    clock: Clock
    events: EventLog

    async def __call__(self, command: RefreshCommand) -> SignedIn:
        # One moment for all that follows: however long a loser waits, it showed its token while that was good.
        now = self.clock.now()
        token = SessionToken.parse(command.session_token or "")
        # A turn is lost only to somebody who moved the session on or ended it, so the next one ends this.
        while True:
            caller = await self.recognition.by_token(token, command.transport)
            session, user = caller.session, caller.user
            if token is None or not session.alive(now):
                raise Unauthenticated
            match session.refreshed_by(token.counter, now):
                case Unmoved():
                    return self.admission.admit(user, session)
                case Moved(successor):
                    if await self._advance(successor):
                        return self.admission.admit(user, successor)
                case Replayed():
                    await self._end(session, user, command.client)
                    raise Unauthenticated
                case never:
                    assert_never(never)

    async def _advance(self, successor: Session) -> bool:
        async with self.keeping() as unit:
            advanced = await unit.sessions.advance(successor)
            await unit.commit()
        return advanced

    async def _end(self, session: Session, user: User, client: Client) -> None:
        now = self.clock.now()
        reused = Event(kind=EventKind.REFRESH_REUSED, client=client, user_id=session.user_id)
        elsewhere = client.masked_address != session.masked_address and client.browser != session.user_agent
        async with self.keeping() as unit:
            await unit.accounts.hold(user.id)
            if not await unit.sessions.end_of(user.id, session.id):
                return  # somebody else has just ended it
            if elsewhere:
                version = session.credential_version
                await self.notices.tell(unit, Occasion.SESSION_STOLEN, user.id, version, client, now)
            await unit.events.add(reused, now)
            await unit.commit()
        self.events.record(reused)
