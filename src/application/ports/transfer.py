"""Bringing people in from other systems, and carrying them out (R36)."""

from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol
from uuid import UUID

from domain.email_address import EmailAddress
from domain.events import Event, EventKind
from domain.newcomer import Newcomer
from domain.role import ORDINARY
from domain.username import Username


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """Somebody as another system has them: read, and not yet judged."""

    line: int
    """Where they stand in the file, or in the answer of a database; from 1."""
    id: str
    email: str | None
    email_verified: bool = False
    name: str | None = None
    username: str | None = None
    role: str = ORDINARY
    created_at: datetime | None = None
    disabled_at: datetime | None = None
    first_signed_in_at: datetime | None = None
    """Here, not there: None for whoever has never been here."""
    locale: str | None = None
    """A language tag (BCP 47)."""
    fields: Mapping[str, object] = field(default_factory=dict)
    """For declared fields of the same name, where there are such."""
    own_fields: Mapping[str, object] = field(default_factory=dict)
    """The same of what everybody there could set about themselves: for fields that are theirs to set here as well."""
    metadata: Mapping[str, object] = field(default_factory=dict)
    """What else there is about them: kept beside, as JSON has it."""
    password_hash: str | None = field(default=None, repr=False)
    """In a form that says what it is; None where there is no password."""
    password_problem: str | None = None
    """Why the password they have there cannot come along: a sentence."""
    origin_system: str | None = None
    """Where they were before they were there: of somebody who is carried from one Ostiary to the next."""
    origin_id: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Unfit:
    """An entry that is nobody who could come: a sentence says why. It never quotes a hash."""

    line: int
    whom: str
    """Their id or address, as far as it could be read."""
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """What an operator should know of a source as a whole, such as a column that is not there: it may be misspelt."""

    line: int
    words: str


Entry = Candidate | Unfit | Notice

Source = AsyncIterator[Entry]
"""What another system holds, entry by entry, in bounded memory. Raises `SourceUnreadable`."""


class SourceUnreadable(Exception):
    """There is no going on: no such file, table or column, no JSON, no connection. Says where and what, for the
    operator; no password and no hash."""


def newcomer_event(newcomer: Newcomer) -> Event:
    """What is written down of each: where they came from, and that it was done at the command line."""
    return Event(
        kind=EventKind.USER_IMPORTED,
        email=newcomer.user.email,
        user_id=newcomer.user.id,
        reason=newcomer.origin.system if newcomer.origin else "cli",
    )


class Residents(Protocol):
    """Who is here, for whoever brings or carries out many at once."""

    async def here(self, ids: Collection[UUID]) -> set[UUID]:
        """Which of these ids are users'."""

    async def gone(self, ids: Collection[UUID]) -> set[UUID]:
        """Which of these ids were users' who have deleted their account, as far back as the record of events goes."""

    async def with_emails(self, emails: Collection[EmailAddress]) -> set[EmailAddress]:
        """Which of these addresses users have."""

    async def with_usernames(self, usernames: Collection[Username], now: datetime) -> set[Username]:
        """Which of these usernames are held, by users or by sign-ups that wait."""

    async def page(self, after: UUID | None, most: int) -> list[Newcomer]:
        """Everybody with all that belongs to them, by id."""


class Newcomers(Protocol):
    """Writes many people at once."""

    async def add(self, newcomers: Sequence[Newcomer], now: datetime) -> set[UUID]:
        """Make them users, with their credentials, usernames, origins, and an event each; what waited for their
        addresses is gone. The ids of those that were added: whoever's id or address is taken meanwhile is not, and
        whose username is taken comes without."""


class Emigration(Protocol):
    """For seeing who is here: before people are brought in, and to carry them out. Reads only."""

    @property
    def residents(self) -> Residents: ...


class Immigration(Protocol):
    """For bringing people in."""

    @property
    def newcomers(self) -> Newcomers: ...

    async def commit(self) -> None:
        """Make everything done in this unit true, at once and for good."""


class Seen(Protocol):
    """Remembers what a source has shown so far, however much that is, in bounded memory."""

    def first(self, kind: str, value: str, line: int) -> int | None:
        """The line where this value of its kind was seen first; None, and it is remembered, when that is now."""
