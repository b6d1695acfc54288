"""Asking for the letter again: one answer, whoever waits or does not (R45)."""

from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from application.letter_requests import LetterRequests
from application.ports.environment import Clock, EventLog
from application.ports.limits import Limits
from application.ports.units_of_work import Intake, Opens
from domain.client import Client
from domain.email_address import EmailAddress
from domain.errors import Unavailable
from domain.events import Event, EventKind
from domain.letters import Occasion
from domain.limits import Charge, Quotas
from domain.one_time_token import Purpose
from domain.secret import Secret
from domain.sentence import Sentence
from domain.violations import Violations


@dataclass(frozen=True, slots=True, kw_only=True)
class ResendVerificationCommand:
    """Whose letter to write again: the browser's own sign-up, an old token's, or an address's."""

    email: str | None = None
    token: str | None = field(default=None, repr=False)
    cookie: str | None = field(default=None, repr=False)
    client: Client


@dataclass(frozen=True, kw_only=True)
class ResendVerification:
    """Queues one letter-to-be, whether or not anybody waits: the same answer and the same statements always (R45).

    The newer request supersedes the older letter and its tokens. Raises `ValidationError`, `RateLimited`,
    `Unavailable`.
    """

    intake: Opens[Intake]
    limits: Limits
    clock: Clock
    events: EventLog
    quotas: Quotas
    letters: LetterRequests

    async def __call__(self, command: ResendVerificationCommand) -> None:
        violations = Violations()
        email = violations.parse_optional("email", command.email, EmailAddress.parse)
        if command.email is None and command.token is None:
            violations.add("email", "required", Sentence("Give the address, or the token from the letter."))
        violations.settle()
        token = Secret.parse(command.token) if command.token else None
        # Only beside the address it stands for: a cookie alone would tell its holder what became of the sign-up.
        cookie = Secret.parse(command.cookie) if command.cookie and email is not None else None
        now = self.clock.now()
        subject_id, recipient = await self._own(token, cookie, now) or (None, email)
        if email is not None and recipient != email:
            subject_id, recipient = None, email
        units = await self.limits.spend(self._charges(recipient, token, command.client), now)
        try:
            if recipient is not None:
                await self._ask_for_letter(subject_id, recipient, command.client, now)
        except Unavailable:
            # Turned away by us, not used up by them.
            await self.limits.give_back(units)
            raise
        self.events.record(Event(kind=EventKind.VERIFICATION_REQUESTED, client=command.client, email=recipient))

    async def _own(
        self, token: Secret | None, cookie: Secret | None, now: datetime
    ) -> tuple[UUID, EmailAddress] | None:
        """Whom the caller holds a token of, or the cookie of their waiting sign-up."""
        found = None
        if token is not None or cookie is not None:
            async with self.intake() as intake:
                if token is not None:
                    found = await intake.letters.by_token(token.digest, Purpose.VERIFY_ADDRESS)
                elif cookie is not None:
                    found = await intake.sign_ups.waiting_by_cookie(cookie.digest, now)
        return found

    def _charges(self, recipient: EmailAddress | None, token: Secret | None, client: Client) -> list[Charge]:
        """An address is counted whoever has it; a token that leads to none, by its digest."""
        charges = [Charge(self.quotas.limit("letter_client"), client.network)]
        whom = recipient.canonical if recipient else token.digest.hex() if token else None
        if whom is not None:
            for name in ("letter_minute", "letter_hour", "letter_day"):
                about = recipient.canonical if recipient else None
                charges.append(Charge(self.quotas.limit(name), f"resend:{whom}", about))
        return charges

    async def _ask_for_letter(
        self, subject_id: UUID | None, recipient: EmailAddress, client: Client, now: datetime
    ) -> None:
        async with self.intake() as intake:
            subject_id = subject_id or await intake.sign_ups.newest_waiting(recipient, now)
            await intake.letters.enqueue(self.letters.make(Occasion.RESEND, recipient, subject_id, now, client=client))
            await intake.commit()
