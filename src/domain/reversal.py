"""Undoing what somebody else may have done: *this wasn't me* (ASVS 6.3.7)."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID

from domain.letters import NOTICE_TIME, Occasion
from domain.user import User

UNDO_TIME = timedelta(days=7)
"""How long the link in a letter to an owner works, from its minting."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AsItWas:
    """An account at the moment before something happened to it, and what is known of whoever did it."""

    user: User
    credential_version: int
    browser: str
    masked_address: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Reversal:
    """Something that happened to an account, and how the account was before it, sealed: it outlives the account.

    Undoing it brings the account back to that moment, whatever came after: a chain of changes by an intruder is undone
    by the link in the first letter, which went to an address that was still the owner's.
    """

    id: UUID
    user_id: UUID
    occasion: Occasion
    sealed: bytes = field(repr=False)
    made_at: datetime
    expires_at: datetime

    @classmethod
    def of(cls, *, id: UUID, user_id: UUID, occasion: Occasion, sealed: bytes, now: datetime) -> "Reversal":
        """One that can be undone for as long as a letter about it may still arrive, and its link works."""
        return cls(
            id=id,
            user_id=user_id,
            occasion=occasion,
            sealed=sealed,
            made_at=now,
            expires_at=now + NOTICE_TIME + UNDO_TIME,
        )
