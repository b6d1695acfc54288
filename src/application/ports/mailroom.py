"""For the operator: where letters are, and who gets none."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Protocol
from uuid import UUID

from application.ports.collections import Events
from domain.email_address import EmailAddress
from domain.letters import QueuedLetter
from domain.suppression import Suppression


class LetterState(StrEnum):
    """Where a letter is."""

    QUEUED = "queued"
    """It has not left: due, in hand, or to be tried again."""
    SENT = "sent"
    """The mail system has it; or there was nothing to send, as its outcome says."""
    ABANDONED = "abandoned"
    """It was given up: a dead letter."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LetterRecord:
    """A letter with its history. There is neither text nor token in it: both exist only while it is being sent."""

    letter: QueuedLetter
    """Its `recipient` is blank once the person it went to is gone."""
    state: LetterState
    reason: str | None
    """Why it was delayed last, or given up."""
    in_hand: bool
    """Whether a worker holds it."""
    done_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class LetterFilter:
    """Which letters to list: those that fit all that is given."""

    state: LetterState | None = None
    recipient: EmailAddress | None = None


class LetterRegister(Protocol):
    """Every letter that is kept."""

    async def find(
        self, which: LetterFilter, now: datetime, *, after: LetterRecord | None, most: int
    ) -> list[LetterRecord]:
        """Asked for last, first; those behind `after`."""

    async def get(self, letter_id: UUID, now: datetime) -> LetterRecord | None:
        """One of them."""

    async def requeue(self, letter_id: UUID, now: datetime) -> bool:
        """Have it tried `now`, with all its attempts before it again, wherever it is. False, and nothing is changed,
        while a worker holds it, after it has expired, and when its recipient is gone."""

    async def abandon(self, letter_id: UUID, now: datetime, reason: str) -> bool:
        """Give it up. False when it is not queued. A worker that holds it may be sending it already.

        The last letter to somebody whose account is gone takes their address with it, as when it leaves.
        """


class Suppressed(Protocol):
    """For whoever is about to send a letter."""

    async def of(self, email: EmailAddress, now: datetime) -> Suppression | None:
        """Why and until when an address gets none; None when it gets them."""


class Suppressions(Protocol):
    """Addresses that get no letters for a while."""

    async def add(self, suppression: Suppression) -> bool:
        """Keep it, unless one that ends no earlier is in force, or one was lifted after this happened: a report that
        comes late or twice changes nothing. False then."""

    async def lift(self, email: EmailAddress, now: datetime, kept_until: datetime) -> bool:
        """End the one that is in force, and remember that for so long. False when there is none."""

    async def find(self, now: datetime, *, after: EmailAddress | None, most: int) -> list[Suppression]:
        """Those in force, by address, behind `after`."""


class Mailroom(Protocol):
    """For the operator, and for reports of what became of letters."""

    @property
    def letters(self) -> LetterRegister: ...
    @property
    def suppressions(self) -> Suppressions: ...
    @property
    def events(self) -> Events: ...

    async def commit(self) -> None:
        """Make everything done in this unit true, at once and for good."""
