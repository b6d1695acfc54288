"""What administrators look through, and what they act on. Nobody else is given any of it."""

import re
import string
import unicodedata
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Protocol
from uuid import UUID

from application.ports.collections import (
    Accounts,
    Events,
    Letters,
    OwnSessions,
    Sessions,
    SignUps,
    UsernameClaims,
    Users,
)
from domain.email_address import EmailAddress
from domain.events import EventKind, RecordedEvent
from domain.user import User
from domain.username import Username

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_TICK = timedelta(microseconds=1)
_ASCII_LOWER = str.maketrans(string.ascii_uppercase, string.ascii_lowercase)


def ascii_lower(text: str) -> str:
    """With A-Z in small letters and everything else as it is: what every store can do alike."""
    return text.translate(_ASCII_LOWER)


@dataclass(frozen=True, slots=True, kw_only=True)
class UserFilter:
    """Whom to list: everybody who fits all that is given."""

    text: str | None = None
    """Part of the address, the name or the username, or a whole id."""
    role: str | None = None
    disabled: bool | None = None
    verified: bool | None = None

    @property
    def spellings(self) -> list[str]:
        """What to look for, letter by letter, in canonical addresses, usernames, and names with A-Z in small letters.

        Databases disagree about the case of other letters, so they are looked for as typed, small, capital, and with
        capitals at the beginning of words.
        """
        if self.text is None:
            return []
        typed = unicodedata.normalize("NFC", self.text.strip())
        spelt = [typed, typed.lower(), typed.upper(), typed.title()]
        if "@" in typed:
            with suppress(ValueError):  # it may be part of one
                spelt.append(EmailAddress.parse(typed).canonical)
        return list(dict.fromkeys(map(ascii_lower, spelt)))

    @property
    def id(self) -> UUID | None:
        """The id that is looked for, if it may be one."""
        try:
            return UUID(self.text) if self.text is not None else None
        except ValueError:
            return None


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where in the list of users, newest first, somebody stands; stays good when they are deleted."""

    created_at: datetime
    id: UUID

    @classmethod
    def of(cls, user: User) -> "Place":
        """The place of this user."""
        return cls(created_at=user.created_at, id=user.id)

    @classmethod
    def parse(cls, text: str) -> "Place | None":
        """Read one that was given out; None for anything else."""
        match = re.fullmatch("([0-9]{1,18})-([0-9a-f]{32})", text, re.ASCII)
        if match is None:
            return None
        try:
            return cls(created_at=_EPOCH + int(match[1]) * _TICK, id=UUID(match[2]))
        except OverflowError:
            return None

    @property
    def text(self) -> str:
        """As it is given out."""
        return f"{(self.created_at - _EPOCH) // _TICK}-{self.id.hex}"


@dataclass(frozen=True, slots=True, kw_only=True)
class EventFilter:
    """Which events to list: those that fit all that is given."""

    user_id: UUID | None = None
    kind: EventKind | None = None
    failed: bool | None = None
    since: datetime | None = None


class UserDirectory(Protocol):
    """Every user. Whoever holds it can find out who has an account."""

    async def find(self, which: UserFilter, *, after: Place | None, most: int) -> list[User]:
        """Newest first, those behind `after`; who is added meanwhile shifts nobody from one page to another."""

    async def get(self, whom: UUID | EmailAddress | Username) -> User | None:
        """The one who has this id, address or username."""


class EventRecord(Protocol):
    """Everybody's events."""

    async def find(self, which: EventFilter, *, before: UUID | None, most: int) -> list[RecordedEvent]:
        """Newest first, after the event that was read last."""


class EverybodysSessions(Protocol):
    """All sessions there are."""

    async def end(self, most: int) -> int:
        """End so many; how many that were. Fewer than `most` means that none is left."""


class Oversight(Protocol):
    """For administrators who look. Reads only."""

    @property
    def directory(self) -> UserDirectory: ...
    @property
    def sessions(self) -> OwnSessions: ...
    @property
    def events(self) -> EventRecord: ...


class Administration(Protocol):
    """For administrators who act. What happens to an account begins with holding it."""

    @property
    def accounts(self) -> Accounts: ...
    @property
    def users(self) -> Users: ...
    @property
    def usernames(self) -> UsernameClaims: ...
    @property
    def sign_ups(self) -> SignUps: ...
    @property
    def sessions(self) -> Sessions: ...
    @property
    def everybodys_sessions(self) -> EverybodysSessions: ...
    @property
    def letters(self) -> Letters: ...
    @property
    def events(self) -> Events: ...

    async def commit(self) -> None:
        """Make everything done in this unit true, at once and for good."""
