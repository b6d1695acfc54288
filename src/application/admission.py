"""Sessions and the tokens that speak for them: shared by whoever lets somebody in, or goes on with a session."""

from dataclasses import dataclass, field, replace
from datetime import datetime
from uuid import UUID

from application.ports.environment import Clock, Ids, Randomness
from application.ports.tokens import AccessTokens, DeviceMarks, SessionSeal
from domain.client import Client
from domain.session import Session, SessionLifetimes, SessionToken, Transport
from domain.user import User

_SEED_BYTES = 16


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionWish:
    """How the caller wants to carry the session, and who is calling, with the device marks they hold."""

    transport: Transport = Transport.COOKIE
    remember: bool = True
    device_marks: str | None = field(default=None, repr=False)
    client: Client


@dataclass(frozen=True, slots=True, kw_only=True)
class SignedIn:
    """A session, with the two tokens that speak for it. They exist here and in the answer, nowhere else."""

    user: User
    session: Session
    session_token: SessionToken = field(repr=False)
    access_token: str = field(repr=False)
    expires_in: int
    device_marks: str | None = field(default=None, repr=False)
    """What their device is to hold from now on, if they have just proven who they are."""


@dataclass(frozen=True, kw_only=True)
class Admission:
    """Makes sessions, and the tokens for those that were stored."""

    seal: SessionSeal
    access_tokens: AccessTokens
    device_marks: DeviceMarks
    clock: Clock
    ids: Ids
    randomness: Randomness
    lifetimes: SessionLifetimes

    def begin(self, user_id: UUID, credential_version: int, wish: SessionWish, now: datetime) -> Session:
        """A session to be stored under the credential version that was verified."""
        return Session.begin(
            id=self.ids.new(),
            seed=self.randomness.bytes(_SEED_BYTES),
            user_id=user_id,
            credential_version=credential_version,
            transport=wish.transport,
            remember=wish.remember,
            client=wish.client,
            lifetimes=self.lifetimes,
            now=now,
        )

    def admit(self, user: User, session: Session) -> SignedIn:
        """The tokens for a session that is stored."""
        return SignedIn(
            user=user,
            session=session,
            session_token=self.seal.token_for(session),
            access_token=self.access_tokens.issue(user, session, self.ids.new(), self.clock.now()),
            expires_in=self.access_tokens.lifetime_seconds,
        )

    def welcome(self, user: User, session: Session, wish: SessionWish) -> SignedIn:
        """The same for somebody who has just proven who they are: their device is marked, for sign-ins to come."""
        marks = self.device_marks.mark(user, session.credential_version, wish.device_marks, self.clock.now())
        return replace(self.admit(user, session), device_marks=marks)
