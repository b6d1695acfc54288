"""Who is calling: from a session token or an access token to a living session and its user."""

from dataclasses import dataclass, field
from datetime import datetime

from application.ports.environment import Clock
from application.ports.tokens import AccessTokens
from application.ports.units_of_work import Opens, SessionKeeping
from application.recognition import Caller, Recognition
from domain.errors import Unauthenticated, Unavailable
from domain.session import PRESENCE_INTERVAL, Session, SessionToken, Transport


@dataclass(frozen=True, slots=True, kw_only=True)
class IdentifyCommand:
    """Exactly one of the two ways to say who one is."""

    session_cookie: str | None = field(default=None, repr=False)
    access_token: str | None = field(default=None, repr=False)


@dataclass(frozen=True, kw_only=True)
class Identify:
    """Recognises a caller by one read. A session that was ended, outlived or outdated is dead at once, also under an
    access token that is still good elsewhere. Raises `Unauthenticated` without a reason, and `Unavailable`.
    """

    recognition: Recognition
    keeping: Opens[SessionKeeping]
    access_tokens: AccessTokens
    clock: Clock

    async def __call__(self, command: IdentifyCommand) -> Caller:
        now = self.clock.now()
        if command.access_token is not None:
            caller = await self._by_access_token(command.access_token, now)
        elif command.session_cookie is not None:
            caller = await self._by_session_token(command.session_cookie, now)
        else:
            raise Unauthenticated
        if not caller.session.alive(now):
            raise Unauthenticated
        if now - caller.session.last_seen_at >= PRESENCE_INTERVAL:
            await self._note_presence(caller.session, now)
        return caller

    async def _by_access_token(self, text: str, now: datetime) -> Caller:
        claims = self.access_tokens.verify(text, now)
        if claims is None:
            raise Unauthenticated
        caller = await self.recognition.by_id(claims.session_id)
        if caller.user.id != claims.user_id:
            raise Unauthenticated
        return caller

    async def _by_session_token(self, text: str, now: datetime) -> Caller:
        token = SessionToken.parse(text)
        caller = await self.recognition.by_token(token, Transport.COOKIE)
        if token is None or not caller.session.accepts(token.counter, now):
            raise Unauthenticated
        return caller

    async def _note_presence(self, session: Session, now: datetime) -> None:
        try:
            async with self.keeping() as unit:
                await unit.sessions.touch(session, now)
                await unit.commit()
        except Unavailable:
            # Being recognised needs a read only; when the store cannot be written, presence is noted next time.
            return
