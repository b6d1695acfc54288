"""Sessions: a row that can be ended, and the token by which a browser or a native client names it."""

import base64
import struct
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum
from uuid import UUID

from domain.client import Client
from domain.secret import decode_base64url

REFRESH_GRACE = timedelta(seconds=30)
"""How long the parent of the current counter is still good, and the current one good enough: two tabs, late answers."""

FRESH = timedelta(minutes=10)
"""How long a sign-in proves that it is still the same person (ASVS 7.5.1)."""

PRESENCE_INTERVAL = timedelta(minutes=5)
"""`last_seen_at` is written at most this often."""


class Transport(StrEnum):
    """How the session token travels. A token of one transport is not accepted in the other."""

    COOKIE = "cookie"
    TOKEN = "token"  # noqa: S105 - the name of a transport


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionLifetimes:
    """Idle and absolute expiry (ASVS 7.3.1, 7.3.2); `short` is both for a session that is not to be remembered."""

    idle: timedelta = timedelta(days=14)
    absolute: timedelta = timedelta(days=30)
    short: timedelta = timedelta(hours=24)


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """One signed-in browser or client. Alive while its credential version is the account's and no expiry is past.

    `seed` never leaves the database and the key never enters it, so neither alone yields a token.
    """

    id: UUID
    user_id: UUID
    credential_version: int
    seed: bytes = field(repr=False)
    counter: int = 0
    transport: Transport
    remember: bool
    created_at: datetime
    signed_in_at: datetime
    refreshed_at: datetime
    last_seen_at: datetime
    idle_expires_at: datetime
    absolute_expires_at: datetime
    user_agent: str
    masked_address: str

    @classmethod
    def begin(
        cls,
        *,
        id: UUID,
        seed: bytes,
        user_id: UUID,
        credential_version: int,
        transport: Transport,
        remember: bool,
        client: Client,
        lifetimes: SessionLifetimes,
        now: datetime,
    ) -> "Session":
        """A session that starts `now` for somebody who has just proven who they are."""
        return cls(
            id=id,
            user_id=user_id,
            credential_version=credential_version,
            seed=seed,
            transport=transport,
            remember=remember,
            created_at=now,
            signed_in_at=now,
            refreshed_at=now,
            last_seen_at=now,
            idle_expires_at=now + (lifetimes.idle if remember else lifetimes.short),
            absolute_expires_at=now + (lifetimes.absolute if remember else lifetimes.short),
            user_agent=client.browser,
            masked_address=client.masked_address,
        )

    @property
    def idle_time(self) -> timedelta:
        """How long this session may lie unused."""
        return self.idle_expires_at - self.last_seen_at

    def alive(self, now: datetime) -> bool:
        """Whether neither expiry is past."""
        return now < self.idle_expires_at and now < self.absolute_expires_at

    def fresh(self, now: datetime) -> bool:
        """Whether its owner has shown who they are just now; a clock put back by an hour makes nobody fresh."""
        return abs(now - self.signed_in_at) < FRESH

    def accepts(self, counter: int, now: datetime) -> bool:
        """Whether a token with this counter is current, or the parent of one issued within the grace.

        Only these two are ever alive, whatever the clock does.
        """
        return counter == self.counter or (counter == self.counter - 1 and self._within_grace(now))

    def refreshed_by(self, counter: int, now: datetime) -> "Refreshing":
        """What comes of a refresh by a well-sealed token with this counter."""
        if not self.accepts(counter, now):
            return Replayed()
        return Unmoved() if self._within_grace(now) else Moved(self._successor(now))

    def _within_grace(self, now: datetime) -> bool:
        """Also before the last refresh: a clock that was put back makes nobody a thief."""
        return now - self.refreshed_at <= REFRESH_GRACE

    def _successor(self, now: datetime) -> "Session":
        seen = max(now, self.last_seen_at)
        return replace(
            self,
            counter=self.counter + 1,
            refreshed_at=now,
            last_seen_at=seen,
            idle_expires_at=min(seen + self.idle_time, self.absolute_expires_at),
        )


@dataclass(frozen=True, slots=True)
class Moved:
    """The session moves on to this successor, whose token replaces the one that was shown."""

    session: Session


@dataclass(frozen=True, slots=True)
class Unmoved:
    """It moved on just now, or began just now: whoever asks gets the current token."""


@dataclass(frozen=True, slots=True)
class Replayed:
    """A token superseded long ago, or never given out: somebody has a copy that they should not have."""


Refreshing = Moved | Unmoved | Replayed


_VERSION = 1
_LAYOUT = struct.Struct(">B16sI32s")


@dataclass(frozen=True, slots=True)
class SessionToken:
    """What the holder carries: version, session, counter and a MAC over them, the transport and the row's seed."""

    session_id: UUID
    counter: int
    mac: bytes = field(repr=False)

    @classmethod
    def parse(cls, text: str) -> "SessionToken | None":
        """Read one that came from outside; None unless it is the one canonical spelling."""
        packed = decode_base64url(text)
        if packed is None or len(packed) != _LAYOUT.size:
            return None
        version, session_id, counter, mac = _LAYOUT.unpack(packed)
        return cls(UUID(bytes=session_id), counter, mac) if version == _VERSION else None

    @property
    def text(self) -> str:
        """The base64url form: a cookie value or a refresh token. A secret."""
        packed = _LAYOUT.pack(_VERSION, self.session_id.bytes, self.counter, self.mac)
        return base64.urlsafe_b64encode(packed).rstrip(b"=").decode()

    @staticmethod
    def sealed_part(session: Session, counter: int) -> bytes:
        """What the MAC is computed over: nothing that names a session can be changed without the key."""
        return b"|".join(
            (
                bytes([_VERSION]),
                session.transport.encode(),
                session.id.bytes,
                struct.pack(">I", counter),
                session.seed,
            )
        )
