"""Mailed tokens: random, single use, bound to one purpose; only the digest is stored (R40)."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from domain.email_address import EmailAddress


class Purpose(StrEnum):
    """What a token is good for; it is refused everywhere else (ASVS 6.6.2)."""

    VERIFY_ADDRESS = "verify_address"
    RESET_PASSWORD = "reset_password"  # noqa: S105 - the name of a purpose
    CHANGE_EMAIL = "change_email"
    UNDO = "undo"
    NOTHING = "nothing"
    """Minted for a letter that carries no link, so that deciding costs the same statements for everyone."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OneTimeToken:
    """A minted token at rest. Minted when its letter leaves, so `expires_at` runs from that moment.

    `requested_at` is when the letter was asked for: a newer request for the same subject supersedes this token.
    """

    digest: bytes
    purpose: Purpose
    subject_id: UUID
    requested_at: datetime
    expires_at: datetime
    user_id: UUID | None = None
    """Whose account it opens, where that is known when it is minted."""
    credential_version: int | None = None
    """Under which it was asked for: once the account has another, it is void."""
    email: EmailAddress | None = None
    """The address that it proves, where that is neither the sign-up's nor the user's of today."""
    used_at: datetime | None = None
    superseded: bool = False
    """Whether a newer request, or a newer credential version, has voided it."""
