"""Mailed tokens: random, single use, bound to one purpose; only the digest is stored (R40)."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID


class Purpose(StrEnum):
    """What a token is good for; it is refused everywhere else (ASVS 6.6.2)."""

    VERIFY_ADDRESS = "verify_address"
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
    used_at: datetime | None = None
    superseded: bool = False
