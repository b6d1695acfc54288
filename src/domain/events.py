"""What happened, for those who watch (R65): one record an event, never a secret."""

import hashlib
import hmac
from dataclasses import dataclass, field
from datetime import datetime
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
    SESSION_ENDED = "session_ended"
    SESSIONS_ENDED = "sessions_ended"
    REFRESH_REUSED = "refresh_reused"
    REAUTHENTICATION_FAILED = "reauthentication_failed"
    RATE_LIMITED = "rate_limited"
    PASSWORD_REHASHED = "password_rehashed"  # noqa: S105 - an event's name
    HASH_UNUSABLE = "hash_unusable"
    BREACH_CHECK_FAILED = "breach_check_failed"
    PASSWORD_RESET_REQUESTED = "password_reset_requested"  # noqa: S105 - an event's name
    PASSWORD_RESET_SENT = "password_reset_sent"  # noqa: S105 - an event's name
    PASSWORD_RESET = "password_reset"  # noqa: S105 - an event's name
    PASSWORD_CHANGED = "password_changed"  # noqa: S105 - an event's name
    EMAIL_CHANGE_REQUESTED = "email_change_requested"
    EMAIL_CHANGED = "email_changed"
    PROFILE_CHANGED = "profile_changed"
    ACCOUNT_DELETED = "account_deleted"
    CHANGE_UNDONE = "change_undone"
    LINK_REFUSED = "link_refused"
    USER_CREATED = "user_created"
    USER_IMPORTED = "user_imported"
    USERS_EXPORTED = "users_exported"
    USER_CHANGED = "user_changed"
    USER_DISABLED = "user_disabled"
    USER_ENABLED = "user_enabled"
    PASSWORD_EXPIRED = "password_expired"  # noqa: S105 - an event's name
    LETTER_SENT = "letter_sent"
    LETTER_SKIPPED = "letter_skipped"
    LETTER_DELAYED = "letter_delayed"
    LETTER_ABANDONED = "letter_abandoned"
    LETTER_REQUEUED = "letter_requeued"
    ADDRESS_SUPPRESSED = "address_suppressed"
    SUPPRESSION_LIFTED = "suppression_lifted"
    PURGED = "purged"

    @property
    def failed(self) -> bool:
        """Whether somebody was refused, or something went wrong."""
        return self in _FAILURES


_FAILURES = {
    EventKind.SIGN_UP_CONFLICT,
    EventKind.SIGN_IN_FAILED,
    EventKind.VERIFICATION_REFUSED,
    EventKind.REFRESH_REUSED,
    EventKind.REAUTHENTICATION_FAILED,
    EventKind.LINK_REFUSED,
    EventKind.HASH_UNUSABLE,
    EventKind.BREACH_CHECK_FAILED,
    EventKind.RATE_LIMITED,
    EventKind.LETTER_DELAYED,
    EventKind.LETTER_ABANDONED,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """One thing that happened. The address is written as a pseudonym; `reason` is a code of ours, never user text."""

    kind: EventKind
    client: Client | None = None
    email: EmailAddress | None = None
    identifier: str | None = field(default=None, repr=False)
    user_id: UUID | None = None
    """Whom it is about."""
    actor_id: UUID | None = None
    """Who did it, where that is somebody else: an administrator."""
    reason: str | None = None
    counts: tuple[tuple[str, int], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordedEvent:
    """An event as it is kept, for the person it is about and for administrators."""

    id: UUID
    at: datetime
    kind: str
    failed: bool
    user_id: UUID | None
    actor_id: UUID | None
    reason: str | None
    address: str
    """The client's; shortened once it has been kept in full for long enough (R66)."""
    user_agent: str


def pseudonym_of(user_id: UUID, key: bytes) -> UUID:
    """What stands in the record of events for somebody whose account was deleted: the same for the same person, and
    nobody's without the installation's key."""
    return UUID(bytes=hmac.digest(key, b"deleted user " + user_id.bytes, hashlib.sha256)[:16])
