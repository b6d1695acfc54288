"""Asking for a letter: what it becomes is decided when it leaves."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from application.ports.environment import Ids, Randomness
from domain.email_address import EmailAddress
from domain.letters import Occasion, QueuedLetter


@dataclass(frozen=True, kw_only=True)
class LetterRequests:
    """Makes letters-to-be. Each falls due at a random moment within `jitter` (DESIGN section 2)."""

    ids: Ids
    randomness: Randomness
    jitter: timedelta

    def make(
        self,
        occasion: Occasion,
        recipient: EmailAddress,
        subject_id: UUID | None,
        now: datetime,
        *,
        credential_version: int | None = None,
    ) -> QueuedLetter:
        """One, to be queued with the work that gives rise to it."""
        return QueuedLetter(
            id=self.ids.new(),
            occasion=occasion,
            recipient=recipient,
            subject_id=subject_id,
            created_at=now,
            due_at=now + self.jitter * self.randomness.fraction(),
            expires_at=now + occasion.waiting_time,
            credential_version=credential_version,
        )
