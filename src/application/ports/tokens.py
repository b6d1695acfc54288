"""Session tokens, access tokens and device marks: made and read with keys that no use case sees."""

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol
from uuid import UUID

from domain.email_address import EmailAddress
from domain.session import Session, SessionToken
from domain.user import User
from domain.username import Username


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


@dataclass(frozen=True, slots=True)
class KnownDevice:
    """A device where somebody was let in, the credential version they were let in under, and what stands for them."""

    id: str
    credential_version: int
    user_tag: bytes


class DeviceMarks(Protocol):
    """What a browser or native client shows to be counted by itself: a mark for each of the last who signed in there.

    Nothing is stored, and nothing held says whose it is. What is malformed, forged, expired or another's is no mark:
    never an error, and the same time.
    """

    def mark(self, user: User, credential_version: int, held: str | None, now: datetime, *, anew: bool = False) -> str:
        """What the device is to hold from now on: a new mark for somebody who has just proven who they are, under the
        id that their device had if it was theirs before, and the good marks of others. `anew` gives it another id, for
        which nothing has been counted yet."""

    def recognises(self, held: str | None, identifier: EmailAddress | Username, now: datetime) -> KnownDevice | None:
        """The device, if it holds a good mark of whoever had this address or username."""

    def is_of(self, device: KnownDevice, user: User) -> bool:
        """Whether it was this user who was let in there, and not somebody who had the name before."""
