"""Addresses that get no letters: reported by whoever carries our mail, shown to the operator and lifted by them."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from application.ports.environment import Clock, EventLog
from application.ports.mailroom import Mailroom
from application.ports.units_of_work import Opens
from domain.email_address import EmailAddress
from domain.errors import NotFound
from domain.events import Event, EventKind
from domain.suppression import Suppression, SuppressionReason
from domain.violations import Broken, Violations

_PAGE = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class Bounce:
    """What somebody who carries our mail reports.

    `recipient` is enough where the report is signed by a provider of ours. A report that anybody can write, as an
    RFC 3464 message is, counts by `letter_id` alone: the Message-ID of a letter of ours is known to who received it, so
    nobody can have the letters of somebody else stopped.
    """

    reason: SuppressionReason
    source: str
    at: datetime
    recipient: str | None = None
    letter_id: UUID | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class NoteBouncesCommand:
    """Reports that came together."""

    bounces: tuple[Bounce, ...]


@dataclass(frozen=True, kw_only=True)
class NoteBounces:
    """Sends nothing to these addresses from now on, for `lasts`; how many that are. A report that says nothing new, or
    is about nobody, counts for nothing. What is lifted by hand stays lifted, however often an old report comes again.
    Raises `Unavailable`, and nothing is written then."""

    mailroom: Opens[Mailroom]
    clock: Clock
    events: EventLog
    lasts: timedelta

    async def __call__(self, command: NoteBouncesCommand) -> int:
        now = self.clock.now()
        noted = []
        async with self.mailroom() as unit:
            for bounce in command.bounces:
                email = await self._whose(unit, bounce, now)
                # A clock that is ahead must not outlast a lifting to come.
                since = min(bounce.at, now)
                if email is None or since + self.lasts <= now:
                    continue
                suppression = Suppression(
                    email=email, reason=bounce.reason, source=bounce.source, since=since, until=since + self.lasts
                )
                if await unit.suppressions.add(suppression):
                    event = Event(kind=EventKind.ADDRESS_SUPPRESSED, email=email, reason=bounce.reason.value)
                    await unit.events.add(event, now)
                    noted.append(event)
            await unit.commit()
        for event in noted:
            self.events.record(event)
        return len(noted)

    async def _whose(self, unit: Mailroom, bounce: Bounce, now: datetime) -> EmailAddress | None:
        if bounce.letter_id is not None:
            record = await unit.letters.get(bounce.letter_id, now)
            return record.letter.recipient if record is not None and record.letter.recipient.canonical else None
        try:
            return EmailAddress.parse(bounce.recipient or "")
        except Broken:
            return None


@dataclass(frozen=True, kw_only=True)
class ListSuppressed:
    """Everybody who gets no letters at present, by address. Raises `Unavailable`."""

    mailroom: Opens[Mailroom]
    clock: Clock

    async def __call__(self) -> AsyncIterator[Suppression]:
        now, last = self.clock.now(), None
        while True:
            async with self.mailroom() as unit:
                page = await unit.suppressions.find(now, after=last, most=_PAGE)
            for suppression in page:
                yield suppression
            if len(page) < _PAGE:
                return
            last = page[-1].email


@dataclass(frozen=True, slots=True, kw_only=True)
class LiftSuppressionCommand:
    """Whose."""

    email: str


@dataclass(frozen=True, kw_only=True)
class LiftSuppression:
    """Lets letters go to an address again. Raises `ValidationError`, `NotFound` when nothing keeps them,
    `Unavailable`."""

    mailroom: Opens[Mailroom]
    clock: Clock
    events: EventLog

    async def __call__(self, command: LiftSuppressionCommand) -> None:
        violations = Violations()
        email = violations.parse("email", command.email, EmailAddress.parse)
        violations.settle()
        assert email is not None  # noqa: S101 - settled above
        now = self.clock.now()
        event = Event(kind=EventKind.SUPPRESSION_LIFTED, email=email, reason="cli")
        async with self.mailroom() as unit:
            if not await unit.suppressions.lift(email, now):
                raise NotFound
            await unit.events.add(event, now)
            await unit.commit()
        self.events.record(event)
