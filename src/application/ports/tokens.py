"""Session tokens and access tokens: made and read with keys that no use case sees."""

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol
from uuid import UUID

from domain.session import Session, SessionToken
from domain.user import User


class SessionSeal(Protocol):
    """Makes and checks the MAC of session tokens."""

    def token_for(self, session: Session) -> SessionToken:
        """The token of the session's current counter, sealed with the signing key."""

    def opens(self, token: SessionToken, session: Session) -> bool:
        """Whether the token was sealed for this session, transport and its own counter, by any accepted key.

        Takes the same time for any wrong MAC. Whether that counter is still good is the session's to say.
        """


@dataclass(frozen=True, slots=True)
class AccessClaims:
    """What a verified access token says that Ostiary itself needs."""

    user_id: UUID
    session_id: UUID


class AccessTokens(Protocol):
    """Short-lived JWTs (RFC 9068) for the product's back ends."""

    def issue(self, user: User, session: Session, token_id: UUID, now: datetime) -> str:
        """A signed token for this user and session, valid for `lifetime_seconds` from `now`."""

    def verify(self, text: str, now: datetime) -> AccessClaims | None:
        """Its claims; None unless algorithm, `typ`, `iss`, `aud`, `exp`, `sub` and signature are all right."""

    @property
    def lifetime_seconds(self) -> int:
        """How long a token is good for."""
