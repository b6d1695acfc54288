"""Delivery: letters leave here, and only here is it decided what each of them becomes (DESIGN sections 2 and 5)."""

import asyncio
from dataclasses import dataclass, replace
from datetime import timedelta
from uuid import UUID

from application.ports.environment import Clock, EventLog, Ids, Randomness
from application.ports.letters import LetterRenderer, MailDelayed, MailRefused, MailSender
from application.ports.limits import Limits
from application.ports.units_of_work import Delivery, Opens
from domain.errors import RateLimited
from domain.events import Event, EventKind
from domain.letters import LEASE, AccountExists, Letter, Occasion, Outcome, QueuedLetter, VerifyAddress, retry_delay
from domain.limits import Charge, Quotas
from domain.one_time_token import OneTimeToken, Purpose
from domain.secret import Secret

_AT_ONCE = 8
"""Letters in hand at a time, so that one that hangs delays nobody."""

_SENDING_TIME = LEASE * 0.75
"""A letter is given up for this time before another worker may take its lease over."""


@dataclass(frozen=True, slots=True)
class _Decided:
    """What a letter became. One that is none has a text all the same: everything but the sending is done for it."""

    letter: Letter
    outcome: Outcome


@dataclass(frozen=True, kw_only=True)
class DeliverMail:
    """Sends what is due, and says how many letters it took in hand.

    For each: decide, check and mint a token in one transaction; commit it; only then speak to the mail system; then
    mark the letter. A crash in between leaves a token nobody knows and a letter that is sent again under the same
    Message-ID. A letter that turns out to be none costs the same statements, only the sending is skipped.
    """

    delivery: Opens[Delivery]
    renderer: LetterRenderer
    sender: MailSender
    clock: Clock
    ids: Ids
    randomness: Randomness
    events: EventLog
    quotas: Quotas
    token_lifetime: timedelta

    async def __call__(self) -> int:
        lease_id = self.ids.new()
        async with self.delivery() as unit:
            letters = await unit.letters.lease(lease_id, self.clock.now(), _AT_ONCE)
            if letters:
                await unit.commit()
        done = await asyncio.gather(*(self._deliver(letter, lease_id) for letter in letters), return_exceptions=True)
        for trouble in filter(None, done):
            raise trouble  # the store's own: the letter keeps its lease and is taken up again
        return len(letters)

    async def _deliver(self, letter: QueuedLetter, lease_id: UUID) -> None:
        if letter.expires_at <= self.clock.now():
            await self._abandon(letter, lease_id, "expired")
            return
        try:
            decided = await self._decide(letter)
            rendered = self.renderer.render(decided.letter, letter.id)
            if decided.outcome is not Outcome.NONE:
                async with asyncio.timeout(_SENDING_TIME.total_seconds()):
                    await self.sender.send(rendered)
        except MailRefused as refused:
            await self._abandon(letter, lease_id, str(refused))
        except (MailDelayed, TimeoutError) as delayed:
            await self._delay(letter, lease_id, str(delayed) or "no answer in time")
        except Exception as fault:  # a letter that breaks the renderer or a provider must not stop the others
            await self._delay(letter, lease_id, _whereabouts(fault))
        else:
            await self._mark_sent(letter, lease_id, decided.outcome)

    async def _decide(self, letter: QueuedLetter) -> _Decided:
        """The same statements whatever comes of it: a unit of the notice's limit is spent under a name of no meaning
        where there is no notice, and a token for nothing is minted where there is no link."""
        now = self.clock.now()
        secret = Secret.of(self.randomness.bytes(32))
        async with self.delivery() as unit:
            sign_up = await unit.sign_ups.get(letter.subject_id or letter.id)
            owner = await unit.users.of_email(letter.recipient)
            # Whoever asked, and whatever waits: a user who has not proven the mailbox yet is whom it is about.
            unproven = owner is not None and not owner.email_verified and not owner.disabled
            subject_id = owner.id if owner and unproven else letter.subject_id
            newest = await unit.letters.is_newest(replace(letter, subject_id=subject_id))
            proven = sign_up is not None and sign_up.proven_at is not None
            # Not for the owner's own sign-up, whose letter is tried again although it has arrived.
            own = proven or (owner is not None and owner.id == letter.subject_id)
            notice = owner is not None and not unproven and letter.occasion is Occasion.SIGN_UP and not own
            first_notice = notice and letter.outcome is not Outcome.ACCOUNT_EXISTS
            within_limit = await self._spend_notice(
                unit.limits, letter.recipient.canonical if first_notice else str(letter.id)
            )
            if notice:
                outcome = Outcome.ACCOUNT_EXISTS if within_limit or not first_notice else Outcome.NONE
            else:
                waiting = sign_up is not None and not proven and sign_up.expires_at > now and owner is None
                outcome = Outcome.VERIFY_ADDRESS if newest and (waiting or unproven) else Outcome.NONE
            await unit.tokens.add(
                OneTimeToken(
                    digest=secret.digest,
                    purpose=Purpose.VERIFY_ADDRESS if outcome is Outcome.VERIFY_ADDRESS else Purpose.NOTHING,
                    subject_id=subject_id or letter.id,
                    requested_at=letter.created_at,
                    expires_at=now + self.token_lifetime,
                )
            )
            await unit.letters.decide(letter.id, outcome, subject_id)
            await unit.commit()
        if outcome is Outcome.ACCOUNT_EXISTS:
            return _Decided(AccountExists(recipient=letter.recipient), outcome)
        verify = VerifyAddress(
            recipient=letter.recipient, token=secret, valid_for=self.token_lifetime, has_account=unproven
        )
        return _Decided(verify, outcome)

    async def _spend_notice(self, limits: Limits, key: str) -> bool:
        try:
            await limits.spend([Charge(self.quotas.limit("owner_notice"), key)], self.clock.now())
        except RateLimited:
            return False
        return True

    async def _mark_sent(self, letter: QueuedLetter, lease_id: UUID, outcome: Outcome) -> None:
        async with self.delivery() as unit:
            await unit.letters.mark_sent(letter.id, lease_id, self.clock.now())
            await unit.commit()
        kind = EventKind.LETTER_SKIPPED if outcome is Outcome.NONE else EventKind.LETTER_SENT
        self.events.record(Event(kind=kind, email=letter.recipient, reason=outcome.value))

    async def _delay(self, letter: QueuedLetter, lease_id: UUID, reason: str) -> None:
        due_at = self.clock.now() + retry_delay(letter.attempts, self.randomness.fraction())
        async with self.delivery() as unit:
            await unit.letters.mark_delayed(letter.id, lease_id, due_at, reason)
            await unit.commit()
        self.events.record(Event(kind=EventKind.LETTER_DELAYED, email=letter.recipient, reason=reason))

    async def _abandon(self, letter: QueuedLetter, lease_id: UUID, reason: str) -> None:
        async with self.delivery() as unit:
            await unit.letters.mark_abandoned(letter.id, lease_id, self.clock.now(), reason)
            await unit.commit()
        self.events.record(Event(kind=EventKind.LETTER_ABANDONED, email=letter.recipient, reason=reason))


def _whereabouts(fault: Exception) -> str:
    """The kind of a fault and where it is, for whoever mends it; its message may quote a letter."""
    trace = fault.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    where = f" in {trace.tb_frame.f_code.co_name}, line {trace.tb_lineno}" if trace else ""
    return f"{type(fault).__name__}{where}"
