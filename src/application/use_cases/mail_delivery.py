"""Delivery: letters leave here, and only here is it decided what each of them becomes (DESIGN sections 2 and 5)."""

import asyncio
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from application.cancellation import ends_us
from application.letter_decisions import Decision, LetterDecisions
from application.ports.environment import Clock, EventLog, Ids, Randomness
from application.ports.letters import LetterRenderer, MailDelayed, MailRefused, MailSender
from application.ports.units_of_work import Delivery, Opens
from application.whereabouts import whereabouts
from domain.events import Event, EventKind
from domain.letters import LONGEST_REASON, LONGEST_RETRY, SENDING_TIME, Outcome, QueuedLetter, retry_delay

_AT_ONCE = 8
"""Letters in hand at a time."""

_LOOK_AGAIN = 0.5
"""Seconds after which others are looked for while some hang."""


@dataclass(frozen=True, kw_only=True)
class DeliverMail:
    """Sends what is due, and says how many letters it took in hand. While some hang, others take the places of those
    that are done: a letter that hangs delays nobody.

    For each: decide, check and mint a token in one transaction; commit it; only then speak to the mail system; then
    mark the letter. A crash in between leaves a token nobody knows and a letter that is sent again under the same
    Message-ID. A letter that turns out to be none costs the same statements, only the sending is skipped.
    """

    delivery: Opens[Delivery]
    decisions: LetterDecisions
    renderer: LetterRenderer
    sender: MailSender
    clock: Clock
    ids: Ids
    randomness: Randomness
    events: EventLog

    async def __call__(self) -> int:
        tasks = await self._take(_AT_ONCE)
        in_hand = set(tasks)
        try:
            while in_hand:
                _, in_hand = await asyncio.wait(in_hand, timeout=_LOOK_AGAIN)
                if in_hand:
                    others = await self._take(_AT_ONCE - len(in_hand))
                    in_hand |= set(others)
                    tasks += others
        finally:
            for each in in_hand:
                each.cancel()
            troubles = await asyncio.gather(*tasks, return_exceptions=True)
        for trouble in filter(None, troubles):
            raise trouble  # the store's own: the letter keeps its lease and is taken up again
        return len(tasks)

    async def _take(self, most: int) -> list[asyncio.Task[None]]:
        if not most:
            return []
        lease_id = self.ids.new()
        async with self.delivery() as unit:
            letters = await unit.letters.lease(lease_id, self.clock.now(), most)
            if letters:
                await unit.commit()
        return [asyncio.create_task(self._deliver(letter, lease_id)) for letter in letters]

    async def _deliver(self, letter: QueuedLetter, lease_id: UUID) -> None:
        if letter.expires_at <= self.clock.now():
            await self._abandon(letter, lease_id, "expired")
            return
        try:
            decided = await self._decide(letter)
            rendered = self.renderer.render(decided.letter, letter.id)
            if decided.outcome.leaves:
                async with asyncio.timeout(SENDING_TIME.total_seconds()):
                    await self.sender.send(rendered)
        except MailRefused as refused:
            await self._abandon(letter, lease_id, _in_one_line(refused))
        except MailDelayed as delayed:
            await self._delay(letter, lease_id, _in_one_line(delayed), delayed.retry_after)
        except TimeoutError:
            await self._delay(letter, lease_id, "no answer in time")
        except (Exception, asyncio.CancelledError) as fault:
            # A letter that breaks the renderer or a provider must not stop the others.
            if ends_us(fault):
                raise
            await self._delay(letter, lease_id, whereabouts(fault))
        else:
            await self._mark_sent(letter, lease_id, decided.outcome)

    async def _decide(self, letter: QueuedLetter) -> Decision:
        async with self.delivery() as unit:
            decision = await self.decisions.decide(unit, letter)
            await unit.commit()
        return decision

    async def _mark_sent(self, letter: QueuedLetter, lease_id: UUID, outcome: Outcome) -> None:
        async with self.delivery() as unit:
            await unit.letters.mark_sent(letter.id, lease_id, outcome, self.clock.now())
            await self._forget_the_deleted(unit, letter)
            await unit.commit()
        kind = EventKind.LETTER_SENT if outcome.leaves else EventKind.LETTER_SKIPPED
        self.events.record(Event(kind=kind, email=letter.recipient, reason=outcome.value))

    async def _delay(
        self, letter: QueuedLetter, lease_id: UUID, reason: str, asked_for: timedelta | None = None
    ) -> None:
        # Of what the other side asks for, no more than our own longest wait: a letter has its time.
        least = min(asked_for or timedelta(), LONGEST_RETRY)
        due_at = self.clock.now() + max(retry_delay(letter.attempts, self.randomness.fraction()), least)
        async with self.delivery() as unit:
            await unit.letters.mark_delayed(letter.id, lease_id, due_at, reason)
            await unit.commit()
        self.events.record(Event(kind=EventKind.LETTER_DELAYED, email=letter.recipient, reason=reason))

    async def _abandon(self, letter: QueuedLetter, lease_id: UUID, reason: str) -> None:
        async with self.delivery() as unit:
            await unit.letters.mark_abandoned(letter.id, lease_id, self.clock.now(), reason)
            await self._forget_the_deleted(unit, letter)
            await unit.commit()
        self.events.record(Event(kind=EventKind.LETTER_ABANDONED, email=letter.recipient, reason=reason))

    async def _forget_the_deleted(self, unit: Delivery, letter: QueuedLetter) -> None:
        """The last letter to somebody whose account is gone takes their address with it."""
        reversal = await unit.reversals.get(letter.subject_id or letter.id)
        if reversal is not None and await unit.users.get(reversal.user_id) is None:
            await unit.letters.forget(reversal.user_id, letter.recipient, letter.created_at)


def _in_one_line(reason: MailRefused | MailDelayed) -> str:
    """As every database can keep it: a provider may pass on what a server sent."""
    legible = "".join(char if char.isprintable() else " " for char in str(reason))
    return " ".join(legible.split())[:LONGEST_REASON]
