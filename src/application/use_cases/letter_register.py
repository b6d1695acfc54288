"""The operator looks after letters: where they are, trying one again, giving one up."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from uuid import UUID

from application.paging import PAGE, page_by_page
from application.ports.environment import Clock, EventLog
from application.ports.mailroom import LetterFilter, LetterRecord, Mailroom
from application.ports.units_of_work import Opens
from domain.errors import LetterExpired, LetterInHand, LetterIsGone, NotFound
from domain.events import Event, EventKind

BY_HAND = "by hand"
"""The reason of a letter that somebody gave up."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LetterCommand:
    """Which letter."""

    letter_id: UUID


@dataclass(frozen=True, kw_only=True)
class ListLetters:
    """Every letter that fits, asked for last first, page by page: as many as somebody reads. Raises `Unavailable`."""

    mailroom: Opens[Mailroom]
    clock: Clock

    async def __call__(self, command: LetterFilter) -> AsyncIterator[LetterRecord]:
        now = self.clock.now()

        async def page_after(last: LetterRecord | None) -> list[LetterRecord]:
            async with self.mailroom() as unit:
                return await unit.letters.find(command, now, after=last, most=PAGE)

        async for record in page_by_page(page_after):
            yield record


@dataclass(frozen=True, kw_only=True)
class ShowLetter:
    """One letter. Raises `NotFound`, `Unavailable`."""

    mailroom: Opens[Mailroom]
    clock: Clock

    async def __call__(self, command: LetterCommand) -> LetterRecord:
        async with self.mailroom() as unit:
            return _found(await unit.letters.get(command.letter_id, self.clock.now()))


@dataclass(frozen=True, kw_only=True)
class RequeueLetter:
    """Has a letter tried at once: one that was given up, one that waits for its next try, or one that was sent and did
    not arrive. What it becomes is decided anew, with a token of its own; those of earlier copies stay good.

    Raises `NotFound`; `LetterExpired` when nobody waits for it any more, `LetterIsGone` when its recipient was
    forgotten, `LetterInHand` while a worker holds it; `Unavailable`.
    """

    mailroom: Opens[Mailroom]
    clock: Clock
    events: EventLog

    async def __call__(self, command: LetterCommand) -> LetterRecord:
        now = self.clock.now()
        async with self.mailroom() as unit:
            done = await unit.letters.requeue(command.letter_id, now)
            record = _found(await unit.letters.get(command.letter_id, now))
            if not done:
                if not record.letter.recipient.canonical:
                    raise LetterIsGone
                raise LetterExpired if record.letter.expires_at <= now else LetterInHand
            event = Event(kind=EventKind.LETTER_REQUEUED, email=record.letter.recipient, reason="cli")
            await unit.events.add(event, now)
            await unit.commit()
        self.events.record(event)
        return record


@dataclass(frozen=True, kw_only=True)
class AbandonLetter:
    """Gives a letter up that has not left. Raises `NotFound`; `LetterIsGone` when it has left or was given up before;
    `Unavailable`."""

    mailroom: Opens[Mailroom]
    clock: Clock
    events: EventLog

    async def __call__(self, command: LetterCommand) -> LetterRecord:
        now = self.clock.now()
        async with self.mailroom() as unit:
            done = await unit.letters.abandon(command.letter_id, now, BY_HAND)
            record = _found(await unit.letters.get(command.letter_id, now))
            if not done:
                raise LetterIsGone
            event = Event(kind=EventKind.LETTER_ABANDONED, email=record.letter.recipient, reason=BY_HAND)
            await unit.events.add(event, now)
            await unit.commit()
        self.events.record(event)
        return record


def _found(record: LetterRecord | None) -> LetterRecord:
    if record is None:
        raise NotFound
    return record
