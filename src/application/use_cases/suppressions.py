"""Addresses that get no letters: reported by whoever carries our mail, shown to the operator and lifted by them."""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import assert_never

from application.paging import PAGE, page_by_page
from application.ports.bounces import Bounce, ProviderBounce, ReturnedLetter
from application.ports.environment import Clock, EventLog
from application.ports.mailroom import Mailroom
from application.ports.units_of_work import Opens
from domain.email_address import EmailAddress
from domain.errors import NotFound
from domain.events import Event, EventKind
from domain.suppression import Suppression
from domain.violations import Broken, Violations

_PORTION = 100
"""Reports that are noted in one transaction: whoever else writes waits for no more of them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NoteBouncesCommand:
    """Reports that came together."""

    bounces: tuple[Bounce, ...]


class Verdict(StrEnum):
    """What became of a report."""

    SUPPRESSED = "suppressed"
    """Nothing is sent to the address from now on."""
    KNOWN = "known"
    """It says nothing new: what it says is in force, or was lifted after it happened."""
    OVER = "over"
    """It happened so long ago that its time is over."""
    NOBODYS = "nobodys"
    """It is about no letter that is kept, or about no address."""


@dataclass(frozen=True, kw_only=True)
class NoteBounces:
    """Sends nothing to these addresses from now on, for `lasts` from when it happened, and says of each report what
    became of it. What is lifted by hand stays lifted, however often an old report comes again.

    Raises `Unavailable`: of many reports some may have been noted then, which come to nothing when they are brought
    again.
    """

    mailroom: Opens[Mailroom]
    clock: Clock
    events: EventLog
    lasts: timedelta

    async def __call__(self, command: NoteBouncesCommand) -> list[Verdict]:
        verdicts: list[Verdict] = []
        for start in range(0, len(command.bounces), _PORTION):
            verdicts += await self._note(command.bounces[start : start + _PORTION])
        return verdicts

    async def _note(self, bounces: Sequence[Bounce]) -> list[Verdict]:
        now = self.clock.now()
        verdicts = [Verdict.NOBODYS] * len(bounces)
        found: list[tuple[int, Suppression]] = []
        noted = []
        async with self.mailroom() as unit:
            for place, bounce in enumerate(bounces):
                suppression = await self._suppression(unit, bounce, now)
                if suppression is not None:
                    found.append((place, suppression))
            # By address, so that two who report the same ones at once do not wait for each other; of one, the last.
            found.sort(key=lambda each: each[1].since, reverse=True)
            for place, suppression in sorted(found, key=lambda each: each[1].email.canonical):
                if suppression.until <= now:
                    verdicts[place] = Verdict.OVER
                elif await unit.suppressions.add(suppression):
                    verdicts[place] = Verdict.SUPPRESSED
                    reason = suppression.reason.value
                    event = Event(kind=EventKind.ADDRESS_SUPPRESSED, email=suppression.email, reason=reason)
                    await unit.events.add(event, now)
                    noted.append(event)
                else:
                    verdicts[place] = Verdict.KNOWN
            await unit.commit()
        for event in noted:
            self.events.record(event)
        return verdicts

    async def _suppression(self, unit: Mailroom, bounce: Bounce, now: datetime) -> Suppression | None:
        match bounce:
            case ReturnedLetter():
                record = await unit.letters.get(bounce.letter_id, now)
                if record is None or not record.letter.recipient.canonical:
                    return None
                # When the letter was asked for: it is the same however often the report comes, and nobody can forge it.
                email, source, at = record.letter.recipient, "report", record.letter.created_at
            case ProviderBounce():
                try:
                    email, source, at = EmailAddress.parse(bounce.recipient), bounce.source, bounce.at
                except Broken:
                    return None
            case _:
                assert_never(bounce)
        since = min(at, now)  # a clock that is ahead makes nothing last longer
        return Suppression(email=email, reason=bounce.reason, source=source, since=since, until=since + self.lasts)


@dataclass(frozen=True, kw_only=True)
class ListSuppressed:
    """Everybody who gets no letters at present, by address. Raises `Unavailable`."""

    mailroom: Opens[Mailroom]
    clock: Clock

    async def __call__(self) -> AsyncIterator[Suppression]:
        now = self.clock.now()

        async def page_after(last: Suppression | None) -> list[Suppression]:
            async with self.mailroom() as unit:
                return await unit.suppressions.find(now, after=last.email if last else None, most=PAGE)

        async for suppression in page_by_page(page_after):
            yield suppression


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
    lasts: timedelta
    """How long a report counts: no older one can bring back what was lifted."""

    async def __call__(self, command: LiftSuppressionCommand) -> None:
        violations = Violations()
        email = violations.parse("email", command.email, EmailAddress.parse)
        violations.settle()
        assert email is not None  # noqa: S101 - settled above
        now = self.clock.now()
        event = Event(kind=EventKind.SUPPRESSION_LIFTED, email=email, reason="cli")
        async with self.mailroom() as unit:
            if not await unit.suppressions.lift(email, now, now + self.lasts):
                raise NotFound
            await unit.events.add(event, now)
            await unit.commit()
        self.events.record(event)
