"""What happened, for those who watch (R65): one record an event, never a secret."""

from dataclasses import dataclass, field
from enum import StrEnum
from uuid import UUID

from domain.client import Client
from domain.email_address import EmailAddress


class EventKind(StrEnum):
    """The catalogue of security events."""

    SIGN_UP_REQUESTED = "sign_up_requested"
    SIGN_UP_CONFLICT = "sign_up_conflict"
    VERIFICATION_REQUESTED = "verification_requested"
    ADDRESS_VERIFIED = "address_verified"
    VERIFICATION_REFUSED = "verification_refused"
    SIGNED_IN = "signed_in"
    SIGN_IN_FAILED = "sign_in_failed"
    SIGNED_OUT = "signed_out"
    REFRESH_REUSED = "refresh_reused"
    RATE_LIMITED = "rate_limited"
    PASSWORD_REHASHED = "password_rehashed"  # noqa: S105 - an event's name
    LETTER_SENT = "letter_sent"
    LETTER_SKIPPED = "letter_skipped"
    LETTER_DELAYED = "letter_delayed"
    LETTER_ABANDONED = "letter_abandoned"
    PURGED = "purged"


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """One thing that happened. The address is written as a pseudonym; `reason` is a code of ours, never user text."""

    kind: EventKind
    client: Client | None = None
    email: EmailAddress | None = None
    identifier: str | None = field(default=None, repr=False)
    user_id: UUID | None = None
    reason: str | None = None
    counts: tuple[tuple[str, int], ...] = ()
