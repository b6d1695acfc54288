"""Finding the session that somebody names, with its user: the first half of recognising and of refreshing."""

from dataclasses import dataclass
from uuid import UUID

from application.ports.tokens import SessionSeal
from application.ports.units_of_work import Opens, SessionReading
from domain.errors import Unauthenticated
from domain.session import Session, SessionToken, Transport
from domain.user import User


@dataclass(frozen=True, slots=True, kw_only=True)
class Caller:
    """Somebody with a living session."""

    user: User
    session: Session


@dataclass(frozen=True, kw_only=True)
class Recognition:
    """By one read. A session that was ended or outdated is not found. Raises `Unauthenticated` without a reason, and
    `Unavailable`; expiry and counter are the caller's to judge."""

    reading: Opens[SessionReading]
    seal: SessionSeal
    verification_required: bool
    """Whether sessions that began while it was optional are dead for users whose mailbox is not proven (R47)."""

    async def by_id(self, session_id: UUID) -> Caller:
        """The session of this id."""
        async with self.reading() as unit:
            found = await unit.sessions.find(session_id)
        if found is None:
            raise Unauthenticated
        session, user = found
        if self.verification_required and not user.email_verified:
            raise Unauthenticated
        return Caller(user=user, session=session)

    async def by_token(self, token: SessionToken | None, transport: Transport) -> Caller:
        """The session that this token was sealed for and that travels in this way."""
        if token is None:
            raise Unauthenticated
        caller = await self.by_id(token.session_id)
        if caller.session.transport is not transport or not self.seal.opens(token, caller.session):
            raise Unauthenticated
        return caller
