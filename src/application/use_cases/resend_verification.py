"""Asking for the letter again: one answer, whoever waits or does not (R45)."""

from dataclasses import dataclass, field
from datetime import timedelta

from application.ports.environment import Clock, EventLog, Ids, Randomness
from application.ports.limits import Limits
from application.ports.units_of_work import Intake, Opens
from domain.client import Client
from domain.email_address import EmailAddress
from domain.events import Event, EventKind
from domain.letters import Occasion, QueuedLetter
from domain.limits import Charge, Quotas
from domain.secret import Secret
from domain.sign_up import WAITING_TIME
from domain.violations import Violations


@dataclass(frozen=True, slots=True, kw_only=True)
class ResendVerificationCommand:
    """Whose letter to write again: the browser's own sign-up, an old token's, or the newest under an address."""

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
    ids: Ids
    randomness: Randomness
    events: EventLog
    quotas: Quotas
    delivery_jitter: timedelta

    async def __call__(self, command: ResendVerificationCommand) -> None:
        violations = Violations()
        email = violations.parse_optional("email", command.email, EmailAddress.parse)
        if command.email is None and command.token is None and command.cookie is None:
            violations.add("email", "required", "Give the address, or the token from the letter.")
        violations.settle()
        token = Secret.parse(command.token) if command.token else None
        cookie = Secret.parse(command.cookie) if command.cookie else None
        now = self.clock.now()
        await self.limits.spend(self._charges(email, token or cookie, command.client), now)
        async with self.intake() as intake:
            found = None
            if token is not None:
                found = await intake.sign_ups.waiting_by_token(token.digest, now)
            elif cookie is not None:
                found = await intake.sign_ups.waiting_by_cookie(cookie.digest, now)
            subject_id, recipient = found if found else (None, email)
            if email is not None and recipient != email:
                subject_id, recipient = None, email
            if subject_id is None and email is not None:
                subject_id = await intake.sign_ups.newest_waiting(email, now)
            if recipient is not None:
                await intake.letters.enqueue(
                    QueuedLetter(
                        id=self.ids.new(),
                        occasion=Occasion.RESEND,
                        recipient=recipient,
                        subject_id=subject_id,
                        created_at=now,
                        due_at=now + self.delivery_jitter * self.randomness.fraction(),
                        expires_at=now + WAITING_TIME,
                    )
                )
            await intake.commit()
        self.events.record(Event(kind=EventKind.VERIFICATION_REQUESTED, client=command.client, email=recipient))

    def _charges(self, email: EmailAddress | None, secret: Secret | None, client: Client) -> list[Charge]:
        """An address is counted as it was given, whoever has it; a token or cookie without one, by its digest."""
        whom = email.canonical if email else secret.digest.hex() if secret else "nobody"
        per_address = [self.quotas.limit(name) for name in ("letter_minute", "letter_hour", "letter_day")]
        return [
            Charge(self.quotas.limit("letter_client", per_client=True), client.network),
            *(Charge(limit, f"resend:{whom}") for limit in per_address),
        ]
